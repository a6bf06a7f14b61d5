"""A walk over all connections that never holds up the event loop, however many there are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

SLICE = 50
"""So many in one step of the event loop: half a millisecond, or one where all of them are due a ping. Live events wait for
no more."""

T = TypeVar("T")


async def in_slices(everything: Iterable[T]) -> AsyncIterator[T]:
    """All that is there now, one after the other; what has gone meanwhile comes too."""
    for i, one in enumerate(list(everything)):
        yield one
        if i % SLICE == SLICE - 1:
            await asyncio.sleep(0)
