"""A short-lived cache of answers that many clients request and that cost the log something: one answer is made for all who
request the same meanwhile, and kept for a few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from gateway.log.reader import LogUnavailable

T = TypeVar("T")
MAX_KEPT = 64
"""Answers; the oldest is dropped first."""


class Briefly(Generic[T]):
    """`seconds`: how long an answer is kept; `at_once`: how many are made at the same time; others wait `wait_seconds`."""

    def __init__(self, seconds: float, at_once: int = 2, wait_seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._wait_seconds = wait_seconds
        self._free = asyncio.Semaphore(at_once)
        self._made: dict[Hashable, tuple[float, asyncio.Task[T]]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The answer for a key. If making it raises, all who wait for it get the error; LogUnavailable if too many are being
        made. A caller that is cancelled meanwhile does not end it for the others."""
        now = time.monotonic()
        kept = self._made.get(key)
        if kept is None or (kept[1].done() and (kept[0] < now or kept[1].cancelled() or kept[1].exception())):
            self._made.pop(key, None)
            while len(self._made) >= MAX_KEPT:
                self._made.pop(next(iter(self._made)))
            task = asyncio.get_running_loop().create_task(self._make(key, make))
            task.add_done_callback(_seen)
            self._made[key] = kept = (float("inf"), task)
        return await asyncio.shield(kept[1])

    def forget(self) -> None:
        """Drop all answers: they are out of date."""
        self._made.clear()

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        try:
            await asyncio.wait_for(self._free.acquire(), self._wait_seconds)
        except TimeoutError as error:
            raise LogUnavailable("too many such requests at once") from error
        try:
            answer = await make()
        finally:
            self._free.release()
        if (kept := self._made.get(key)) is not None and kept[1] is asyncio.current_task():
            self._made[key] = (time.monotonic() + self._seconds, kept[1])
        return answer


def _seen(task: asyncio.Task[T]) -> None:
    """The caller may be gone: prevent the warning that the error was never retrieved."""
    if not task.cancelled():
        task.exception()
