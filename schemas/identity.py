"""When two observations are of the same thing: the one definition, for producers, the fold and analysis.

| function | compares | used for |
|---|---|---|
| `same_content` | size, mtime, inode | a fingerprint, a job or a result belongs to what is there |
| `same_state` | type, and of all but directories the content | there is nothing to report |
| `same_identity` | regular files: content and device | a file at a new path may be the one from the old path |
| `same_fingerprint` | the fingerprint, where there are two | another file with the same bytes |
| `same_root` | inode, marker, and the file system's id, or the device where it has none | it is the known root |
| `other_fingerprint` | the fingerprints, where there are two, are different | other bytes, whatever the file's
attributes are |

An inode alone is never enough: file systems reuse it at once. The device is compared only between two paths: a
remount gives the same file system another number, and the file at a path is still the same. A directory's size
and mtime change with every entry in it, so only the type of a directory is compared.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from schemas.raw import RootIdentity


class Stamped(Protocol):
    """What distinguishes one content at a path from the next."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def mtime_ns(self) -> int:
        """Nanoseconds since 1970."""
        ...

    @property
    def inode(self) -> int:
        """The inode, or the file id of a share."""
        ...


class Looked(Stamped, Protocol):
    """All that is observed at a path (`schemas.raw.FileState` and what is derived from it)."""

    @property
    def type(self) -> str:
        """`file`, `dir`, `symlink` or `other`."""
        ...

    @property
    def dev(self) -> int:
        """The device's number."""
        ...


class Stamp(Struct, frozen=True):
    """A stamp as a value."""

    size: int
    mtime_ns: int
    inode: int


def stamp_of(file: Stamped) -> Stamp:
    """The stamp of a file."""
    return Stamp(file.size, file.mtime_ns, file.inode)


def same_content(a: Stamped, b: Stamped) -> bool:
    """True when what was read of the one is still valid for the other."""
    return a.size == b.size and a.mtime_ns == b.mtime_ns and a.inode == b.inode


def same_state(a: Looked | None, b: Looked | None) -> bool:
    """True when the second observation of a path found nothing new. None: nothing is there."""
    if a is None or b is None:
        return a is b
    return a.type == b.type and (a.type == "dir" or same_content(a, b))


def same_identity(a: Looked, b: Looked) -> bool:
    """True when a regular file seen at one path may be the file that was seen at another."""
    return a.type == "file" == b.type and a.dev == b.dev and same_content(a, b)


def same_fingerprint(a: str | None, b: str | None) -> bool:
    """True when both are known and equal."""
    return a is not None and a == b


def other_fingerprint(a: str | None, b: str | None) -> bool:
    """True when both are known and differ."""
    return a is not None and b is not None and a != b


def same_root(known: RootIdentity, seen: RootIdentity) -> bool:
    """True when it is the same directory on the same file system. Device numbers are assigned at mount time and by each
    machine, so the file system's own id is compared if it has one, else the device number."""
    if known.inode != seen.inode or known.marker != seen.marker:
        return False
    return known.fsid == seen.fsid if known.fsid and seen.fsid else known.dev == seen.dev
