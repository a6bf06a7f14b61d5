"""How densely a channel's log is written over time: from the log's own time index for viewers who see all of it, from memory
for the others.

The index counts records of everybody. To viewers of some roots only, it would show when others are busy; for them only the
events in memory that they are shown are counted, as far back as memory reaches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.core.about import About
from gateway.core.density import Density, Halving, Query, edges_of, tallied
from gateway.core.memory import ChannelPartition, MemoryView
from gateway.core.subscriber import Viewer
from gateway.core.view import view_of
from gateway.log.briefly import Briefly
from gateway.log.reader import LogReader, LogUnavailable
from schemas.ids import MAX_SAFE

KEPT_SECONDS = 5.0
SECONDS = 15.0
"""Time limit of one answer."""
LOOKUPS_AT_ONCE = 8
"""Of one answer: other look-ups use the same connection, and brokers answer in order."""


@dataclass(frozen=True, slots=True)
class DensityRequest:
    """`begin`, `end` (ms); None: the oldest event, and now."""

    channel: str
    begin: int | None
    end: int | None
    buckets: int


class Densities:
    """`clock`: milliseconds since 1970."""

    def __init__(self, memory: MemoryView, log_reader: LogReader, clock: Callable[[], int]) -> None:
        self._memory = memory
        self._log = log_reader
        self._clock = clock
        self._answers: Briefly[Density] = Briefly(KEPT_SECONDS)

    async def density(self, request: DensityRequest, viewer: Viewer) -> Density:
        """At most `KEPT_SECONDS` old. Raises LogUnavailable."""
        whole = viewer.rights.all_roots
        key = (request, self._memory.epoch(request.channel), None if whole else viewer)

        async def make() -> Density:
            try:
                async with asyncio.timeout(SECONDS):
                    return await (self._of_log(request) if whole else self._of_memory(request, viewer))
            except TimeoutError as error:
                raise LogUnavailable("the log's time index was not read in time") from error

        return await self._answers.get(key, make)

    async def _of_log(self, request: DensityRequest) -> Density:
        name, now = request.channel, self._clock()
        partitions = tuple(self._memory.heads(name))
        if not partitions:
            return _nothing(request, now)
        within = await self._log.bounds(name, partitions)
        starts: Mapping[int, int] = within.earliest
        if (begin := request.begin) is None:
            oldest = await self._log.firsts(name, partitions, 0)
            begin = min((first.at for first in oldest.values() if first is not None), default=now)
        else:
            starts = await self._offsets(name, partitions, begin, within.end)
        ends: Mapping[int, int] = within.end
        if request.end is not None:
            ends = await self._offsets(name, partitions, request.end, within.end)
        edges = edges_of(begin, now if request.end is None else request.end, request.buckets)
        halving = Halving(len(edges) - 1, starts, ends)
        while queries := halving.queries():
            await self._answer(name, edges, halving, queries)
        return Density(edges, halving.counts(), "log")

    async def _answer(self, name: str, edges: list[int], halving: Halving, queries: list[Query]) -> None:
        for first in range(0, len(queries), LOOKUPS_AT_ONCE):
            some = queries[first : first + LOOKUPS_AT_ONCE]
            found = await asyncio.gather(*(self._log.firsts(name, q.partitions, edges[q.edge]) for q in some))
            for query, answer in zip(some, found, strict=True):
                halving.answer(query, {p: None if one is None else one.offset for p, one in answer.items()})

    async def _offsets(
        self, name: str, partitions: tuple[int, ...], at: int, ends: Mapping[int, int]
    ) -> dict[int, int]:
        found = await self._log.firsts(name, partitions, at)
        return {p: ends[p] if first is None else min(first.offset, ends[p]) for p, first in found.items()}

    async def _of_memory(self, request: DensityRequest, viewer: Viewer) -> Density:
        name, now = request.channel, self._clock()
        view = view_of(viewer.rights, viewer.role_id, None)

        def shows(about: About | None) -> bool:
            return view.shows(about, viewer.user_id)

        floors = self._memory.floors(name)
        oldest = [at for p in floors if (at := self._oldest(ChannelPartition(name, p))) is not None]
        known_from = await self._known_from(name, request.begin, oldest, now)
        begin = max(known_from, min(oldest, default=now)) if request.begin is None else request.begin
        edges = edges_of(begin, now if request.end is None else request.end, request.buckets)
        times: list[int] = []
        for p in floors:
            times += [at for at, _ in self._memory.newest(ChannelPartition(name, p), MAX_SAFE, shows)]
            await asyncio.sleep(0)  # live clients go first
        return Density(edges, tallied(edges, times, known_from), "memory")

    async def _known_from(self, name: str, begin: int | None, oldest: list[int], now: int) -> int:
        """Since when memory has everything: always, since the beginning of the request, or since the oldest event that every
        partition still has, if the log's index confirms that; else from now on."""
        floors = self._memory.floors(name)
        if not any(floors.values()):
            return 0
        for at in (begin, max(oldest, default=None)):
            if at is not None and await self._has_all_since(name, floors, at):
                return at
        return now

    async def _has_all_since(self, name: str, floors: Mapping[int, int], at: int) -> bool:
        found = await self._log.firsts(name, floors, at)
        return all(first is None or first.offset >= floors[p] for p, first in found.items())

    def _oldest(self, place: ChannelPartition) -> int | None:
        run = self._memory.run(place, self._memory.floors(place.channel)[place.partition], 1)
        return run.records[0][1] if run is not None and run.records else None


def _nothing(request: DensityRequest, now: int) -> Density:
    edges = edges_of(
        now if request.begin is None else request.begin,
        now if request.end is None else request.end,
        request.buckets,
    )
    return Density(edges, [0] * (len(edges) - 1), "log")
