"""Which directory is looked at when. Pure: it is told the time and what was seen, and never looks itself.

A directory that changed is hot: it is looked at again after a moment, and so are its entries, because writing into a file
changes no directory. When it has been quiet for a while it cools: each interval is twice the one before, up to that of a
cold one, whose entries are not looked at. A new directory in a hot one is hot. All looks together keep within a rate; when
there is more to do than that allows, everything is late by the same time, which is said, and nothing is left out.

What a kernel or a server keeps of a listing may hide a change from whoever is told of it at once; so a directory is told of
twice more: when the change is older than such answers are kept by default, and when it is cold again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

HOT_FOR_SECONDS = 30.0
"""A directory stays hot for so long after its last change: people pause between two files."""

ECHO_SECONDS = 2.5
"""FUSE and SMB clients keep an answer for 1 s by default."""

SHARE = 0.25
"""No directory's entries take more of the rate than this: a larger directory is looked at less often."""

LONGEST_DEBT_SECONDS = 5.0
"""How long a first look at a huge directory, whose size nobody knew, may keep all others waiting."""

PASS_SHARE = 0.25
"""Looks are gathered: passes are at least so much of the hot interval apart."""

WINDOW_SECONDS = 10.0
_SPREAD = 0.618_033_988_749_895
"""The golden ratio's fraction: its multiples lie evenly between 0 and 1, however many there are."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`hot_seconds`: between looks at a directory that changed lately; `cold_seconds`: at any other; `per_second`: looks at
    directories and entries at most."""

    hot_seconds: float
    cold_seconds: float
    per_second: float


@dataclass(eq=False, slots=True)
class Place:
    """A directory. `stamp`, `listing`: what the last looks at it and at its entries saw, None before the first; `size`: how
    many entries there were then; `changed_at`: when it was last seen changed."""

    name: str
    parent: Place | None
    interval: float
    children: dict[str, Place] | None = None
    stamp: int | None = None
    listing: int | None = None
    size: int = 0
    changed_at: float = float("-inf")
    due: float = 0.0
    echoes: int = 2
    is_gone: bool = False

    @property
    def path(self) -> str:
        """Where it is."""
        names: list[str] = []
        at: Place | None = self
        while at is not None and at.parent is not None:
            names.append(at.name)
            at = at.parent
        return "/".join(reversed(names))


@dataclass(slots=True)
class Schedule:
    """Of one root; the root itself is known from the first `add("")` on."""

    pace: Pace
    root: Place | None = None
    known: int = 0
    hot: int = 0
    now: float = float("-inf")
    _due: list[tuple[float, int, Place]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _left: float = 0.0
    _window: tuple[float, int] = (float("-inf"), 0)
    _rate: float = 0.0

    # -- what is known -----------------------------------------------------------------------------------------

    def at(self, path: str) -> Place | None:
        """What is known at a path."""
        place = self.root
        for name in path.split("/") if path else ():
            place = None if place is None or place.children is None else place.children.get(name)
        return place

    def add(self, path: str, stamp: int | None, *, recent: bool) -> None:
        """A directory was found, and looked at just now. `recent`: it says itself that it changed lately. One whose parent
        is not known is not added: its parent's listing is still to come."""
        above, _, name = path.rpartition("/")
        parent = self.at(above) if path else None
        if path and parent is None:
            return
        is_hot = recent or (parent is not None and self._is_hot(parent))
        place = Place(name, parent, self.pace.hot_seconds if is_hot else self.pace.cold_seconds, stamp=stamp)
        if parent is None:
            self.root = place
        elif parent.children is None:
            parent.children = {name: place}
        else:
            parent.children[name] = place
        number = next(self._numbers)
        self.known += 1
        if is_hot:
            self.hot += 1
            place.changed_at = self.now
        self._push(place, self.now + place.interval * (1.0 if is_hot else number * _SPREAD % 1.0))

    def remove(self, place: Place) -> None:
        """It is known no longer, nor what is below it."""
        if place.parent is None:
            self.root = None
        elif place.parent.children is not None:
            del place.parent.children[place.name]
        below = [place]
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

    def take(self) -> Place | None:
        """The next directory that is due and may be looked at in this pass."""
        while self._due and self._left > 0:
            at, _, place = self._due[0]
            if not place.is_gone and at > self.now:
                return None
            heapq.heappop(self._due)
            if not place.is_gone:
                return place
        return None

    def wants_entries(self, place: Place) -> bool:
        """True where its entries are to be looked at though nothing is seen of it from outside."""
        return self._is_hot(place) and place.size / (self.pace.per_second * SHARE) <= self.pace.cold_seconds

    def looked(self, place: Place, cost: int, *, changed: bool) -> bool:
        """It was looked at, by so many looks; returns whether it is to be told of."""
        self._left -= min(cost, self.pace.per_second * LONGEST_DEBT_SECONDS)
        self._count(cost)
        was_hot = self._is_hot(place)
        if changed:
            place.changed_at, place.echoes, place.interval = self.now, 0, self.pace.hot_seconds
        elif self.now - place.changed_at >= HOT_FOR_SECONDS:
            place.interval = min(place.interval * 2, self.pace.cold_seconds)
        self.hot += self._is_hot(place) - was_hot
        at_least = min(self.pace.cold_seconds, place.size / (self.pace.per_second * SHARE))
        self._push(place, self.now + max(place.interval, at_least))
        return changed or self._echoes(place)

    def next_due(self) -> float | None:
        """When there may be something to look at."""
        while self._due and self._due[0][2].is_gone:
            heapq.heappop(self._due)
        if not self._due:
            return None
        paid = self.now + max(0.0, -self._left) / self.pace.per_second
        return max(self._due[0][0], paid, self.now + self.pace.hot_seconds * PASS_SHARE)

    # -- how it goes -------------------------------------------------------------------------------------------

    @property
    def per_second(self) -> float:
        """Looks a second, of late."""
        return self._rate

    @property
    def unseen_seconds(self) -> float:
        """The longest that a directory's change may stay unseen, as things stand."""
        late = self.now - self._due[0][0] if self._due else 0.0
        return self.pace.cold_seconds + self.pace.hot_seconds * PASS_SHARE + max(0.0, late)

    def _is_hot(self, place: Place) -> bool:
        return place.interval < self.pace.cold_seconds

    def _echoes(self, place: Place) -> bool:
        is_due = place.echoes == 0 and self.now - place.changed_at >= ECHO_SECONDS
        if is_due or (place.echoes == 1 and not self._is_hot(place)):
            place.echoes += 1
            return True
        return False

    def _push(self, place: Place, due: float) -> None:
        place.due = due
        heapq.heappush(self._due, (due, next(self._numbers), place))

    def _count(self, looks: int) -> None:
        since, counted = self._window
        if self.now - since >= WINDOW_SECONDS:
            self._rate = counted / (self.now - since) if counted else 0.0
            since, counted = self.now, 0
        self._window = since, counted + looks
