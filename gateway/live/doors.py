"""All connections of the process, and which of them is read next.

What has arrived is read at once while there is time in this step of the event loop, else in turn: every client has its turn
(`core.turns`), and no client has more requests in work than allowed (`core.admission`). What one connection reads and how
it ends is up to its `door`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from gateway import metrics
from gateway.access.refusal_log import RefusalLog
from gateway.core.admission import Admission
from gateway.core.arriving import AllArriving
from gateway.core.life import BEFORE_WORK
from gateway.core.turns import Turns
from gateway.live.door import Door, Inner
from gateway.live.slices import in_slices

READ_BYTES = 16_384
STEP_SECONDS = 0.005
REQUEST_SECONDS = 0.001
"""The time for reading in one step of the event loop; a request or a handshake counts for the time that its answer takes."""

SWEEP_SECONDS = 0.5


@dataclass(slots=True)
class Doors:
    """All connections of the process. `inner` makes the first protocol of a connection; uvicorn passes its own arguments as
    `server`."""

    admission: Admission
    max_header_bytes: int
    stuck_seconds: float
    inner: Callable[..., Inner]
    arriving: AllArriving = field(default_factory=AllArriving)
    open: dict[Door, None] = field(default_factory=dict)
    buffer: memoryview = field(default_factory=lambda: memoryview(bytearray(READ_BYTES)))
    _log: RefusalLog = field(default_factory=lambda: RefusalLog("a connection was ended"))
    _turns: Turns[Door] = field(default_factory=Turns)
    _parked: Turns[Door] = field(default_factory=Turns)
    _spent: float = 0.0
    _stepping: bool = False

    def protocol(self) -> type[asyncio.Protocol]:
        """For uvicorn's `http` setting, which is called like a class, with the server's arguments."""

        def made(**server: Any) -> Door:
            return Door(self, server)

        return cast("type[asyncio.Protocol]", made)

    async def sweep(self) -> None:
        """For ever: end connections that are late, dead or stuck."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            async for door in in_slices(self.open):
                door.sweep(now)

    def came(self, door: Door) -> None:
        """A door has bytes: they are read at once if there is time in this step, else in turn."""
        if not self._turns:
            while self._spent < STEP_SECONDS and door.wanted and self._may_read(door):
                self._read(door)
        if door.wanted:
            self._wait(door)
        self._soon()

    def done(self, client: str) -> None:
        """A request of a client is no longer in work: the next that waits for that has its turn."""
        self.admission.done(client)
        if self._parked.has(client):
            self._turns.add(client, self._parked.take(client))
            self._soon()

    def _may_read(self, door: Door) -> bool:
        return door.life.stage not in BEFORE_WORK or self.admission.may_begin(door.client)

    def _wait(self, door: Door) -> None:
        door.wait()
        (self._turns if self._may_read(door) else self._parked).add(door.client, door)

    def _soon(self) -> None:
        if not self._stepping:
            self._stepping = True
            asyncio.get_running_loop().call_soon(self._step)

    def _read(self, door: Door) -> None:
        began = time.perf_counter()
        if door.read():
            self._spent += REQUEST_SECONDS
        self._spent += time.perf_counter() - began

    def _step(self) -> None:
        self._spent, self._stepping = 0.0, False
        try:
            while self._turns and self._spent < STEP_SECONDS:
                door = self._turns.take()
                if self._may_read(door):
                    self._read(door)
                if door.wanted:
                    self._wait(door)
                else:
                    door.go_on()
        finally:  # an error in one is logged by the event loop; the others have their turns
            if self._turns:
                self._soon()

    def ended(self, why: str, address: str) -> None:
        """A connection was ended for an exceeded limit: count it, and log it once a second and reason."""
        metrics.ENDED.labels(why).inc()
        self._log.refused(why, address=address)
