"""Looks at a directory and at its entries, and returns a number that differs when anything seen differs.

The server is asked, not the kernel's cache: NFS keeps a directory's attributes for 30 to 60 seconds (`acdirmin`,
`acdirmax`), others for 1, and `statx` can be made to bypass that. Where it cannot (an older C library) only the cache is
available, and a change remains unseen for so much longer."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from dataclasses import dataclass

from producer.backends.local.below import open_below

_EMPTY_PATH = 0x1000
_NO_FOLLOW = 0x100
_NO_AUTOMOUNT = 0x800
_FORCE_SYNC = 0x2000
_WANTED = 0x0001 | 0x0040 | 0x0080 | 0x0100 | 0x0200
"""Type, mtime, ctime, inode, size. Source: statx(2), <linux/stat.h>."""

_FIELDS = struct.Struct("=IIQIIIH2xQQQQ qI4x qI4x qI4x qI4x 8x II")
"""struct statx up to the device it lies on: mask, block size, attributes, links, uid, gid, mode, inode, size, blocks,
attributes that are known; atime, btime, ctime, mtime; major, minor."""

_statx = getattr(ctypes.CDLL(None, use_errno=True), "statx", None)
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a directory or an entry. `stamp` differs when anything of it does; `mtime`: seconds."""

    stamp: int
    mtime: float
    identity: tuple[int, int]
    is_dir: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """What was seen of a directory's entries."""

    stamp: int
    count: int


def look(root: int, path: str) -> Seen:
    """Look at the directory at a path below an open one. Raises OSError; ENOTDIR where something else is there."""
    directory = open_below(root, path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        return _seen(directory, b"")
    finally:
        os.close(directory)


def look_inside(root: int, path: str) -> Listed:
    """Look at the entries of the directory. Raises OSError. An entry that goes meanwhile is left out."""
    directory = open_below(root, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with os.scandir(directory) as listing:
            entries = [(entry.name, _stamp_of(directory, entry.name)) for entry in listing]
    finally:
        os.close(directory)
    return Listed(hash(frozenset(entries)), len(entries))


def _stamp_of(directory: int, name: str) -> int:
    try:
        seen = _seen(directory, os.fsencode(name))
    except OSError:  # gone, or it cannot be read: only its name counts
        return 0
    # a directory inside has looks of its own: what comes and goes in it is no change of this one
    return hash(seen.identity) if seen.is_dir else seen.stamp


def _seen(directory: int, name: bytes) -> Seen:
    if _statx is None:
        return _remembered(directory, name)
    buffer = ctypes.create_string_buffer(_LONGEST)
    flags = _FORCE_SYNC | _NO_FOLLOW | _NO_AUTOMOUNT | (0 if name else _EMPTY_PATH)
    if _statx(directory, name, flags, _WANTED, buffer) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    found = _FIELDS.unpack_from(buffer)
    mode, inode, size = found[6], found[7], found[8]
    changed, modified, device = found[15:17], found[17:19], found[19:21]
    return Seen(
        hash((mode, inode, size, changed, modified, device)),
        modified[0],
        (hash(device), inode),
        stat.S_ISDIR(mode),
    )


def _remembered(directory: int, name: bytes) -> Seen:
    found = os.stat(name, dir_fd=directory, follow_symlinks=False) if name else os.fstat(directory)
    return Seen(
        hash((found.st_mode, found.st_ino, found.st_size, found.st_ctime_ns, found.st_mtime_ns, found.st_dev)),
        found.st_mtime,
        (found.st_dev, found.st_ino),
        stat.S_ISDIR(found.st_mode),
    )
