"""Finds the start and the end of a client's request in the log: from memory first, and from the log only if memory does not
have the answer.

The same for sockets, streams and pages. Both ends are of the same topic: if it is recreated during the look-up, the look-up
is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

from gateway.core import resolve
from gateway.core.about import About
from gateway.core.memory import ChannelPartition, MemoryView
from gateway.core.resolve import End, Resolved
from gateway.core.starts import OnGap, Resume, Start, Until
from gateway.core.subscriber import NOBODY, Viewer
from gateway.core.view import Filter, view_of
from gateway.log.reader import LogReader
from schemas.places import AtEach, AtTime, Bounds, Earliest, Head, Last, offsets

Clock = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The range of a channel, for whom and which events. `now`: the current offsets for this client, by partition."""

    channel: str
    start: Start
    now: Callable[[], Mapping[int, int]]
    until: Until = None
    on_gap: OnGap = "earliest"
    viewer: Viewer = NOBODY
    filter: Filter | None = None


class Finding:
    """Finds offsets. `clock`: milliseconds since 1970."""

    def __init__(self, memory: MemoryView, log_reader: LogReader, clock: Clock) -> None:
        self._memory = memory
        self._log = log_reader
        self._clock = clock

    async def find(self, wanted: Wanted) -> tuple[Resolved, End]:
        """Both ends. Raises BadOption for offsets that the log does not have, LogUnavailable."""
        name = wanted.channel
        while True:
            epoch, partitions = self._memory.epoch(name), self._partitions(name)
            resolved = await self._start(wanted)
            end = await self._until(wanted, resolved)
            if (epoch, partitions) == (self._memory.epoch(name), self._partitions(name)):
                return resolved, end

    async def _start(self, wanted: Wanted) -> Resolved:
        name = wanted.channel
        match wanted.start:
            case Head():
                return Resolved(wanted.now())
            case AtEach(named) as place:
                return await self._resume(name, named, wanted.on_gap, named=place)
            case Resume(cursor):
                same = cursor.epoch == self._memory.epoch(name)
                return await self._resume(name, cursor.next_offsets, wanted.on_gap, same_epoch=same)
            case Earliest():
                return Resolved((await self._bounds(name)).earliest)
            case AtTime(at):
                since = at if at > self._clock() else None
                return Resolved(await self._log.since(name, self._partitions(name), at), since=since)
            case Last(count):
                return Resolved(await self._newest(wanted, count))
            case _:
                assert_never(wanted.start)

    async def _resume(
        self,
        name: str,
        wanted: Mapping[int, int],
        on_gap: OnGap,
        *,
        same_epoch: bool = True,
        named: AtEach | None = None,
    ) -> Resolved:
        """`named`: the offsets if the client named them itself, and not in a cursor of ours."""
        if same_epoch and resolve.fits(wanted, self._memory.floors(name), self._memory.heads(name)):
            return Resolved(wanted)
        bounds = await self._bounds(name)
        if named is not None:
            resolve.refuse(named, bounds, "from.offsets")
        return resolve.resume(wanted, bounds, on_gap, same_epoch=same_epoch)

    async def _newest(self, wanted: Wanted, count: int) -> dict[int, int]:
        name, viewer = wanted.channel, wanted.viewer
        view = view_of(viewer.rights, viewer.role_id, wanted.filter)

        def shows(about: About | None) -> bool:
            return view.shows(about, viewer.user_id)

        bounds: Bounds[int] | None = None
        tails = {}
        for p, floor in self._memory.floors(name).items():
            tails[p] = self._memory.newest(ChannelPartition(name, p), count, shows)
            if len(tails[p]) < count and floor > 0:
                bounds = bounds or await self._bounds(name)
                if floor > bounds.earliest[p]:
                    tails[p] = await self._log.newest(ChannelPartition(name, p), bounds, count, shows)
        heads = self._memory.heads(name) if bounds is None else bounds.end
        return resolve.newest(tails, heads, count)

    async def _until(self, wanted: Wanted, resolved: Resolved) -> End:
        name = wanted.channel
        match wanted.until:
            case None:
                return End()
            case Head():
                ends: Mapping[int, int] = (await self._bounds(name)).end
            case AtTime(at) if at > self._clock():
                return End(at=at)
            case AtTime(at):
                ends = await self._log.since(name, self._partitions(name), at)
            case AtEach(named):
                here = Bounds(offsets(self._memory.floors(name)), offsets(self._memory.heads(name)))
                resolve.refuse(wanted.until, here, "until.offsets", beyond=False)
                ends = named
            case _:
                assert_never(wanted.until)
        return End({p: ends.get(p, start) for p, start in resolved.start.items()})

    async def _bounds(self, name: str) -> Bounds[int]:
        partitions = self._partitions(name)
        return await self._log.bounds(name, partitions) if partitions else Bounds({}, {})

    def _partitions(self, name: str) -> tuple[int, ...]:
        return tuple(self._memory.heads(name))
