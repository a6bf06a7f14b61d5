"""Progress of long work: a bar on standard error if that is a terminal, else nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.system import ScanReport

Advance = Callable[[int], None]

_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


class Stages:
    """Work in stages. `hidden`: never shown, even on a terminal."""

    def __init__(self, *, hidden: bool = False) -> None:
        self._console = Console(stderr=True)
        self._hidden = hidden

    @contextmanager
    def stage(self, what: str, total: int | None = None) -> Iterator[Advance]:
        """A stage; call the yielded function with the amount of further work done. `total` None: unknown."""
        if self._hidden or not self._console.is_terminal:
            yield lambda _: None
            return
        with Progress(*_COLUMNS, console=self._console, transient=True) as progress:
            task = progress.add_task(what, total=total)
            yield lambda more: progress.advance(task, more)


@contextmanager
def scan_shown(*, hidden: bool) -> Iterator[Callable[[ScanReport], None]]:
    """Show the progress of a root's scans; call the yielded function with each scan report."""
    console = Console(stderr=True)
    if hidden or not console.is_terminal:
        yield lambda _: None
        return
    with Progress(*_COLUMNS, console=console, transient=True) as progress:
        task = progress.add_task("waiting", total=None)

        def show(report: ScanReport) -> None:
            total = max(report.done, report.expected) if report.expected else None
            progress.update(task, description=f"scan {report.scan}", completed=report.done, total=total)

        yield show
