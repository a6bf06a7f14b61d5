"""Whose bytes are read next when there is more to read than time: every client in turn, and of a client its connections
in turn. So who opens a thousand connections waits for them alone.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """What waits, by client."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[T]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, client: str, item: T) -> None:
        """It waits behind those of its client; a client that had none, behind all others."""
        self._waiting.setdefault(client, deque()).append(item)

    def has(self, client: str) -> bool:
        """True while something of a client waits."""
        return client in self._waiting

    def take(self, client: str | None = None) -> T:
        """The next, or the next of a client; it waits no more. Raises StopIteration, or KeyError, where none waits."""
        if client is None:
            client = next(iter(self._waiting))
        items = self._waiting.pop(client)
        item = items.popleft()
        if items:
            self._waiting[client] = items
        return item
