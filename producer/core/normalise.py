"""From a batch of events to the least that has to be examined: moves in their order, then paths, then directories to list.

Events only say where to look. A path that was touched before a directory above it moved is examined under its new name.
After all moves both ends of each are examined too, so whatever else happened there is seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from schemas.paths import is_inside

Sign = Literal["appeared", "arrived", "gone", "written", "altered", "closed"]
"""`arrived`: moved in from an unwatched place; `written`: the content changed; `altered`: the attributes did."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Something happened at a path."""

    path: str
    sign: Sign


@dataclass(frozen=True, slots=True)
class MoveEvent:
    """The kernel reports that what was at `source` is at `target` now."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class DirectoryChanged:
    """Something in the directory at `path` changed, it is not known what: its entries are to be compared with the index.
    Reported by a watch that polls, instead of all other events."""

    path: str


Event = Touched | MoveEvent | DirectoryChanged


@dataclass(slots=True)
class Look:
    """How a path is to be examined. `whole`: the content is complete and worth a fingerprint; `altered`: it is if only its
    attributes have changed; `paced`: only writing was seen, so it need not be examined more often than the pace allows;
    `another`: what is there may be new at its place, so that a directory is listed; `brought`: a move brought it there and
    nothing has been seen of it since."""

    whole: bool = False
    altered: bool = False
    paced: bool = True
    another: bool = False
    brought: bool = False

    def add(self, other: Look) -> None:
        """Combine it with another one: it is to be examined in both ways."""
        self.whole = self.whole or other.whole
        self.altered = self.altered or other.altered
        self.paced = self.paced and other.paced
        self.another = self.another or other.another


@dataclass(slots=True)
class Work:
    """The result for a batch of events. `fresh`: numbers of the moves whose source received its content within the batch,
    so that whatever was known there is something else; `directories`: those to be listed, each once."""

    moves: list[MoveEvent] = field(default_factory=list)
    fresh: set[int] = field(default_factory=set)
    looks: dict[str, Look] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)


def normalise(events: Iterable[Event]) -> Work:
    """Coalesce the events. The order of moves is kept, and of first touches."""
    work, looks = Work(), _Looks()
    fresh: set[str] = set()
    directories: dict[str, None] = {}
    for event in events:
        match event:
            case Touched(path, sign):
                if sign in ("appeared", "arrived", "gone"):
                    fresh.add(path)
                looks.touch(path, _look(sign))
            case DirectoryChanged(path):
                directories[path] = None
            case MoveEvent(source, target):
                looks.carry(source, target)
                directories = {_after_move(path, source, target): None for path in directories}
                if source in fresh:
                    work.fresh.add(len(work.moves))
                (fresh.add if source in fresh else fresh.discard)(target)
                fresh.discard(source)
                work.moves.append(event)
    sources = {move.source for move in work.moves}
    for move in work.moves:
        brought = not looks.has(move.target) and move.target not in sources
        looks.touch(move.source, Look(paced=False, another=True))
        looks.touch(move.target, Look(whole=True, paced=False, another=True)).brought = brought
    work.looks, work.directories = looks.in_order(), list(directories)
    return work


def _after_move(path: str, source: str, target: str) -> str:
    return target + path[len(source) :] if is_inside(path, source) else path


class _Looks:
    """Looks by path, in the order of the first touches. A move takes along what was touched at its source or below it, and
    costs nothing where nothing was: a tool that renames each file it writes makes thousands of moves in one batch."""

    def __init__(self) -> None:
        self._order: list[tuple[str, Look] | None] = []
        self._place: dict[str, int] = {}
        self._above: set[str] = set()

    def has(self, path: str) -> bool:
        return path in self._place

    def touch(self, path: str, seen: Look) -> Look:
        place = self._place.get(path)
        if place is None:
            look = Look()
            self._put(len(self._order), path, look)
        else:
            look = self._at(place)
        look.add(seen)
        return look

    def carry(self, source: str, target: str) -> None:
        moved = [source] if source in self._place else []
        if source in self._above:
            moved += [path for path in self._place if path.startswith(source + "/")]
        looks = sorted((self._place.pop(path), path) for path in moved)
        for place, path in looks:
            self._move(place, target + path[len(source) :])

    def in_order(self) -> dict[str, Look]:
        return dict(entry for entry in self._order if entry is not None)

    def _move(self, place: int, path: str) -> None:
        look, other = self._at(place), self._place.get(path)
        self._order[place] = None
        if other is not None:
            look.add(self._at(other))
            self._order[other] = None
            place = min(place, other)
        self._put(place, path, look)

    def _put(self, place: int, path: str, look: Look) -> None:
        if place == len(self._order):
            self._order.append(None)
        self._order[place] = (path, look)
        self._place[path] = place
        while (path := path.rpartition("/")[0]) and path not in self._above:
            self._above.add(path)

    def _at(self, place: int) -> Look:
        entry = self._order[place]
        assert entry is not None
        return entry[1]


def _look(sign: Sign) -> Look:
    return Look(
        whole=sign in ("closed", "arrived"), altered=sign == "altered", paced=sign in ("written", "altered"),
        another=sign in ("appeared", "arrived", "gone"),
    )  # fmt: skip
