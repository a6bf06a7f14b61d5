"""A producer killed at every point before or after a permanent write, whatever it is doing: nothing is lost, and the log has
nothing twice except what readers drop by its `seq`.

A producer's permanent writes: transactions of a root's state (index, outbox, memory, under which claim), deletions of
acknowledged rows, claims in the log of leases, the change log itself; and once its id. `KILL_ROUNDS=n` in the environment
plays everything at every point, n times."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import get_args

import pytest

from producer.database import Database
from producer.index import Index
from producer.ports import Point
from producer.settings import ProducerSettings, RootSpec
from runtime.kafka import Kafka
from schemas.lanes import lane_of
from schemas.topics import RAW
from tests.oracle.change_log import ChangeLog
from tests.oracle.model import differences, walk
from tests.support import cutting
from tests.support.producer_process import ProducerProcess, producing
from tests.support.producer_root import put
from tests.support.waiting import wait_until

POINTS: tuple[Point, ...] = get_args(Point)
ROUNDS = int(os.environ.get("KILL_ROUNDS", "0"))
OUTBOX_LIMIT = 10_000
FILES = 1_500


@dataclass
class Victim:
    """A root, and a producer with a state of its own that is killed repeatedly."""

    kafka: Kafka
    folder: Path
    log: ChangeLog
    draw: random.Random
    number: Iterator[int] = field(default_factory=itertools.count)

    @property
    def root(self) -> Path:
        """The directory."""
        return self.folder / "films"

    @property
    def settings(self) -> ProducerSettings:
        """The settings of either producer."""
        spec = RootSpec(name="films", library="home", path=self.root)
        return ProducerSettings(roots=(spec,), identity_seconds=0.2, outbox_limit=OUTBOX_LIMIT)

    @property
    def state(self) -> Path:
        """The root's state, in the producer's folder."""
        return self.folder / "state" / "producer" / "producer" / "films.sqlite"

    def work(self) -> None:
        """Change something in the root."""
        number = next(self.number)
        put(self.root / f"S{number % 7}" / f"{number % 40}.mkv", str(number).encode())
        if number % 3 == 0:
            (self.root / f"S{number % 7}" / f"{number % 40}.mkv").replace(self.root / f"{number % 40}.mkv")
        if number % 11 == 0:
            shutil.rmtree(self.root / f"S{number % 5}", ignore_errors=True)

    def fill(self, files: int) -> None:
        """Create so many new files, in a new directory."""
        directory = self.root / f"filled {next(self.number)}"
        directory.mkdir()
        for number in range(files):
            (directory / f"{number}.mkv").write_bytes(str(number).encode())

    def life(self, point: Point, *, armed: bool = False) -> ProducerProcess:
        """A producer that will be killed at the point; `armed`: once the file of that name is there."""
        hit = 1 if point == "after_claim" else self.draw.randint(1, 6)
        self.armed.unlink(missing_ok=True)
        return ProducerProcess(
            self.kafka, self.settings, self.folder / "state", (point, hit), armed=self.armed if armed else None
        )

    @property
    def armed(self) -> Path:
        """While this file exists, reaching the point counts."""
        return self.folder / "armed"

    def dies(self, process: ProducerProcess, point: Point) -> None:
        """Work until it is killed; its log must have no hole, and repeated records must have the same bytes."""
        try:
            for _ in range(100_000):
                if process.died is not None:
                    break
                self.work()
        finally:
            process.kill()
        assert process.died == -9, (point, process.log.read_text()[-2_000:])
        self.log.read_on()
        assert self.log.view.faults == []

    def wrong(self) -> list[str]:
        """Differences between the log and the disk."""
        self.log.read_on()
        return self.log.view.faults + differences(self.log.view.tree("films"), walk(self.root))

    def converges(self) -> None:
        """The next life makes up for everything; then its index equals the log, and its outbox is empty."""
        with producing(self.kafka, self.settings, self.folder / "state") as process:
            with suppress(TimeoutError):
                wait_until(self._is_recorded, 30, what="the log to have the tree", every=0.1)
            assert self.wrong() == []
            assert process.terminate() == 0
        database = Database(self.state)
        known = {os.fsencode(entry.path) for entry in Index(database).below("")}
        database.close()
        assert known == set(self.log.view.tree("films"))

    def _is_recorded(self) -> bool:
        return _count(self.state, "outbox") == 0 and not self.wrong()


def in_a_baseline(victim: Victim, points: list[Point]) -> None:
    """Nothing was ever recorded of the root."""
    victim.fill(FILES)
    for point in points:
        victim.dies(victim.life(point), point)


def at_work(victim: Victim, points: list[Point]) -> None:
    """Everything is known, and changes happen."""
    victim.converges()
    for point in points:
        process = victim.life(point, armed=True)
        victim.armed.touch()
        victim.dies(process, point)


def in_a_rescan(victim: Victim, points: list[Point]) -> None:
    """Much has changed while no producer was running."""
    victim.fill(FILES)
    victim.converges()
    for point in points:
        directories = [path for path in victim.root.iterdir() if path.name.startswith("filled")]
        directories[0].rename(victim.root / f"filled again {next(victim.number)}")
        victim.fill(FILES // 2)
        victim.dies(victim.life(point), point)


def while_a_gap_is_closed(victim: Victim, points: list[Point]) -> None:
    """The log could not be reached until the outbox was full, and can be reached again."""
    victim.converges()
    for point in points:
        process = victim.life(point, armed=True)
        process.signal(cutting.CUT)
        victim.fill(OUTBOX_LIMIT // 2)
        wait_until(lambda: _count(victim.state, "gap") > 0, 20, what="the outbox to be full")
        victim.fill(10)
        victim.armed.touch()
        process.signal(cutting.MEND)
        victim.dies(process, point)
        victim.converges()


def when_the_root_is_handed_over(victim: Victim, points: list[Point]) -> None:
    """Another producer has had the root in between: the stored state is no longer valid."""
    victim.fill(FILES // 3)
    victim.converges()
    for point in points:
        with producing(victim.kafka, victim.settings, victim.folder / "other") as other:
            before = victim.log.view.roots["films"].epoch
            victim.work()
            wait_until(partial(_has_started_over, victim, before), 30, what="the other producer to have the root")
            assert other.terminate() == 0
        victim.dies(victim.life(point), point)
        victim.converges()


def _has_started_over(victim: Victim, before: str) -> bool:
    return not victim.wrong() and victim.log.view.roots["films"].epoch != before


def _count(state: Path, table: str) -> int:
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
    return found


WHERE: dict[Callable[[Victim, list[Point]], None], tuple[Point, ...]] = {
    in_a_baseline: ("before_commit", "after_ack", "after_send"),
    at_work: ("after_journal_commit", "before_send", "after_claim", "after_outbox_delete"),
    in_a_rescan: ("after_commit", "after_outbox_delete"),
    while_a_gap_is_closed: ("after_commit",),
    when_the_root_is_handed_over: ("before_commit",),
}
"""Its activity, and the points that are tried in every run; together they are all points."""


def test_every_point_is_tried() -> None:
    assert {point for points in WHERE.values() for point in points} == set(POINTS)


@pytest.mark.timeout(120 + 600 * ROUNDS)
@pytest.mark.parametrize("doing", WHERE, ids=lambda doing: doing.__name__)
def test_killed_at_a_point_nothing_is_lost_and_what_is_sent_again_is_the_same(
    doing: Callable[[Victim, list[Point]], None], kafka: Kafka, tmp_path: Path
) -> None:
    (tmp_path / "films").mkdir()
    log = ChangeLog(kafka.settings.bootstrap_servers or "", kafka.name(RAW), lane_of("home", kafka.lanes))
    victim = Victim(kafka, tmp_path, log, random.Random(f"{doing.__name__} {ROUNDS}"))
    try:
        doing(victim, [*POINTS] * ROUNDS or list(WHERE[doing]))
        victim.converges()
    finally:
        log.close()
