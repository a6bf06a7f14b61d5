"""Which deadline comes first: one heap for a lane; equal deadlines in the order in which they were set.

A subject has at most one deadline. Moving it later is cheap (the heap is corrected when its head is read); it is
removed by setting `deadline` to None. The heap is derived: it can be built again from the subjects.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar


class Subject(Protocol):
    """What can be due: `deadline` in lane time (None: never), `order` is the heap's own."""

    deadline: int | None
    order: int


S = TypeVar("S", bound=Subject)


class Deadlines(Generic[S]):
    """A heap of (deadline, order, subject); an entry is valid only while its order is the subject's. `last_order`: the
    last order assigned."""

    __slots__ = ("_heap", "last_order")

    def __init__(self, subjects: Iterable[S] = (), last_order: int = 0) -> None:
        self._heap = [(s.deadline, s.order, s) for s in subjects if s.deadline is not None]
        heapq.heapify(self._heap)
        self.last_order = last_order

    def __len__(self) -> int:
        return len(self._heap)

    def __contains__(self, subject: S) -> bool:
        return any(s is subject and s.order == order for _at, order, s in self._heap)

    def set(self, subject: S, at: int) -> None:
        """Make the subject due at lane time `at`; replaces its deadline."""
        self.last_order += 1
        subject.deadline = at
        subject.order = self.last_order
        heapq.heappush(self._heap, (at, self.last_order, subject))

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
        """The subject that is due at `next_at`, which must be called before; its `deadline` is when it was due."""
        return heapq.heappop(self._heap)[2]
