"""Runs the workloads with one watcher after another, each on a root of its own, and makes an outcome of each.

The product's process lives through all of them, as it does in production; a plain watcher is restarted before each, so that
a loss or an overload in one workload does not count in the next. Nothing else runs meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.watching import watchers
from bench.watching.changelog import ChangeLog
from bench.watching.judging import Judgement, Tree, judge_events, walk
from bench.watching.measuring import cpu_seconds, forget_peak, peak_mb
from bench.watching.ours import QUIET_SECONDS, Ours
from bench.watching.trees import Source, run
from bench.watching.workloads import HalfUntarred, Place, Workload
from runtime.kafka import Kafka
from tests.support.samba import Client, Samba

OURS = "catalogizer"
SLICE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one workload with one watcher. `events`: records in the log, or events reported; `thread_cpu`: of the thread that
    reads the kernel's queue; `seconds`: from the workload's end until the last change was in the log, or the list; `took`:
    of the workload itself; `peak`: most records acknowledged within a second."""

    workload: str
    watcher: str
    entries: int
    events: int
    judgement: Judgement
    gaps: int
    cpu: float
    thread_cpu: float | None
    seconds: float
    took: float
    peak_mb: float
    peak: int | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """What all outcomes share. `samba`: serves the folder as a share, through which the product reaches its roots."""

    source: Source
    scale: float
    folder: Path
    kafka: Kafka
    log: ChangeLog
    quiet_seconds: float = QUIET_SECONDS
    way: str = "auto"
    samba: Samba | None = None

    def ours(self, root: Path) -> Ours:
        """The product's process on a root."""
        share = None if self.samba is None else self.samba.share(root.name)
        return Ours(
            self.kafka, self.log, root, self.folder, quiet_seconds=self.quiet_seconds, way=self.way, share=share
        )


@contextmanager
def place(bench: Bench, name: str) -> Iterator[Place]:
    """A root of its own, deleted afterwards."""
    root, outside = bench.folder / name, bench.folder / f"outside {name}"
    root.mkdir()
    outside.mkdir()
    client = None if bench.samba is None else Client(bench.samba)
    try:
        yield Place(root, outside, bench.source, bench.scale, client)
    finally:
        if client is not None:
            client.close()
        for made in (root, outside):
            run("rm", "-rf", str(made))


def play_ours(bench: Bench, workloads: Sequence[Workload], name: str) -> Iterator[Outcome]:
    """All of them, in one life of the product's process."""
    with place(bench, name) as at:
        ours = bench.ours(at.root)
        try:
            ours.wait_ready()
            for workload in workloads:
                if not workload.is_begun:
                    workload.prepare(at)
                    ours.settle(quiet=False)
                    yield _watched(workload, at, ours)
        finally:
            ours.end()
    for workload in workloads:
        if workload.is_begun:
            with place(bench, f"{name}-begun") as at:
                yield _started_inside(workload, bench, at)


def play_plain(bench: Bench, workloads: Sequence[Workload], name: str) -> Iterator[Outcome]:
    """All of them, with a fresh plain watcher each."""
    with place(bench, name) as at:
        for workload in workloads:
            workload.prepare(at)
            if workload.is_begun:
                yield _plain_inside(workload, at, name, bench.folder)
            else:
                before = walk(at.root)
                plain = watchers.start(name, at.root, bench.folder)
                yield _plainly(workload, at, name, plain, before, lambda work=workload: work.work(at))  # type: ignore[misc]


def _watched(workload: Workload, at: Place, ours: Ours) -> Outcome:
    before = len(ours.view.tree)
    forget_peak(ours.pid)
    ours.view.begin()
    cpu, thread = cpu_seconds(ours.pid), ours.thread_cpu()
    began = time.time()
    workload.work(at)
    ended = time.time()
    return _of_ours(workload, at, ours, before=before, cpu=cpu, thread=thread, began=began, ended=ended)


def _started_inside(workload: Workload, bench: Bench, at: Place) -> Outcome:
    began = time.time()
    untar = HalfUntarred(at)
    ours = bench.ours(at.root)
    try:
        _until_done(ours.wait_ready, untar)
        ended = time.time()
        return _of_ours(workload, at, ours, before=0, cpu=0.0, thread=0.0, began=began, ended=ended)
    finally:
        ours.end()


def _of_ours(
    workload: Workload,
    at: Place,
    ours: Ours,
    *,
    before: int,
    cpu: float,
    thread: float,
    began: float,
    ended: float,
) -> Outcome:
    there = ours.settle()
    stretch = ours.view.stretch
    return Outcome(
        workload=workload.name, watcher=OURS, entries=max(before, len(there)), events=len(stretch.times),
        judgement=ours.judge(there, removes=workload.removes, delays_links="tar" in workload.tools),
        gaps=stretch.gaps,
        cpu=cpu_seconds(ours.pid) - cpu, thread_cpu=ours.thread_cpu() - thread,
        seconds=max(0.0, (stretch.changed_at or 0) / 1_000 - ended), took=ended - began, peak_mb=peak_mb(ours.pid),
        peak=stretch.peak,
    )  # fmt: skip


def _plainly(
    workload: Workload, at: Place, name: str, plain: watchers.Plain, before: Tree, work: Callable[[], None]
) -> Outcome:
    cpu = cpu_seconds(plain.pid)
    forget_peak(plain.pid)
    began = time.monotonic()
    work()
    ended = time.monotonic()
    last = watchers.wait_quiet(plain)
    spent, peak = cpu_seconds(plain.pid) - cpu, peak_mb(plain.pid)
    events, after = plain.end(), walk(at.root)
    return Outcome(
        workload=workload.name, watcher=name, entries=max(len(before), len(after)), events=len(events),
        judgement=judge_events(events, before, after, workload.moved), gaps=0, cpu=spent, thread_cpu=None,
        seconds=max(0.0, last - ended), took=ended - began, peak_mb=peak,
    )  # fmt: skip


def _plain_inside(workload: Workload, at: Place, name: str, folder: Path) -> Outcome:
    """It is not expected to report what was there before it watched."""
    untar = HalfUntarred(at)
    started: list[watchers.Plain] = []
    _until_done(lambda: started.append(watchers.start(name, at.root, folder)), untar, finish=False)
    return _plainly(workload, at, name, started[0], walk(at.root), untar.finish)


def _until_done(start: Callable[[], None], untar: HalfUntarred, *, finish: bool = True) -> None:
    failed: list[Exception] = []

    def run() -> None:
        try:
            start()
        except Exception as error:  # noqa: BLE001 - raised below, in the waiting thread
            failed.append(error)

    starting = threading.Thread(target=run)
    starting.start()
    while starting.is_alive():
        untar.go_on()
        starting.join(SLICE_SECONDS)
    if finish or failed:
        untar.finish()
    if failed:
        raise failed[0]
