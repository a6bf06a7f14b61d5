"""A lane starts from its newest snapshot that can be used, and nothing but time is lost where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from structlog.testing import capture_logs

from runtime.epochs import read_epochs
from runtime.kafka import Kafka
from schemas.admin import SnapshotManifest
from schemas.codec import Codec, encode
from schemas.lanes import lane_of
from schemas.topics import CHANGES, RAW, SNAPSHOTS
from streams.library import snapshots
from streams.library.errors import LogTruncated
from streams.library.lane import LaneWorker
from streams.library.positions import Positions
from streams.library.service import GROUP
from streams.library.snapshots import Snapshots
from streams.library.ticks import Ticker
from streams.library.writer import LaneWriter
from tests.support.committed import Read, read_all
from tests.support.fold_run import Feeder, refolded, verdict

LIBRARY = "home"
EVERY = 200
"""Records after which a snapshot is due here."""
_manifests: Codec[SnapshotManifest] = Codec(SnapshotManifest)


@dataclass
class Line:
    """A lane of this test, and what is said of it."""

    kafka: Kafka
    feeder: Feeder
    said: list[Any] = field(default_factory=list)

    @property
    def lane(self) -> int:
        return lane_of(LIBRARY, self.kafka.lanes)

    @property
    def bootstrap(self) -> str:
        return self.kafka.settings.bootstrap_servers or ""

    def read(self, topic: Any) -> list[Read]:
        return read_all(self.bootstrap, self.kafka.name(topic), self.lane)

    def manifests(self) -> list[SnapshotManifest]:
        """Oldest first."""
        found = [read for read in self.read(SNAPSHOTS) if read.key is not None and read.key.endswith(b"manifest")]
        return [_manifests.decode(read.value) for read in found]

    def feed(self, changes: int) -> None:
        asyncio.run(self.feeder.run(changes))

    def live(self, *, from_log: bool = False) -> dict[str, Any]:
        """Own the lane until it has committed all that is there; how it began."""
        with capture_logs() as self.said:
            asyncio.run(self._live(from_log=from_log))
        (live,) = (one for one in self.said if one["event"] == "lane live")
        return dict(live)

    async def _live(self, *, from_log: bool) -> None:
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
            ticker=Ticker(self.kafka, ticks), from_log=from_log,
        )  # fmt: skip
        try:
            running = asyncio.create_task(lane.run())
            end = (await consumer.end_offsets([partition]))[partition]
            for _ in range(1_500):
                if running.done() or (lane.committed_offset >= end and at_rest(lane)):
                    break
                await asyncio.sleep(0.02)
            lane.ask_to_stop()
            await running
        finally:
            for client in clients:
                await client.stop()

    def passed_over(self) -> list[str]:
        return [str(one["reason"]) for one in self.said if one["event"] == "a snapshot is passed over"]

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
    if lane.progress.state != "live":
        return False
    left = lane._left()
    return (left is None or left > 60_000) and lane._saving is None


@pytest.fixture
def line(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> Line:
    """A lane with two snapshots and some records after them."""
    monkeypatch.setattr(snapshots, "FEWEST_RECORDS", EVERY)
    monkeypatch.setattr(snapshots, "CHUNK_BYTES", 4_000)
    line = Line(kafka, Feeder(kafka, seed=3, libraries=(LIBRARY,)))
    for _ in range(2):
        line.feed(300)
        line.live()
    assert [manifest.slot for manifest in line.manifests()] == [1, 0]
    assert all(manifest.chunks > 2 for manifest in line.manifests())
    line.feed(50)
    return line


def test_it_starts_from_the_newest_and_goes_on_as_if_it_had_folded_all(line: Line) -> None:
    newest = line.manifests()[-1]
    assert line.live()["since"] == newest.next_offset > 300
    assert line.passed_over() == []
    assert verdict(line.kafka, line.bootstrap) > 300


def test_a_snapshot_follows_its_predecessors_in_turns_over_restarts(line: Line) -> None:
    for _ in range(3):
        line.feed(300)
        line.live()
    assert [manifest.slot for manifest in line.manifests()][-5:] == [1, 0, 1, 0, 1]


@dataclass(frozen=True)
class Wrong:
    """What stands in the log as the newest snapshot, and what is said of it."""

    change: Callable[[SnapshotManifest], SnapshotManifest]
    said: str


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong(lambda m: msgspec.structs.replace(m, checksum="0" * 32), "are not those of its manifest"),
        Wrong(lambda m: msgspec.structs.replace(m, chunks=m.chunks + 1), "are not those of its manifest"),
        Wrong(lambda m: msgspec.structs.replace(m, slot=1 - m.slot), "0 chunks with checksum"),
        Wrong(lambda m: msgspec.structs.replace(m, begin=m.begin + 1), "is missing"),
        Wrong(lambda m: msgspec.structs.replace(m, lane=m.lane + 1), "of another lane or log"),
        Wrong(lambda m: msgspec.structs.replace(m, epoch="another"), "of another lane or log"),
        Wrong(lambda m: msgspec.structs.replace(m, format=99), "format 99"),
        Wrong(lambda m: msgspec.structs.replace(m, rules="unknown"), "rules 1 (unknown)"),
        Wrong(lambda m: msgspec.structs.replace(m, next_offset=10**6), "and the position is"),
        Wrong(
            lambda m: msgspec.structs.replace(m, next_offset=m.next_offset - 20), "are not those of its manifest"
        ),
    ],
    ids=lambda wrong: wrong.said.replace(" ", "_"),
)
def test_one_that_cannot_be_used_is_passed_over_with_one_line(line: Line, wrong: Wrong) -> None:
    last = line.manifests()[-1]
    line.write((b"%d/manifest" % last.slot, encode(wrong.change(last))))
    assert line.live()["since"] == last.next_offset
    assert len(line.passed_over()) == 1
    assert wrong.said in line.passed_over()[0]
    assert verdict(line.kafka, line.bootstrap) > 300


def test_what_is_no_manifest_and_chunks_without_one_are_passed_over(line: Line) -> None:
    last = line.manifests()[-1]
    line.write((b"0/manifest", b"{"), (b"1/0", b"half"), (b"1/manifest", None), (b"?", b"\xff"))
    assert line.live()["since"] == last.next_offset
    assert len(line.passed_over()) == 1


def test_flipped_bits_of_a_chunk_are_noticed_and_the_former_one_is_used(line: Line) -> None:
    last = line.manifests()[-1]
    key = b"%d/" % last.slot
    chunks = [read for read in line.read(SNAPSHOTS) if read.key and read.key.startswith(key)][: last.chunks]
    values = [bytearray(read.value or b"") for read in chunks]
    values[1][100] ^= 4
    begin = line.read(SNAPSHOTS)[-1].offset + 1
    line.write(*((read.key or b"", bytes(value)) for read, value in zip(chunks, values, strict=True)))
    begin = next(read.offset for read in line.read(SNAPSHOTS) if read.offset >= begin)
    line.write((key + b"manifest", encode(msgspec.structs.replace(last, begin=begin))))
    line.write((key + b"manifest", encode(msgspec.structs.replace(last, begin=begin, checksum="x"))))
    assert line.live()["since"] == last.next_offset
    assert len(line.passed_over()) == 2


def test_the_change_log_may_be_shortened_as_far_as_a_snapshot_covers(line: Line) -> None:
    first, last = line.manifests()
    log = line.read(RAW)
    line.truncate(first.next_offset)
    assert line.live()["since"] == last.next_offset
    line.feed(20)
    assert line.live(from_log=True)["since"] == first.next_offset
    log += [read for read in line.read(RAW) if read.offset > log[-1].offset]
    wanted = [value for topic, _, _, value, _ in refolded(log, line.lane) if topic == CHANGES.name]
    assert [read.value for read in line.read(CHANGES)] == wanted

    line.feed(3)
    beyond = line.manifests()[-1].next_offset + 1
    line.truncate(beyond)
    with pytest.raises(LogTruncated, match=f"begins at {beyond}, and no snapshot covers"):
        line.live()


def test_a_lane_whose_group_was_reset_makes_its_state_from_the_log(line: Line) -> None:
    assert line.live(from_log=True)["since"] == 0
    assert verdict(line.kafka, line.bootstrap) > 300
