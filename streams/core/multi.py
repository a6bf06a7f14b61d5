"""A map with mostly one value per key: the value itself, or a list of several in the order of arrival.

Half the memory of a list per key, where nearly every file has an inode of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Multi(dict[object, "T | list[T]"]):
    """Values are compared by identity (`is`), not by content. Use only the methods defined here, not those of dict."""

    def __init__(self) -> None:
        super().__init__()
        self._several: dict[object, None] = {}

    def put(self, key: object, value: T) -> None:
        """Add one value."""
        there = self.get(key)
        if there is None:
            self[key] = value
        elif isinstance(there, list):
            there.append(value)
        else:
            self[key] = [there, value]
            self._several[key] = None

    def drop(self, key: object, value: T) -> None:
        """Remove one value, if it is there."""
        there = self.get(key)
        if there is value:
            del self[key]
        elif isinstance(there, list) and value in there:
            there.remove(value)
            if len(there) == 1:
                self[key] = there[0]
                del self._several[key]

    def all(self, key: object) -> Iterable[T]:
        """All values of a key."""
        there = self.get(key)
        if there is None:
            return ()
        return tuple(there) if isinstance(there, list) else (there,)

    def count(self, key: object) -> int:
        """How many values a key has."""
        there = self.get(key)
        return 0 if there is None else len(there) if isinstance(there, list) else 1

    def each(self) -> Iterator[T]:
        """All values of all keys."""
        for there in self.values():
            if isinstance(there, list):
                yield from there
            else:
                yield there

    def several(self) -> Iterator[tuple[object, list[T]]]:
        """The keys that have more than one value, with these in their order."""
        for key in self._several:
            there = self[key]
            assert isinstance(there, list)
            yield key, there
