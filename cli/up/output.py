"""Reports the progress of the set-up: progress bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn


class SetupOutput:
    """Prints the progress of the set-up, to a terminal or a log file."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)

    def print(self, line: str) -> None:
        """Print one line."""
        self.console.print(line, markup=False)

    @contextmanager
    def download(self, what: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
        """A download in progress; call the yielded function with the number of bytes received."""
        if not self.console.is_terminal:
            self.print(f"fetching {what} ({total_bytes / 1e6:.0f} MB)")
            yield lambda _bytes: None
            self.print(f"fetched {what}")
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task(f"fetching {what}", total=total_bytes)
            yield lambda size: progress.advance(task, size)
        self.print(f"fetched {what} ({total_bytes / 1e6:.0f} MB)")
