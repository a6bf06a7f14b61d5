"""Which file is which, whatever its name is: a life begins when a file is created, and a move does not end it. The hand that
makes all changes keeps the record, so that a reused inode is another life."""

from __future__ import annotations

import stat
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

SAME_NAME_BELOW = 64
"""Smaller files are identified by their name as well (the fold's rule: a few bytes alone are no identity)."""


@dataclass
class Lives:
    """`rewritten`: what was changed otherwise than by a move, `roamed`: what was at an unwatched place, `crossed`: what went
    from root to root, `caught`: what was moved right before its producer ended; since the last comparison. `moved`: when
    each was moved last, by the monotonic clock."""

    of_inode: dict[int, int] = field(default_factory=dict)
    rewritten: set[int] = field(default_factory=set)
    roamed: set[int] = field(default_factory=set)
    crossed: set[int] = field(default_factory=set)
    caught: set[int] = field(default_factory=set)
    moved: dict[int, float] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def begin(self, path: Path) -> None:
        """Files were created, here or below."""
        for inode in inodes(path):
            self.of_inode[inode] = next(self._numbers)

    def rewrite(self, path: Path) -> None:
        """A file was written to, or its times were set."""
        self.rewritten.update(self.of_inode.get(inode, 0) for inode in inodes(path))

    def roam(self, path: Path) -> None:
        """What is here comes from an unwatched place, or goes there."""
        self.roamed.update(self.of_inode.get(inode, 0) for inode in inodes(path))

    def cross(self, path: Path) -> None:
        """What is here goes to another root, or comes from there."""
        self.crossed.update(self.of_inode.get(inode, 0) for inode in inodes(path))

    def move(self, path: Path) -> None:
        """What is here is moved."""
        now = time.monotonic()
        self.moved.update((self.of_inode.get(inode, 0), now) for inode in inodes(path))

    def catch(self, since: float) -> None:
        """The producer ends; a move since then may have been recorded by halves."""
        self.caught.update(life for life, at in self.moved.items() if at >= since)

    def compared(self, unseen: Iterable[Path]) -> None:
        """Begin a new comparison. `unseen`: files with a change that is not recorded yet."""
        self.caught.clear()
        self.moved.clear()
        self.crossed.clear()
        self.rewritten.clear()
        self.roamed.clear()
        for path in unseen:
            self.rewrite(path)


def inodes(path: Path) -> Iterator[int]:
    """Inodes of the regular files here and below."""
    try:
        status = path.lstat()
    except OSError:
        return
    if stat.S_ISREG(status.st_mode):
        yield status.st_ino
    elif stat.S_ISDIR(status.st_mode):
        for inner in path.iterdir():
            yield from inodes(inner)


@dataclass(frozen=True, slots=True)
class Placed:
    """A file with one name, and its item."""

    root: str
    path: str
    size: int
    media_id: int


def placed(folder: Path, root: str, ids: dict[tuple[str, bytes], int], lives: Lives) -> dict[int, Placed]:
    """Every life in a root."""
    found = {}
    for path in (folder / root).rglob("*"):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            inner = str(path.relative_to(folder / root))
            media_id = ids.get((root, inner.encode("utf-8", "surrogateescape")), 0)
            found[lives.of_inode[status.st_ino]] = Placed(root, inner, status.st_size, media_id)
    return found


def lost_ids(
    before: dict[int, Placed],
    now: dict[int, Placed],
    lives: Lives,
    *,
    across: bool,
    staying: Collection[int] = (),
) -> dict[int, str]:
    """By its life, a line for each file that was only moved and has another item. `across`: whether a move from root to root
    must keep it (both roots were watched all the time). `staying`: present items; one of these may remain with the file that
    has taken the place, where one directory is looked at so much later than the other that the new file was recorded as a
    rewrite before the old one was found elsewhere."""
    return {
        life: f"{now[life].root}/{now[life].path}: item {now[life].media_id}, it was {was.media_id} at {was.root}/{was.path}"
        for life, was in before.items()
        if life in now
        and life not in lives.rewritten | lives.roamed
        and (across or life not in lives.crossed)
        and (was.size >= SAME_NAME_BELOW or _name(was) == _name(now[life]))
        and now[life].media_id != was.media_id
        and was.media_id not in staying
    }


def _name(file: Placed) -> str:
    return file.path.rpartition("/")[2]
