"""Whose bytes are read next if there is more to read than time: every client in turn, and a client's connections in turn.
So a client that opens a thousand connections delays only its own.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Waiting items, by client."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[T]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, client: str, item: T) -> None:
        """Queue an item after those of its client; a client without one queues after all others."""
        self._waiting.setdefault(client, deque()).append(item)

    def has(self, client: str) -> bool:
        """True while an item of a client waits."""
        return client in self._waiting

    def take(self, client: str | None = None) -> T:
        """Remove and return the next item, or a client's next. Raises StopIteration, or KeyError, if none waits."""
        if client is None:
            client = next(iter(self._waiting))
        items = self._waiting.pop(client)
        item = items.popleft()
        if items:
            self._waiting[client] = items
        return item
