"""One record that means more than a transaction holds: a directory has moved with thousands of files below it, and the
tick that follows says that it stays there.

Its outputs are committed in several transactions, and a position in the middle of the record says how many. Killed
or stopped between them, the next owner goes on where the last one stood.
"""

from __future__ import annotations

import asyncio
import signal
from itertools import pairwise
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from runtime.kafka import Kafka
from schemas import raw, topics
from schemas.admin import Position
from schemas.codec import Codec, encode
from schemas.headers import raw_headers
from schemas.lanes import lane_of
from schemas.raw import FileState, RawRecord
from schemas.topics import RAW
from streams.library.lane import MAX_OUTPUTS
from tests.support.committed import read_all
from tests.support.fold_run import Workers, drained, verdict
from tests.support.lane import IDENTITY, a_file
from tests.support.waiting import wait_until

LIBRARY = "home"
FILES = 9_000
OUTPUTS_PER_MOVE = 4
"""A change, a media update, a state, and the open job, which is requested again."""
POINTS = ("before_send", "after_send", "before_commit", "after_commit")

_position: Codec[Position] = Codec(Position)


class Tree:
    """Writes a directory's life."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._seq = 0

    async def appears(self) -> None:
        """A root, and all files of a directory."""
        async with self._kafka.producer() as producer:
            declared = raw.RootDeclared(
                **self._head(), library=LIBRARY, site="main", protocol="local", location="/m", identity=IDENTITY,
                debounce_ms=50, max_hold_ms=1_000, rename_window_ms=50,
            )  # fmt: skip
            await self._put(producer, "root_declared", declared)
            for i in range(FILES):
                file = a_file(100 + i, 1_000 + i)
                record = raw.Observed(**self._head(), path=f"all/film {i:05d}.mkv", file=file, origin="live")
                await self._put(producer, "observed", record)

    async def moves(self) -> None:
        """One record for the whole."""
        async with self._kafka.producer() as producer:
            file = FileState("dir", 0, 1, 2049, 1)
            record = raw.Moved(**self._head(), path="else", from_path="all", file=file, origin="live")
            await self._put(producer, "moved", record)

    def _head(self) -> dict[str, Any]:
        self._seq += 1
        return {"root": "films", "epoch": "e1", "seq": self._seq, "observed_at": "2026-01-01T00:00:00Z"}

    async def _put(self, producer: AIOKafkaProducer, kind: str, record: RawRecord) -> None:
        lane = lane_of(LIBRARY, self._kafka.lanes)
        topic, headers = self._kafka.name(RAW), raw_headers(kind)
        await producer.send(topic, encode(record), key=LIBRARY.encode(), partition=lane, headers=headers)


def positions(kafka: Kafka, bootstrap: str) -> list[Position]:
    lane = lane_of(LIBRARY, kafka.lanes)
    return [_position.decode(read.value) for read in read_all(bootstrap, kafka.name(topics.POSITIONS), lane)]


def test_killed_in_the_middle_of_its_transactions_nothing_is_lost_or_twice(
    kafka: Kafka, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNAPSHOT_EVERY", "1000000")  # the record's own transactions are counted
    bootstrap = kafka.settings.bootstrap_servers or ""
    tree = Tree(kafka)
    first = workers("a")
    asyncio.run(tree.appears())
    drained(kafka, bootstrap, [first])
    assert first.end() == 0
    told_at = positions(kafka, bootstrap)[-1].next_offset + 1  # the tick by which the directory has been quiet
    asyncio.run(tree.moves())
    stood = [0]
    for point in POINTS:
        worker = workers("a", point, 2)
        wait_until(lambda worker=worker: worker.died is not None, 90, what=f"a kill at {point}")  # type: ignore[misc]
        assert (worker.died, worker.hit) == (-9, True), f"{point} was not reached"
        last = positions(kafka, bootstrap)[-1]
        assert last.next_offset == told_at
        stood.append(last.written)
    assert all(after > before for before, after in pairwise(stood)), f"each life goes on: {stood}"
    stopped = workers("a", "after_commit", 1, signal.SIGTERM)
    wait_until(lambda: stopped.died is not None, 60, what="a stop")
    assert (stopped.died, stopped.hit) == (0, True)
    assert positions(kafka, bootstrap)[-1].written > stood[-1]
    assert positions(kafka, bootstrap)[-1].next_offset == told_at, "it was stopped in the middle"
    monkeypatch.setenv("SNAPSHOT_EVERY", "1")  # one is due as soon as there is nothing else to do
    resumed = workers("a")
    drained(kafka, bootstrap, [resumed])
    assert resumed.end() == 0
    assert verdict(kafka, bootstrap) > 2 * OUTPUTS_PER_MOVE * FILES
    within = [p.written for p in positions(kafka, bootstrap) if p.next_offset == told_at]
    assert max(b - a for a, b in pairwise(within)) < 2 * MAX_OUTPUTS, "a transaction is bounded"
