"""Sends one root's outbox to the log: in order, one batch at a time, until each row is acknowledged.

A row leaves the outbox only after its acknowledgement, so a process that ended at any point sends it again, the same bytes
under the same `seq`, and readers drop what they have seen. An unreachable Kafka is not an error: the sender waits."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable

from producer import metrics
from producer.errors import NotAcknowledged
from producer.outbox import Unsent
from producer.ports import Log, Points, no_points
from runtime import log
from runtime.waits import KAFKA, Backoff

BATCH = 2_000
"""Rows that are read and deleted together; about as many as fit into one batch for Kafka (`kafka_log.BATCH_BYTES`)."""

_log = log.get(__name__)


class Sender:
    """The sender of one root. `key`: the library's name in UTF-8; `lane`: its partition. `unavailable`: why the log does not
    accept records at present; `trying_since`: since when (monotonic, s) it has had something to send and no acknowledgement;
    `sent_seq`: the last one acknowledged. While it is not `allowed` nothing is sent; `is_held_back`: it waits to be woken
    when it is."""

    def __init__(
        self, root: str, unsent: Unsent, target: Log, lane: int, key: bytes, *,
        points: Points = no_points, allowed: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self._root = root
        self._unsent = unsent
        self._log = target
        self._lane = lane
        self._key = key
        self._points = points
        self._allowed = allowed
        self.is_held_back = False
        self._wake = asyncio.Event()
        self.unavailable: str | None = None
        self.trying_since: float | None = None
        self.sent_seq = 0

    def wake(self) -> None:
        """There are new rows. To be called on the loop's thread."""
        self._wake.set()

    async def emptied(self) -> None:
        """Wait until the outbox is empty."""
        while await asyncio.to_thread(self._unsent.first, 1):
            self._wake.set()
            await asyncio.sleep(0.02)

    async def run(self) -> None:
        """Send for ever; to be cancelled."""
        backoff = Backoff(KAFKA)
        while True:
            self._wake.clear()
            if not self._allowed():
                self.is_held_back = True
                await self._wake.wait()
                continue
            self.is_held_back = False
            try:
                sent = await self.send_once()
            except (NotAcknowledged, sqlite3.Error) as error:  # sending again is safe: `seq` shows repetitions
                if self.unavailable is None:
                    _log.warning("records cannot be sent, trying again", root=self._root, error=repr(error))
                self.unavailable = str(error)
                await asyncio.sleep(backoff.next_seconds())
                continue
            backoff.reset()
            if self.unavailable is not None:
                _log.info("records can be sent again", root=self._root)
                self.unavailable = None
            if not sent:
                await self._wake.wait()

    async def send_once(self) -> int:
        """Send the oldest rows and delete them when acknowledged; returns how many. Raises NotAcknowledged."""
        rows = await asyncio.to_thread(self._unsent.first, BATCH)
        if not rows:
            self.trying_since = None
            return 0
        if self.trying_since is None:
            self.trying_since = time.monotonic()
        self._points("before_send")
        await self._log.append(self._lane, self._key, rows)
        self._points("after_ack")
        self.trying_since = None
        self.sent_seq = rows[-1].seq
        metrics.SENT.labels(self._root).inc(len(rows))
        await asyncio.to_thread(self._unsent.forget, rows[-1])
        self._points("after_outbox_delete")
        return len(rows)
