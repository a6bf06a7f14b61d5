"""From a run of kernel events to the least that has to be looked at: moves in their order, then paths to examine.

Events only say where to look. A path touched before a directory above it moved is looked at under its new name.
After all moves both ends of each are examined too, so whatever else happened there is seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from schemas.paths import is_inside

Sign = Literal["appeared", "arrived", "gone", "written", "altered", "closed"]
"""`arrived`: moved in from where nobody watches; `written`: the content changed; `altered`: the attributes did."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Something happened at a path."""

    path: str
    sign: Sign


@dataclass(frozen=True, slots=True)
class MoveEvent:
    """The kernel says that what was at `source` is at `target` now."""

    source: str
    target: str


Event = Touched | MoveEvent


@dataclass(slots=True)
class Look:
    """How a path is to be examined: `whole`, the content is complete and worth a fingerprint; `altered`, it is if only
    its attributes have changed; `paced`, nothing but writing was seen, so it need not be looked at more often than the
    pace allows; `another`, what is there may have come there only now, so that a directory is listed; `brought`, a move
    brought it there and nothing has been seen of it since."""

    whole: bool = False
    altered: bool = False
    paced: bool = True
    another: bool = False
    brought: bool = False


@dataclass(slots=True)
class Work:
    """What a run of events comes to. `fresh`: numbers of the moves of what had come to its source within the run, so
    that whatever was known there is something else."""

    moves: list[MoveEvent] = field(default_factory=list)
    fresh: set[int] = field(default_factory=set)
    looks: dict[str, Look] = field(default_factory=dict)


def normalise(events: Iterable[Event]) -> Work:
    """Coalesce. The order of moves is kept, and of first touches."""
    work = Work()
    fresh: set[str] = set()
    for event in events:
        match event:
            case Touched(path, sign):
                if sign in ("appeared", "arrived", "gone"):
                    fresh.add(path)
                _touch(work.looks, path, _look(sign))
            case MoveEvent(source, target):
                work.looks = _rewritten(work.looks, source, target)
                if source in fresh:
                    work.fresh.add(len(work.moves))
                (fresh.add if source in fresh else fresh.discard)(target)
                fresh.discard(source)
                work.moves.append(event)
    sources = {move.source for move in work.moves}
    for move in work.moves:
        brought = move.target not in work.looks and move.target not in sources
        _touch(work.looks, move.source, Look(paced=False, another=True))
        _touch(work.looks, move.target, Look(whole=True, paced=False, another=True))
        work.looks[move.target].brought = brought
    return work


def _look(sign: Sign) -> Look:
    return Look(
        whole=sign in ("closed", "arrived"), altered=sign == "altered", paced=sign in ("written", "altered"),
        another=sign in ("appeared", "arrived", "gone"),
    )  # fmt: skip


def _touch(looks: dict[str, Look], path: str, seen: Look) -> None:
    look = looks.setdefault(path, Look())
    look.whole = look.whole or seen.whole
    look.altered = look.altered or seen.altered
    look.paced = look.paced and seen.paced
    look.another = look.another or seen.another


def _rewritten(looks: dict[str, Look], source: str, target: str) -> dict[str, Look]:
    rewritten: dict[str, Look] = {}
    for path, look in looks.items():
        new = target + path[len(source) :] if is_inside(path, source) else path
        _touch(rewritten, new, look)
    return rewritten
