"""The events of every channel that are in memory: the epoch of each channel's topic, a ring of the newest events per
partition, and a shelf of what was read for replays.

Other packages read it through `MemoryView`; only the hub writes to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.core.about import About, Framed
from gateway.core.ring import Ring
from gateway.core.shelf import Shelf, Stretch
from schemas.cursor import Cursor
from schemas.resuming import Mark

SHELF_BYTES = 33_554_432
"""Memory for what was read for replays, for the whole process."""


class ChannelPartition(NamedTuple):
    """A partition of a channel's topic."""

    channel: str
    partition: int


@dataclass(frozen=True, slots=True)
class TailBatch:
    """What the tail read of one partition, in order, and its position after that."""

    place: ChannelPartition
    records: Sequence[Framed]
    hi: int


class Fresh(NamedTuple):
    """The new events of a channel: payloads, and what each is about."""

    payloads: list[bytes]
    abouts: list[About | None]


@dataclass(frozen=True, slots=True)
class Run:
    """What memory has of a partition from an offset on, in order; `end` is the next offset after it."""

    records: list[Framed]
    end: int


class MemoryView(Protocol):
    """This process's positions in the channels' topics."""

    def head(self, place: ChannelPartition) -> int:
        """The position of the reader of one partition."""

    def heads(self, channel: str) -> dict[int, int]:
        """The reader's position per partition; empty for a channel without a topic."""

    def floors(self, channel: str) -> dict[int, int]:
        """Per partition the lowest offset in memory."""

    def mark(self, channel: str) -> Mark:
        """The readers' positions; the same object until they advance."""

    def epoch(self, channel: str) -> str:
        """The epoch of the channel's topic; empty for a channel without one."""

    def newest(
        self, place: ChannelPartition, count: int, shows: Callable[[About | None], bool]
    ) -> list[tuple[int, int]]:
        """(append time, offset) of the `count` newest events in memory that are shown, oldest first; fewer if memory has
        fewer."""

    def run(self, place: ChannelPartition, start: int, budget: int) -> Run | None:
        """What memory has from `start`, at most `budget` bytes but at least one event; None if that has been evicted."""

    def cursor(self, channel: str, next_offsets: dict[int, int]) -> str:
        """`next_offsets` as a cursor of the channel."""


class Rings:
    """All rings of the process."""

    def __init__(self, ring_bytes: int, shelf_bytes: int = SHELF_BYTES) -> None:
        """`ring_bytes`: limit of each partition's ring; `shelf_bytes`: of the shelf."""
        self.rings: dict[ChannelPartition, Ring] = {}
        self._shelf = Shelf(shelf_bytes)
        self._epochs: dict[str, str] = {}
        self._partitions: dict[str, list[int]] = {}
        self._marks: dict[str, Mark] = {}
        self._ring_bytes = ring_bytes

    @property
    def size(self) -> int:
        """Bytes of the payloads in memory."""
        return sum(ring.size for ring in self.rings.values())

    @property
    def shelved(self) -> int:
        """Bytes kept of what was read for replays, approximately."""
        return self._shelf.cost

    def open(self, channel: str, epoch: str, starts: Mapping[int, int]) -> None:
        """Begin to follow a channel's topic: per partition the offset at which its reader starts."""
        for partition in self._partitions.get(channel, ()):
            del self.rings[ChannelPartition(channel, partition)]
        self._shelf.drop(channel)
        self._epochs[channel] = epoch
        self._partitions[channel] = []
        self.extend(channel, starts)

    def extend(self, channel: str, starts: Mapping[int, int]) -> None:
        """The channel's topic has these partitions too."""
        self._marks.pop(channel, None)
        self._partitions[channel] = sorted({*self._partitions[channel], *starts})
        for partition, start in starts.items():
            self.rings[ChannelPartition(channel, partition)] = Ring(start, self._ring_bytes)

    def take(self, batches: Iterable[TailBatch]) -> dict[str, Fresh]:
        """Keep what was read; returns the new events, by channel."""
        fresh: dict[str, Fresh] = {}
        for batch in batches:
            ring = self.rings[batch.place]
            new = [record for record in batch.records if record[0] >= ring.hi]
            if new:
                of_channel = fresh.setdefault(batch.place.channel, Fresh([], []))
                for offset, at, payload, about in new:
                    ring.append(offset, at, payload, about)
                    of_channel.payloads.append(payload)
                    of_channel.abouts.append(about)
            self._marks.pop(batch.place.channel, None)
            ring.advance(batch.hi)
        return fresh

    def shelve(self, place: ChannelPartition, stretch: Stretch) -> None:
        """Keep what was read from the log, for a while."""
        self._shelf.put(place, stretch)

    def held(self, place: ChannelPartition, offset: int) -> Ring | Stretch | None:
        """The ring or stretch that has `offset`, or gets it next; None if it must be read from the log."""
        ring = self.rings[place]
        return ring if ring.lo <= offset else self._shelf.find(place, offset)

    def evict(self, older_than: int) -> None:
        """Drop what was appended before `older_than` (ms)."""
        for ring in self.rings.values():
            ring.evict(older_than)

    def head(self, place: ChannelPartition) -> int:
        """See `MemoryView`."""
        return self.rings[place].hi

    def heads(self, channel: str) -> dict[int, int]:
        """See `MemoryView`."""
        return {p: self.rings[ChannelPartition(channel, p)].hi for p in self._partitions.get(channel, ())}

    def mark(self, channel: str) -> Mark:
        """See `MemoryView`."""
        mark = self._marks.get(channel)
        if mark is None:
            mark = self._marks[channel] = Mark(self.epoch(channel), self.heads(channel))
        return mark

    def floors(self, channel: str) -> dict[int, int]:
        """See `MemoryView`."""
        return {p: self.rings[ChannelPartition(channel, p)].lo for p in self._partitions.get(channel, ())}

    def epoch(self, channel: str) -> str:
        """See `MemoryView`."""
        return self._epochs.get(channel, "")

    def newest(
        self, place: ChannelPartition, count: int, shows: Callable[[About | None], bool]
    ) -> list[tuple[int, int]]:
        """See `MemoryView`."""
        return self.rings[place].newest(count, shows)

    def run(self, place: ChannelPartition, start: int, budget: int) -> Run | None:
        """See `MemoryView`."""
        held = self.held(place, start)
        return None if held is None else Run(*held.records(start, budget))

    def cursor(self, channel: str, next_offsets: dict[int, int]) -> str:
        """See `MemoryView`."""
        return Cursor(channel, self.epoch(channel), len(self._partitions.get(channel, ())), next_offsets).encode()
