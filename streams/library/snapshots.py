"""Snapshots of a lane's state in the log: written by the lane's own transactions, read where it starts.

In the lane's partition there are chunks, whose keys are the slot and their number, and then a manifest. There are two slots,
used alternately, so that compaction leaves the former snapshot complete while the next one is written. A snapshot that is
incomplete, or of another lane, log or unknown rules, is skipped with one log line: this only costs time.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice

import msgspec
import xxhash
from aiokafka import TopicPartition

from runtime import log
from runtime.kafka import Kafka
from runtime.log_reading import bounds, newest, stretch
from schemas import __version__
from schemas.admin import SnapshotManifest
from schemas.codec import Codec, encode
from schemas.errors import SchemaError
from schemas.log_record import LogRecord
from schemas.places import Offset
from schemas.topics import SNAPSHOTS
from streams.core.rules import Rules
from streams.core.state import State
from streams.core.state_bytes import Restoring, Snapshot
from streams.library.errors import BrokenSnapshot
from streams.library.lookup import Lookup

FORMAT = 1
CHUNK_BYTES = 400_000
CHUNKS_AT_ONCE = 2
"""Chunks per transaction, which takes some 5 ms longer with them."""
FEWEST_RECORDS, MOST_RECORDS = 20_000, 200_000
"""After at least and at most so many records a snapshot is worth writing: folding them again takes half a second and
five seconds."""
SHARE = 5
"""Between these two: after a fifth as many records as there are known paths."""
SLOTS = 2
FETCH_BYTES = 4_194_304
_MANIFEST = b"manifest"

_log = log.get(__name__)
_codec: Codec[SnapshotManifest] = Codec(SnapshotManifest)

Unfit = Callable[["Saved"], bool]
"""Returns true for a snapshot that cannot be used here, and logs why."""


def due_records(known: int) -> int:
    """After how many records a snapshot of so many known paths is worth writing."""
    return min(MOST_RECORDS, max(FEWEST_RECORDS, known // SHARE))


def is_due(records: int, known: int) -> bool:
    """Whether a snapshot is worth writing, so many records after the one before."""
    return records >= due_records(known)


def reason_against(
    manifest: SnapshotManifest, lane: int, epoch: str, first: int, target: int, carried: Mapping[int, Rules]
) -> str | None:
    """Why a snapshot cannot be used by a lane of a log of that epoch, which begins at `first`, for the position
    `target`; None if it can. `carried`: the rules that this program has."""
    if (manifest.lane, manifest.epoch) != (lane, epoch):
        return "it is of another lane or log"
    rules = carried.get(manifest.fold_version)
    if manifest.format != FORMAT or rules is None or rules.digest != manifest.rules:
        made = f"format {manifest.format}, rules {manifest.fold_version} ({manifest.rules})"
        return f"it is of program {manifest.program}, {made}"
    if manifest.next_offset > target:
        return f"it is of {manifest.next_offset}, and the position is {target}"
    if manifest.next_offset < first:
        return f"it is of {manifest.next_offset}, and the log begins at {first}"
    return None


@dataclass(frozen=True, slots=True)
class Saved:
    """A complete snapshot in the log. `offset`: of its manifest."""

    manifest: SnapshotManifest
    offset: Offset


class Saving:
    """A snapshot that is being written: of the state as it is now, before the record at `next_offset`. `slot`: the one
    that the former snapshot does not use. What `take` returns is written in the lane's next transaction, and when that
    is committed `written` is called with the offsets."""

    def __init__(
        self, lane: int, epoch: str, rules: Rules, state: State, *, next_offset: int, slot: int, at: str
    ) -> None:
        self._lane, self._epoch, self._rules, self._at = lane, epoch, rules, at
        self.next_offset = next_offset
        self.slot = slot
        self._snapshot = Snapshot(state)
        self._chunks = _cut(self._snapshot.pieces())
        self._checksum = _checksum(lane, epoch, next_offset, rules.version, rules.digest)
        self._number = 0
        self._size = 0
        self._begin: int | None = None
        self._is_ending = False
        self.is_complete = False

    def take(self) -> list[tuple[bytes, bytes]]:
        """Keys and values of the next records."""
        given = [
            (b"%d/%d" % (self.slot, self._count(chunk)), chunk) for chunk in islice(self._chunks, CHUNKS_AT_ONCE)
        ]
        if given:
            return given
        self._is_ending = True
        return [(b"%d/%s" % (self.slot, _MANIFEST), encode(self._manifest()))]

    def written(self, offsets: Sequence[int]) -> None:
        """What was taken is in the log, at these offsets."""
        if self._begin is None:
            self._begin = offsets[0]
        self.is_complete = self._is_ending

    def close(self) -> None:
        """End the snapshot: it is complete or given up."""
        self._snapshot.close()

    def _count(self, chunk: bytes) -> int:
        self._checksum.update(chunk)
        self._size += len(chunk)
        self._number += 1
        return self._number - 1

    def _manifest(self) -> SnapshotManifest:
        assert self._begin is not None
        return SnapshotManifest(
            lane=self._lane, epoch=self._epoch, next_offset=self.next_offset, fold_version=self._rules.version,
            rules=self._rules.digest, program=__version__, format=FORMAT, slot=self.slot, begin=self._begin,
            chunks=self._number, size=self._size, checksum=self._checksum.hexdigest(), at=self._at,
        )  # fmt: skip


class Snapshots(Lookup):
    """Reads snapshots."""

    def __init__(self, kafka: Kafka) -> None:
        super().__init__(kafka, SNAPSHOTS, max_partition_fetch_bytes=FETCH_BYTES)

    async def newest(self, lane: int, unfit: Unfit) -> Saved | None:
        """The newest usable snapshot of a lane; None if there is none."""
        return await self._find(lane, unfit, 1)

    async def oldest(self, lane: int, unfit: Unfit) -> Saved | None:
        """The oldest usable snapshot of a lane in the log; None if there is none."""
        return await self._find(lane, unfit, SLOTS)

    async def load(self, saved: Saved) -> AsyncGenerator[State | None, None]:
        """Load its state. Yields None whenever other tasks may run, and the state at the end. Raises BrokenSnapshot."""
        manifest, restoring, number = saved.manifest, Restoring(), 0
        checksum = _checksum(
            manifest.lane, manifest.epoch, manifest.next_offset, manifest.fold_version, manifest.rules
        )
        partition = TopicPartition(self._topic, manifest.lane)
        async with self._lock, aclosing(self._chunks(partition, saved)) as chunks:
            async for chunk in chunks:
                if chunk.value is None or chunk.key != b"%d/%d" % (manifest.slot, number):
                    raise BrokenSnapshot(f"chunk {number} is missing")
                number += 1
                checksum.update(chunk.value)
                try:
                    restoring.feed(chunk.value)
                except (msgspec.DecodeError, KeyError, AssertionError) as error:
                    raise BrokenSnapshot(repr(error)) from error
                yield None
        if (number, checksum.hexdigest()) != (manifest.chunks, manifest.checksum):
            raise BrokenSnapshot(
                f"{number} chunks with checksum {checksum.hexdigest()} are not those of its manifest"
            )
        try:
            yield restoring.state()
        except (msgspec.DecodeError, KeyError) as error:
            raise BrokenSnapshot(repr(error)) from error

    async def _chunks(self, partition: TopicPartition, saved: Saved) -> AsyncGenerator[LogRecord, None]:
        """The chunks of the slot, from the first one to the manifest."""
        slot = b"%d/" % saved.manifest.slot
        start = {partition: Offset(saved.manifest.begin)}
        async with aclosing(stretch(self._reader, start, {partition: saved.offset})) as stretches:
            async for records in stretches:
                for record in records:
                    key = record.key or b""
                    if key.startswith(slot) and not key.endswith(_MANIFEST):
                        yield record

    async def _find(self, lane: int, unfit: Unfit, count: int) -> Saved | None:
        partition = TopicPartition(self._topic, lane)
        async with self._lock:
            within = await bounds(self._reader, [partition])
            found: dict[int, Saved] = {}

            def is_fit(record: LogRecord) -> bool:
                saved = found.get(record.offset) or _saved(record)
                if saved is None or unfit(saved):
                    return False
                found[record.offset] = saved
                return True

            records = await newest(self._reader, count, within, is_fit)
        return found[records[0].offset] if records else None


def _checksum(*place: object) -> xxhash.xxh3_128:
    """The checksum of a state's bytes, which includes its place: for the state of another place it differs."""
    return xxhash.xxh3_128(repr(place).encode())


def _saved(record: LogRecord) -> Saved | None:
    if record.key is None or not record.key.endswith(_MANIFEST) or record.value is None:
        return None
    try:
        return Saved(_codec.decode(record.value), Offset(record.offset))
    except SchemaError as error:
        _log.warning("a snapshot is passed over", lane=record.partition, offset=record.offset, reason=str(error))
        return None


def _cut(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, split into chunks."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        while len(rest) >= CHUNK_BYTES:
            yield bytes(rest[:CHUNK_BYTES])
            del rest[:CHUNK_BYTES]
    if rest:
        yield bytes(rest)
