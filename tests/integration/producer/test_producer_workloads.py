"""Ordinary tools over a tree, watched by the real process up to Kafka: after each of them a reader of the log has the tree,
and no record was ever wrong. A small part of `python -m bench.watching`, on a made-up tree."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bench.watching import actions
from bench.watching.changelog import ChangeLog
from bench.watching.judging import Judgement
from bench.watching.running import Bench, place, play_ours
from bench.watching.trees import Source, obtain
from bench.watching.workloads import WORKLOADS
from runtime.kafka import Kafka

SCALE = 0.1
QUIET_SECONDS = 0.5
NOTHING = Judgement((), ())
EVENTS_OF_ONE = 4
"""Events of the kernel for a file that is made, written, closed and deleted."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A tenth of the tree."""
    return obtain(tmp_path_factory.mktemp("tree") / "source", SCALE, made_up=True, announce=lambda _: None)


@pytest.fixture
def bench(kafka: Kafka, source: Source, tmp_path: Path) -> Iterator[Bench]:
    """It, and a reader of the log."""
    with closing(ChangeLog(kafka)) as log:
        yield Bench(source, SCALE, tmp_path, kafka, log, QUIET_SECONDS)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Suspend the process."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_no_tool_makes_the_log_miss_or_invent_anything(bench: Bench) -> None:
    here = [workload for workload in WORKLOADS if not workload.missing]
    outcomes = list(play_ours(bench, here, "films"))
    assert {outcome.workload: outcome.judgement for outcome in outcomes} == {
        workload.name: NOTHING for workload in here
    }
    assert sum(outcome.thread_cpu or 0.0 for outcome in outcomes) > 0  # the reading thread is found by its name


def test_a_kernel_queue_that_overflows_is_a_gap_and_nothing_is_missing_in_the_end(bench: Bench) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    untar = next(workload for workload in WORKLOADS if workload.name == "untar")
    with place(bench, "films") as at:
        ours = bench.ours(at.root)
        try:
            (at.root / "flood").mkdir()
            ours.wait_ready()
            ours.settle()
            ours.view.begin()
            with frozen(ours.pid):
                actions.create_write_delete(
                    at.root / "flood", 2 * limit // EVENTS_OF_ONE
                )  # some may already be read
                untar.work(at)
            there = ours.settle()
            assert ours.judge(there) == NOTHING
            assert ours.view.stretch.gaps > 0
        finally:
            ours.end()
