"""One lane of the library fold in the test's own process: fed, owned for a while, looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from structlog.testing import capture_logs

from runtime.epochs import read_epochs
from runtime.kafka import Kafka
from schemas.admin import Position, SnapshotManifest
from schemas.codec import Codec
from schemas.lanes import lane_of
from schemas.topics import POSITIONS, RAW, SNAPSHOTS
from streams.core.rules import RULES, Rules
from streams.library.lane import LaneWorker
from streams.library.positions import Positions
from streams.library.service import GROUP
from streams.library.snapshots import Snapshots
from streams.library.ticks import Ticker
from streams.library.writer import LaneWriter
from tests.support.committed import Read, read_all
from tests.support.fold_run import Feeder
from tests.support.waiting import wait_until

LIBRARY = "home"
_manifests: Codec[SnapshotManifest] = Codec(SnapshotManifest)
_positions: Codec[Position] = Codec(Position)


@dataclass
class Line:
    """A lane of this test, and its log lines."""

    kafka: Kafka
    feeder: Feeder
    log_lines: list[Any] = field(default_factory=list)

    @property
    def lane(self) -> int:
        """Its number."""
        return lane_of(LIBRARY, self.kafka.lanes)

    @property
    def bootstrap(self) -> str:
        """The broker."""
        return self.kafka.settings.bootstrap_servers or ""

    def read(self, topic: Any) -> list[Read]:
        """The lane's partition of a topic."""
        return read_all(self.bootstrap, self.kafka.name(topic), self.lane)

    def manifests(self) -> list[SnapshotManifest]:
        """Oldest first."""
        found = [read for read in self.read(SNAPSHOTS) if read.key is not None and read.key.endswith(b"manifest")]
        return [_manifests.decode(read.value) for read in found]

    def feed(self, changes: int) -> None:
        """About so many changes are observed."""
        asyncio.run(self.feeder.run(changes))

    def position(self) -> Position:
        """The lane's."""
        return _positions.decode(self.read(POSITIONS)[-1].value)

    def live(self, *, from_log: bool = False, carried: Mapping[int, Rules] = RULES) -> dict[str, Any]:
        """Own the lane until it has committed all that is there; how it began. Raises what ended it."""
        with capture_logs() as self.log_lines:
            committed = asyncio.run(self._live(from_log=from_log, carried=carried))
        # a commit is acknowledged before the brokers have marked it in each partition, and until then it is not read
        wait_until(lambda: self.stands_at >= committed, 10, what="the last commit to be read")
        (live,) = (one for one in self.log_lines if one["event"] == "lane live")
        return dict(live)

    @property
    def stands_at(self) -> int:
        """Of the position that is read; 0 without one."""
        return self.position().next_offset if self.read(POSITIONS) else 0

    async def _live(self, *, from_log: bool, carried: Mapping[int, Rules]) -> int:
        partition = TopicPartition(self.kafka.name(RAW), self.lane)
        positions, kept = Positions(self.kafka), Snapshots(self.kafka)
        consumer, ticks = self.kafka.tail_consumer(), self.kafka.producer(linger_ms=0)
        clients = (positions, kept, consumer, ticks)
        for client in clients:
            await client.start()
        consumer.assign([partition])
        consumer.pause(partition)
        lane = LaneWorker(
            consumer, partition, epoch=(await read_epochs(self.kafka))[RAW.name].epoch,
            writer=LaneWriter(self.kafka, self.lane, self.kafka.group(GROUP)), positions=positions, snapshots=kept,
            ticker=Ticker(self.kafka, ticks), from_log=from_log, carried=carried,
        )  # fmt: skip
        try:
            running = asyncio.create_task(lane.run())
            end = (await consumer.end_offsets([partition]))[partition]
            for _ in range(1_500):
                if running.done() or (lane.committed_offset >= end and at_rest(lane)):
                    break
                await asyncio.sleep(0.02)
            lane.request_stop()
            await running
            return lane.committed_offset
        finally:
            for client in clients:
                await client.stop()

    def passed_over(self) -> list[str]:
        """Why snapshots were, in the last life of the lane."""
        return [str(one["reason"]) for one in self.log_lines if one["event"] == "a snapshot is passed over"]

    def write(self, *records: tuple[bytes, bytes | None]) -> None:
        """Into the lane's partition of the snapshots."""

        async def send() -> None:
            producer = self.kafka.producer()
            await producer.start()
            for key, value in records:
                await producer.send_and_wait(self.kafka.name(SNAPSHOTS), value, key=key, partition=self.lane)
            await producer.stop()

        asyncio.run(send())

    def truncate(self, offset: int) -> None:
        """The change log begins there from now on."""

        async def delete() -> None:
            admin = self.kafka.admin()
            await admin.start()
            await admin.delete_records({TopicPartition(self.kafka.name(RAW), self.lane): RecordsToDelete(offset)})
            await admin.close()

        asyncio.run(delete())


def at_rest(lane: LaneWorker) -> bool:
    """Nothing is due soon, and no snapshot under way."""
    if lane.progress.state != "live":
        return False
    left = lane._left()
    return (left is None or left > 60_000) and lane._saving is None
