"""Pages of a channel's past, from memory where possible and else from the log: limited in bytes, in time, and in what is
scanned for viewers who see little of it. Keeps nothing between two pages: the cursor has everything.
"""

from __future__ import annotations

import asyncio
import time

from gateway.core.memory import ChannelPartition, MemoryView
from gateway.core.page import Page, Source, encoded
from gateway.core.resolve import End, Resolved, subscribed
from gateway.core.view import view_of
from gateway.log.finding import Finding, Wanted
from gateway.log.reader import LogReader, LogUnavailable

AT_ONCE = 8
"""Pages that a gateway makes at once; others wait."""
WAIT_SECONDS = 5.0
SECONDS = 5.0
"""A page ends after this time with what it has."""
READ_BYTES = 524_288
MAX_SCANNED_BYTES = 32 * 1_048_576


class Pages:
    """Makes pages, a few at once."""

    def __init__(self, memory: MemoryView, log_reader: LogReader, finding: Finding) -> None:
        self._memory = memory
        self._log = log_reader
        self._finding = finding
        self._free = asyncio.Semaphore(AT_ONCE)

    async def page(self, wanted: Wanted, limit: int) -> bytes:
        """One page as JSON, of at most `limit` events. Raises BadOption, LogUnavailable."""
        try:
            await asyncio.wait_for(self._free.acquire(), WAIT_SECONDS)
        except TimeoutError as error:
            raise LogUnavailable("too many pages at once") from error
        try:
            while True:
                epoch = self._memory.epoch(wanted.channel)
                answer = await self._page(wanted, limit)
                if epoch == self._memory.epoch(wanted.channel):  # else the page may be of two topics
                    return answer
        finally:
            self._free.release()

    async def _page(self, wanted: Wanted, limit: int) -> bytes:
        name, viewer = wanted.channel, wanted.viewer
        resolved, end = await self._finding.find(wanted)
        start = subscribed(self._memory, name, resolved)
        view = view_of(viewer.rights, viewer.role_id, wanted.filter)
        page = Page(self._sources(name, resolved, end), view, viewer, limit)
        deadline, scanned = time.monotonic() + SECONDS, 0
        page.fill()
        while wants := page.wanted():
            if scanned >= MAX_SCANNED_BYTES or not await self._read(name, page, wants, deadline):
                break
            scanned += sum(len(r[2]) for p in wants for r in page.sources[p].records)
            page.fill()
        return encoded(page, start, self._memory.cursor(name, page.next_offsets))

    def _sources(self, name: str, resolved: Resolved, end: End) -> dict[int, Source]:
        """Up to where this gateway has read, unless an earlier end is requested."""
        ends = self._memory.heads(name) if end.until is None else end.until
        return {p: Source(start, max(start, ends.get(p, start))) for p, start in resolved.start.items()}

    async def _read(self, name: str, page: Page, wants: list[int], deadline: float) -> bool:
        """Read these partitions on; False if the time is over. Raises LogUnavailable if the page would be empty."""
        before = page.next_offsets
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await asyncio.gather(*(self._supply(ChannelPartition(name, p), page.sources[p]) for p in wants))
        except (TimeoutError, LogUnavailable) as error:
            if page.events or page.gaps or page.next_offsets != before:
                return False
            raise LogUnavailable(str(error) or "not in time") from error
        return True

    async def _supply(self, place: ChannelPartition, source: Source) -> None:
        held = self._memory.run(place, source.next, READ_BYTES)
        if held is not None and held.end > source.next:
            source.supply(held.records, held.end)
            return
        stretch = await self._log.read(place, source.next)
        source.supply(*stretch.records(source.next))
