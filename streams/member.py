"""A member of a consumer group beside the Faust app: joins at its start, works until it is stopped, leaves if it is to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from aiokafka import AIOKafkaConsumer
from mode import Service

from runtime.kafka import leave_for_good, leave_now, stop_client

STOP_SECONDS = 1.0


class GroupMember(Service):
    """What its work has begun comes again to whoever has the partitions next. `consumer`: from its start on."""

    consumer: AIOKafkaConsumer

    def __init__(self) -> None:
        super().__init__()
        self._working: asyncio.Future[None] | None = None
        self._leaves_at_stop = False

    def work_on(self, work: Coroutine[None, None, None]) -> None:
        """Its work, from now to its stop."""
        self._working = self.add_future(work)

    async def on_stop(self) -> None:
        """End the work, and what it reads with."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working], timeout=STOP_SECONDS)
        if self._leaves_at_stop:
            leave_for_good(self.consumer)
        await stop_client(self.consumer)

    def leave_at_stop(self) -> None:
        """Give the place in the group up with the stop, instead of keeping it until the session is over."""
        self._leaves_at_stop = True

    async def leave(self) -> None:
        """Give the place in the group up."""
        await leave_now(self.consumer)
