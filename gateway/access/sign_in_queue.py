"""Scheduling of costly work: a queue for each address, and the queues are served in turn, so that a flood from one address
delays only that address. If all are full, the longest queue loses its newest."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.errors import GatewayError


class TooManySignIns(GatewayError):
    """So many passwords wait to be checked that this one is not; try again later."""

    retryable = True


class SignInQueue:
    """`at_once` run at the same time, at most `waiting` others wait. Belongs to one event loop."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = at_once
        self._room = waiting
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def of(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn, and use it. Raises TooManySignIns."""
        await self._wait(address)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, address: str) -> None:
        if self._free:
            self._free -= 1
            return
        if not self._room:
            self._make_room(address)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(address, deque()).append(place)
        self._room -= 1
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                if place in self._lines.get(address, ()):
                    self._lines[address].remove(place)
                    self._left(address)
            elif place.exception() is None:  # else it lost its place in the same moment: nothing to pass on
                self._pass_on()  # its turn came in the same moment
            raise

    def _make_room(self, address: str) -> None:
        longest = max(self._lines, key=lambda other: len(self._lines[other]))
        if len(self._lines[longest]) <= len(self._lines.get(address, ())) + 1:
            raise TooManySignIns
        self._lines[longest].pop().set_exception(TooManySignIns())
        self._left(longest)

    def _pass_on(self) -> None:
        while self._lines:
            address = next(iter(self._lines))
            place = self._lines[address].popleft()
            self._lines.move_to_end(address)
            self._left(address)
            if not place.done():
                place.set_result(None)
                return
        self._free += 1

    def _left(self, address: str) -> None:
        self._room += 1
        if not self._lines[address]:
            del self._lines[address]
