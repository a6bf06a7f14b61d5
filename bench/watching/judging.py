"""What was missed and what was invented: a watcher's reports against a walk of the disk. Pure but for the walk itself.

**Of the product**, whose records give the state of a path: missed is a path that exists and for which the records have
another state or none (type, size and time are compared; of a directory only that it is one); invented is a path that does
not exist although the records contain it. Where a workload removes nothing permanent, a record "nothing is there" of a path
that exists in the end is invented too (rsync's temporary names are gone, and may be recorded as gone), except where the tool
itself removes what it made there before it makes the last thing: see `delayed_links`.

**Of a plain watcher**, whose events only name paths, the measure is milder. Missed is a path whose state has changed and
which no event named, and a path that is gone without an event for that. Invented is a path last reported as existing that
does not exist, and one last reported as gone that exists. An event that reports a directory as gone, or that names one which
the workload moves as a whole, counts for everything below it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Reported = Literal["there", "gone", "either"]
"""What an event reports of a path; `either`: both within one batch, which has no order."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is at a path. Size and time of a directory do not count."""

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
    """The disk, as it is now. What vanishes meanwhile is left out."""
    return dict(_below(os.fsencode(root), b""))


def delayed_links(root: Path, tree: Tree) -> set[bytes]:
    """Symbolic links that GNU tar extracts in two steps: an empty file is made in the link's place, and at the very end
    removed for the link, so that nothing is there for a moment. It does so with an absolute target and with one that has
    `..` in it (seen of tar 1.34 by `strace -e openat,unlinkat,symlinkat`)."""
    links = (path for path, seen in tree.items() if seen.type == "symlink")
    return {path for path in links if _leads_out(os.readlink(os.path.join(os.fsencode(root), path)))}  # noqa: PTH115, PTH118


def as_a_share_has_it(tree: Tree) -> Tree:
    """Times in steps of 100 ns ([MS-DTYP] 2.3.3), and no symbolic links: each server presents them in its own way."""
    grain = 100
    return {
        path: Seen(seen.type, seen.size, seen.mtime_ns // grain * grain)
        for path, seen in tree.items()
        if seen.type != "symlink"
    }


def changed(before: Tree, after: Tree) -> set[bytes]:
    """Paths whose state differs."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def judge_records(recorded: Mapping[bytes, Seen], there: Tree, removals: Iterable[bytes] = ()) -> Judgement:
    """Of the product. `removals`: paths recorded as gone where the workload removes nothing permanent."""
    missed = [path for path, seen in there.items() if recorded.get(path) != seen]
    invented = {path for path in recorded if path not in there} | {path for path in removals if path in there}
    return Judgement(tuple(sorted(missed)), tuple(sorted(invented)))


def judge_events(
    events: Iterable[tuple[Reported, bytes]], before: Tree, after: Tree, moved: Set[bytes] = frozenset()
) -> Judgement:
    """Of a plain watcher. `moved`: directories that the workload moves as a whole."""
    last = {path: (place, reported) for place, (reported, path) in enumerate(events)}
    missed = {path for path in changed(before, after) if not _named(path, path in after, last, moved)}
    invented = {
        path for path, (place, reported) in last.items() if _is_invented(path, place, reported, last, after, moved)
    }
    return Judgement(tuple(sorted(missed)), tuple(sorted(invented - missed)))


def _leads_out(target: bytes) -> bool:
    return target.startswith(b"/") or b".." in target.split(b"/")


def _named(path: bytes, is_there: bool, last: Mapping[bytes, tuple[int, Reported]], moved: Set[bytes]) -> bool:
    own = last.get(path)
    if own is not None and (is_there or own[1] != "there"):
        return True
    named_above = (above for above in _above(path) if above in last)
    return any(above in moved or (not is_there and last[above][1] != "there") for above in named_above)


def _is_invented(
    path: bytes,
    place: int,
    reported: Reported,
    last: Mapping[bytes, tuple[int, Reported]],
    after: Tree,
    moved: Set[bytes],
) -> bool:
    if reported == "either" or (reported == "there") == (path in after):
        return False
    later = [last[above] for above in _above(path) if above in last and (last[above][0] > place or above in moved)]
    return not any(found[1] == "either" or found[1] != reported for found in later)


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
