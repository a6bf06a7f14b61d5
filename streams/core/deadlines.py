"""What is due when: one heap for a lane, in deadline order, ties in the order of being set.

A subject has at most one deadline. Moving it later is cheap (the heap is corrected when its head is looked
at); taking it away is setting `deadline` to None.
"""

from __future__ import annotations

import heapq
from typing import Generic, Protocol, TypeVar


class Subject(Protocol):
    """What can be due: `deadline` in lane time (None: never), `order` is the heap's own."""

    deadline: int | None
    order: int


S = TypeVar("S", bound=Subject)


class Deadlines(Generic[S]):
    """A heap of (deadline, order, subject); an entry counts only while its order is the subject's."""

    __slots__ = ("_heap", "_orders")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, S]] = []
        self._orders = 0

    def set(self, subject: S, at: int) -> None:
        """Make the subject due at lane time `at`, instead of whatever stood before."""
        self._orders += 1
        subject.deadline = at
        subject.order = self._orders
        heapq.heappush(self._heap, (at, self._orders, subject))

    @property
    def next_at(self) -> int | None:
        """When the next subject is due; None when nothing is."""
        heap = self._heap
        while heap:
            at, order, subject = heap[0]
            due = subject.deadline
            if due is None or subject.order != order:
                heapq.heappop(heap)
            elif due > at:
                heapq.heapreplace(heap, (due, order, subject))
            else:
                return at
        return None

    def pop(self) -> S:
        """The subject that is due at `next_at`, asked just before; its `deadline` says when that is."""
        return heapq.heappop(self._heap)[2]
