"""What a difference between the index and the tree means.

It decides when a state is worth a record, when a new path is an old one renamed, and when so much has vanished that a second
scan must confirm it before anything is recorded as deleted."""

from __future__ import annotations

from collections.abc import Iterable

from producer.core.facts import IndexEntry
from schemas.raw import FileState

UNIDENTIFIED = 0
"""The inode of an entry known by path and content alone; no file has it."""

GONE_LIMIT = 1_000
GONE_SMALL = 50
GONE_SHARE = 0.2


def differs(known: FileState | None, seen: FileState) -> bool:
    """True when `seen` is worth an observation. A directory's size and time change with every entry, and a link count is
    not content: neither counts; nor does an identity that is no longer known."""
    if known is None or known.type != seen.type or not _same_inode(known, seen):
        return True
    return seen.type != "dir" and (known.size != seen.size or known.mtime_ns != seen.mtime_ns)


def same_node(known: FileState, seen: FileState) -> bool:
    """True when both have the same inode and type, which a rename does not change, even of a file being written."""
    return known.type == seen.type and _same_inode(known, seen)


def is_unidentified(known: FileState) -> bool:
    """True of an entry from before its root was accepted at another place: its device and inode mean nothing there."""
    return known.inode == UNIDENTIFIED


def _same_inode(known: FileState, seen: FileState) -> bool:
    return is_unidentified(known) or (known.inode == seen.inode and known.dev == seen.dev)


def tied(seen: FileState, candidates: Iterable[IndexEntry]) -> list[IndexEntry]:
    """Those of the known paths that `seen`, found at a new path, may have been renamed from. An inode alone is
    never enough (ext4 reused a freed one in 1,000 of 1,000 tries), nor is an empty or linked file."""
    if seen.type != "file" or seen.size == 0 or seen.nlink != 1:
        return []
    identity = (seen.dev, seen.inode, seen.size, seen.mtime_ns)
    return [
        known
        for known in candidates
        if known.state.type == "file"
        and (known.state.dev, known.state.inode, known.state.size, known.state.mtime_ns) == identity
    ]


def suspicious(gone: int, known: int) -> bool:
    """True when a scan found so much missing that only a second healthy scan may delete it: over 1,000 paths, or
    over both 50 and a fifth of all that is known."""
    return gone > GONE_LIMIT or (gone > GONE_SMALL and gone > known * GONE_SHARE)
