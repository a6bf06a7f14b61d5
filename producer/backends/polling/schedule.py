"""Which directory is looked at when. Pure: it is given the time and what was seen, and never looks itself.

A directory that changed is hot: it is looked at again after a moment, and so are its entries, because writing into a file
changes no directory. When it has been quiet for a while it cools: each interval is twice the one before, up to that of a
cold one, whose entries are not looked at. A new directory in a hot one is hot. All looks together are limited by a rate;
when there is more to do than that allows, everything is late by the same time, which is reported, and nothing is left out.

A kernel or a server may serve a cached listing, so the change may be missed by a listing that follows it at once. So a
directory is reported twice more: when the change is older than such caches last by default, and when it is cold again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

HOT_FOR_SECONDS = 30.0
"""A directory stays hot for so long after its last change: people pause between two files."""

ECHO_SECONDS = 2.5
"""FUSE and SMB clients cache an answer for 1 s by default."""

SHARE = 0.25
"""No directory's entries take more of the rate than this: a larger directory is looked at less often."""

LONGEST_DEBT_SECONDS = 5.0
"""How long a first look at a huge directory, whose size was not known, may delay all others."""

PASS_SHARE = 0.25
"""Looks are grouped: passes are at least this share of the hot interval apart."""

WINDOW_SECONDS = 10.0
_SPREAD = 0.618_033_988_749_895
"""The golden ratio's fraction: its multiples lie evenly between 0 and 1, however many there are."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`hot_seconds`: between looks at a directory that changed lately; `cold_seconds`: at any other; `per_second`: limit of
    looks at directories and entries."""

    hot_seconds: float
    cold_seconds: float
    per_second: float


@dataclass(eq=False, slots=True)
class Directory:
    """A directory. `stamp`, `listing`: what the last looks at it and at its entries saw, None before the first; `size`: how
    many entries there were then; `changed_at`: when it was last seen changed."""

    name: str
    parent: Directory | None
    interval: float
    children: dict[str, Directory] | None = None
    stamp: int | None = None
    listing: int | None = None
    size: int = 0
    changed_at: float = float("-inf")
    due: float = 0.0
    echoes: int = 2
    is_gone: bool = False

    @property
    def path(self) -> str:
        """Its path."""
        names: list[str] = []
        at: Directory | None = self
        while at is not None and at.parent is not None:
            names.append(at.name)
            at = at.parent
        return "/".join(reversed(names))


@dataclass(slots=True)
class Schedule:
    """The schedule of one root; the root itself is known from the first `add("")` on."""

    pace: Pace
    root: Directory | None = None
    known: int = 0
    hot: int = 0
    now: float = float("-inf")
    _due: list[tuple[float, int, Directory]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _left: float = 0.0
    _window: tuple[float, int] = (float("-inf"), 0)
    _rate: float = 0.0

    # -- what is known -----------------------------------------------------------------------------------------

    def at(self, path: str) -> Directory | None:
        """What is known at a path."""
        directory = self.root
        for name in path.split("/") if path else ():
            directory = None if directory is None or directory.children is None else directory.children.get(name)
        return directory

    def add(self, path: str, stamp: int | None, *, recent: bool) -> None:
        """A directory was found, and looked at just now. `recent`: its own time says that it changed lately. One whose
        parent is not known is not added: its parent's listing is still to come."""
        above, _, name = path.rpartition("/")
        parent = self.at(above) if path else None
        if path and parent is None:
            return
        is_hot = recent or (parent is not None and self._is_hot(parent))
        directory = Directory(
            name, parent, self.pace.hot_seconds if is_hot else self.pace.cold_seconds, stamp=stamp
        )
        if parent is None:
            self.root = directory
        elif parent.children is None:
            parent.children = {name: directory}
        else:
            parent.children[name] = directory
        number = next(self._numbers)
        self.known += 1
        if is_hot:
            self.hot += 1
            directory.changed_at = self.now
        self._push(directory, self.now + directory.interval * (1.0 if is_hot else number * _SPREAD % 1.0))

    def remove(self, directory: Directory) -> None:
        """Remove it, and what is below it."""
        if directory.parent is None:
            self.root = None
        elif directory.parent.children is not None:
            del directory.parent.children[directory.name]
        below = [directory]
        while below:
            inner = below.pop()
            below.extend((inner.children or {}).values())
            self.hot -= self._is_hot(inner)
            self.known -= 1
            inner.is_gone = True

    # -- what is due -------------------------------------------------------------------------------------------

    def begin(self, now: float) -> None:
        """A pass begins."""
        passed, self.now = now - self.now, now
        self._left = min(self.pace.per_second, self._left + passed * self.pace.per_second)

    def take(self) -> Directory | None:
        """The next directory that is due and may be looked at in this pass."""
        while self._due and self._left > 0:
            at, _, directory = self._due[0]
            if not directory.is_gone and at > self.now:
                return None
            heapq.heappop(self._due)
            if not directory.is_gone:
                return directory
        return None

    def needs_entries(self, directory: Directory) -> bool:
        """True where its entries are to be looked at even if the directory itself is unchanged."""
        return (
            self._is_hot(directory) and directory.size / (self.pace.per_second * SHARE) <= self.pace.cold_seconds
        )

    def looked(self, directory: Directory, cost: int, *, changed: bool) -> bool:
        """It was looked at, at this cost in looks; returns whether it is to be reported."""
        self._left -= min(cost, self.pace.per_second * LONGEST_DEBT_SECONDS)
        self._count(cost)
        was_hot = self._is_hot(directory)
        if changed:
            directory.changed_at, directory.echoes, directory.interval = self.now, 0, self.pace.hot_seconds
        elif self.now - directory.changed_at >= HOT_FOR_SECONDS:
            directory.interval = min(directory.interval * 2, self.pace.cold_seconds)
        self.hot += self._is_hot(directory) - was_hot
        at_least = min(self.pace.cold_seconds, directory.size / (self.pace.per_second * SHARE))
        self._push(directory, self.now + max(directory.interval, at_least))
        return changed or self._echoes(directory)

    def next_due(self) -> float | None:
        """When there may be something to look at."""
        while self._due and self._due[0][2].is_gone:
            heapq.heappop(self._due)
        if not self._due:
            return None
        paid = self.now + max(0.0, -self._left) / self.pace.per_second
        return max(self._due[0][0], paid, self.now + self.pace.hot_seconds * PASS_SHARE)

    # -- figures -----------------------------------------------------------------------------------------------

    @property
    def per_second(self) -> float:
        """Looks a second, lately."""
        return self._rate

    @property
    def unseen_seconds(self) -> float:
        """The longest time for which a directory's change may remain unseen at present."""
        late = self.now - self._due[0][0] if self._due else 0.0
        return self.pace.cold_seconds + self.pace.hot_seconds * PASS_SHARE + max(0.0, late)

    def _is_hot(self, directory: Directory) -> bool:
        return directory.interval < self.pace.cold_seconds

    def _echoes(self, directory: Directory) -> bool:
        is_due = directory.echoes == 0 and self.now - directory.changed_at >= ECHO_SECONDS
        if is_due or (directory.echoes == 1 and not self._is_hot(directory)):
            directory.echoes += 1
            return True
        return False

    def _push(self, directory: Directory, due: float) -> None:
        directory.due = due
        heapq.heappush(self._due, (due, next(self._numbers), directory))

    def _count(self, looks: int) -> None:
        since, counted = self._window
        if self.now - since >= WINDOW_SECONDS:
            self._rate = counted / (self.now - since) if counted else 0.0
            since, counted = self.now, 0
        self._window = since, counted + looks
