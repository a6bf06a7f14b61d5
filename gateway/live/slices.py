"""Iteration over all connections that never holds up the event loop, however many there are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

SLICE = 50
"""Connections in one step of the event loop: half a millisecond, or one if all of them are due a ping. Live events wait no
longer than that."""

T = TypeVar("T")


async def in_slices(everything: Iterable[T]) -> AsyncIterator[T]:
    """All items of now, one after the other; what has gone meanwhile is included."""
    for i, one in enumerate(list(everything)):
        yield one
        if i % SLICE == SLICE - 1:
            await asyncio.sleep(0)
