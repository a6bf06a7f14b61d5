"""What was missed and what was invented: a watcher's word against a walk of the disk. Pure but for the walk itself.

**Of the product**, whose records say what is at a path: missed is a path that is there and of which the records say
something else or nothing (type, size and time are compared; of a directory only that it is one); invented is a path
that is not there although the records say so. Where a workload removes nothing that stays, a record "nothing is there" of
what is there in the end is invented too (rsync's temporary names are gone, and may be said to be).

**Of a plain watcher**, whose events only name paths, the measure is milder. Missed is a path at which the tree is not what
it was before and which no event named, and a path that is gone of which no event said so. Invented is a path last said to
be there that is not, and one last said to be gone that is there. An event that says of a directory that it is gone, or
that names one which the workload moves as a whole, speaks for everything below it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Said = Literal["there", "gone", "either"]
"""What an event says of a path; `either`: both within one answer that has no order."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is at a path. Size and time of a directory are no news."""

    type: str
    size: int = 0
    mtime_ns: int = 0


Tree = dict[bytes, Seen]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Paths, sorted."""

    missed: tuple[bytes, ...]
    invented: tuple[bytes, ...]


def walk(root: Path) -> Tree:
    """The disk, as it is now. What vanishes meanwhile is not there."""
    return dict(_below(os.fsencode(root), b""))


def as_a_share_has_it(tree: Tree) -> Tree:
    """Times in steps of 100 ns ([MS-DTYP] 2.3.3), and no symbolic links: servers show them as they like."""
    grain = 100
    return {
        path: Seen(seen.type, seen.size, seen.mtime_ns // grain * grain)
        for path, seen in tree.items()
        if seen.type != "symlink"
    }


def changed(before: Tree, after: Tree) -> set[bytes]:
    """Paths at which something else is now."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def judge_records(believed: Mapping[bytes, Seen], there: Tree, removals: Iterable[bytes] = ()) -> Judgement:
    """Of the product. `removals`: paths said to be gone where the workload removes nothing that stays."""
    missed = [path for path, seen in there.items() if believed.get(path) != seen]
    invented = {path for path in believed if path not in there} | {path for path in removals if path in there}
    return Judgement(tuple(sorted(missed)), tuple(sorted(invented)))


def judge_events(
    events: Iterable[tuple[Said, bytes]], before: Tree, after: Tree, moved: Set[bytes] = frozenset()
) -> Judgement:
    """Of a plain watcher. `moved`: directories that the workload moves as a whole."""
    last = {path: (place, said) for place, (said, path) in enumerate(events)}
    missed = {path for path in changed(before, after) if not _named(path, path in after, last, moved)}
    invented = {
        path for path, (place, said) in last.items() if _is_invented(path, place, said, last, after, moved)
    }
    return Judgement(tuple(sorted(missed)), tuple(sorted(invented - missed)))


def _named(path: bytes, is_there: bool, last: Mapping[bytes, tuple[int, Said]], moved: Set[bytes]) -> bool:
    own = last.get(path)
    if own is not None and (is_there or own[1] != "there"):
        return True
    named_above = (above for above in _above(path) if above in last)
    return any(above in moved or (not is_there and last[above][1] != "there") for above in named_above)


def _is_invented(
    path: bytes, place: int, said: Said, last: Mapping[bytes, tuple[int, Said]], after: Tree, moved: Set[bytes]
) -> bool:
    if said == "either" or (said == "there") == (path in after):
        return False
    later = [last[above] for above in _above(path) if above in last and (last[above][0] > place or above in moved)]
    return not any(found[1] == "either" or found[1] != said for found in later)


def _above(path: bytes) -> Iterator[bytes]:
    while path := path.rpartition(b"/")[0]:
        yield path


def _below(root: bytes, directory: bytes) -> Iterator[tuple[bytes, Seen]]:
    try:
        with os.scandir(os.path.join(root, directory)) as listing:  # noqa: PTH118 - bytes
            entries = list(listing)
    except FileNotFoundError:
        return
    for entry in entries:
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        path = directory + b"/" + entry.name if directory else entry.name
        if stat.S_ISDIR(status.st_mode):
            yield path, Seen("dir")
            yield from _below(root, path)
        else:
            yield path, Seen(_type(status.st_mode), status.st_size, status.st_mtime_ns)


def _type(mode: int) -> str:
    return "file" if stat.S_ISREG(mode) else "symlink" if stat.S_ISLNK(mode) else "other"
