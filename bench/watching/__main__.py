"""`python -m bench.watching`: every workload with every watcher, and what a bare loop could do at best. Exits with 1 where
the product missed or invented anything; the first such paths are printed."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.support import broker
from bench.watching import share_work, table, watchers
from bench.watching.changelog import ChangeLog
from bench.watching.limits import limits
from bench.watching.ours import WAYS
from bench.watching.running import OURS, Bench, Outcome, play_ours, play_plain
from bench.watching.trees import Announce, obtain
from bench.watching.workloads import WORKLOADS, Workload
from cli.provisioning.topics import apply
from tests.support.samba import Samba, provided, serving

SHOWN = 5
WIDTH = 200


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.watching", description=__doc__)
    names = [workload.name for workload in (*WORKLOADS, *share_work.WORKLOADS)]
    parser.add_argument("--only", metavar="NAME", choices=names, help=f"one of: {', '.join(names)}")
    parser.add_argument("--runs", type=int, default=3, help="of the product")
    parser.add_argument("--baselines", type=int, metavar="RUNS", help="of the plain watchers; unset: as many")
    parser.add_argument("--scale", type=float, default=1.0, help="1: a tree of 80,000 entries")
    parser.add_argument("--watch", choices=WAYS, default="auto", help="how the product watches its root (auto)")
    parser.add_argument("--made-up", action="store_true", help="a made-up tree, though Debian's could be had")
    parser.add_argument("--folder", type=Path, help="where to work; unset: the system's temporary folder")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--markdown", action="store_true", help="for docs/architecture.md")
    return parser.parse_args()


@contextmanager
def bar(total: int) -> Iterator[tuple[Announce, Progress]]:
    """A progress bar on standard error, with a description of the present step."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("starting", total=total)
        yield lambda what: progress.update(task, description=what), progress


def served(folder: Path, way: str) -> AbstractContextManager[Samba | None]:
    """A server of the folder, if the product is to reach it over SMB. Raises SystemExit where that is not possible."""
    if way != "smb":
        return nullcontext()
    if (missing := provided()) is not None:
        raise SystemExit(missing)
    return serving({"media": folder})


def play(
    bench: Bench, workloads: Sequence[Workload], runs: dict[str, int], announce: Announce, progress: Progress
) -> Iterator[Outcome]:
    """Run after run, watcher after watcher."""
    for run in range(max(runs.values())):
        for watcher, wanted in runs.items():
            if run >= wanted:
                continue
            announce(f"run {run + 1}: {watcher}")
            player = (
                play_ours(bench, workloads, f"ours-{run}")
                if watcher == OURS
                else play_plain(bench, workloads, watcher)
            )
            for outcome in player:
                progress.advance(progress.task_ids[0])
                announce(f"run {run + 1}: {watcher}, {outcome.workload} is done")
                yield outcome


def main() -> int:
    """Obtain, play, print, judge."""
    wanted = parse_arguments()
    known = WORKLOADS + (share_work.WORKLOADS if wanted.watch == "smb" else ())
    named = [workload for workload in known if wanted.only in (None, workload.name)]
    chosen = [workload for workload in named if not workload.missing]
    skipped = [workload for workload in named if workload.missing]
    baselines = wanted.runs if wanted.baselines is None else wanted.baselines
    runs = {OURS: wanted.runs} | {name: baselines for name in watchers.PLAIN if watchers.is_here(name)}
    with (
        bar(len(chosen) * sum(runs.values())) as (announce, progress),
        tempfile.TemporaryDirectory(prefix="catalogizer-bench-", dir=wanted.folder) as folder,
        broker() as kafka,
    ):
        asyncio.run(apply(kafka))
        source = obtain(Path(folder) / "source", wanted.scale, made_up=wanted.made_up, announce=announce)
        announce("measuring what is possible")
        possible = limits(Path(folder), kafka)
        with closing(ChangeLog(kafka)) as log, served(Path(folder), wanted.watch) as samba:
            bench = Bench(source, wanted.scale, Path(folder), kafka, log, way=wanted.watch, samba=samba)
            outcomes = list(play(bench, chosen, runs, announce, progress))
    absent = [name for name in watchers.PLAIN if not watchers.is_here(name)]
    rows = table.rows(outcomes, absent)
    tree = f"{source.origin}, {source.entries:,} entries, {os.cpu_count()} processors"
    if wanted.json:
        print(table.for_machines(rows, tree, possible))
    elif wanted.markdown:
        print("\n".join(table.for_a_document(rows)))
    else:
        Console(width=None if sys.stdout.isatty() else WIDTH).print(table.for_people(rows, tree))
    for name, figure in possible.items():
        print(f"at best: {name}: {figure:,.0f}", file=sys.stderr)
    for workload in skipped:
        print(f"{workload.name}: {workload.missing} is not here", file=sys.stderr)
    return report(outcomes)


def report(outcomes: Sequence[Outcome]) -> int:
    """Print what the product missed and invented; the exit code."""
    faults = 0
    for outcome in outcomes:
        if outcome.watcher == OURS:
            for what, paths in (("missed", outcome.judgement.missed), ("invented", outcome.judgement.invented)):
                faults += len(paths)
                for path in paths[:SHOWN]:
                    print(f"{outcome.workload}: {what} {os.fsdecode(path)!r}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
