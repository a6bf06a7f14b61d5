"""fanotify's system calls and the form of its events, and nothing of what they mean to us.

A directory is known by its handle: the kernel names by it the directory in which something happened, and says the same
handle of the directory at a path. It holds as long as the directory does, wherever that is moved and through whichever mount
or container it is reached, and is never given to another one. Handles are only compared, never opened, so no right is needed
for that. Sources: fanotify_init(2), fanotify_mark(2), fanotify(7), name_to_handle_at(2), <linux/fanotify.h>."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from producer.errors import WatchUnavailable

MODIFY = 0x2
ATTRIB = 0x4
CLOSE_WRITE = 0x8
CREATE = 0x100
DELETE = 0x200
DELETE_SELF = 0x400
MOVE_SELF = 0x800
OVERFLOW = 0x4000
RENAME = 0x1000_0000
ON_DIRECTORY = 0x4000_0000

_CLOSE_ON_EXEC = 0x1
_NON_BLOCKING = 0x2
_REPORT_DIRECTORY_AND_NAME = 0xC00
_ADD = 0x1
_FILE_SYSTEM = 0x100
_AT_CWD = -100
_FOLLOW = 0x400
_LONGEST_HANDLE = 128

_PLACE, _OLD_PLACE, _NEW_PLACE = 2, 10, 12
_VERSION = 3
_HEAD = struct.Struct("=IBxHQii")
_RECORD = struct.Struct("=BxH8sIi")
_FSID = struct.Struct("=II")

_libc = ctypes.CDLL(None, use_errno=True)

Handle = bytes
"""File system, type of handle, handle."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An event. `at`: directory and name, or of a rename what it was before; `to`: of a rename what it is now."""

    mask: int
    at: tuple[Handle, bytes] | None = None
    to: tuple[Handle, bytes] | None = None


def open_queue() -> int:
    """A queue of events, to be read without blocking. Raises WatchUnavailable, with what is missing."""
    queue = _libc.fanotify_init(_CLOSE_ON_EXEC | _NON_BLOCKING | _REPORT_DIRECTORY_AND_NAME, os.O_RDONLY)
    if queue < 0:
        raise WatchUnavailable(_refusal(ctypes.get_errno()))
    return int(queue)


def need(directory: bytes, mask: int) -> None:
    """Raises WatchUnavailable where the directory's file system cannot be heard, with what is missing."""
    queue = open_queue()
    try:
        handle_of(directory)
        mark_file_system(queue, directory, mask)
    except OSError as error:
        raise WatchUnavailable(_refusal(error.errno or 0)) from error
    finally:
        os.close(queue)


def _refusal(code: int) -> str:
    match code:
        case errno.EPERM:
            return "this process has no CAP_SYS_ADMIN, which it needs"
        case errno.ENOSYS | errno.EINVAL:
            return "this kernel has no fanotify that reports renames (Linux 5.17)"
        case errno.EMFILE:
            return "no fanotify group is free (fs.fanotify.max_user_groups)"
        case errno.ENODEV | errno.EOPNOTSUPP:
            return "its file system gives no lasting handles of directories"
        case errno.EXDEV:
            return "it lies in a part of a file system that has an identity of its own (a btrfs subvolume)"
        case _:
            return os.strerror(code)


def mark_file_system(queue: int, directory: bytes, mask: int) -> None:
    """Hear of all of the directory's file system. Raises OSError."""
    _mark(queue, _ADD | _FILE_SYSTEM, mask, directory)


def mark_directory(queue: int, directory: bytes, mask: int) -> None:
    """Hear of the directory itself. Raises OSError."""
    _mark(queue, _ADD, mask, directory)


def _mark(queue: int, flags: int, mask: int, path: bytes) -> None:
    if _libc.fanotify_mark(queue, flags, ctypes.c_uint64(mask), _AT_CWD, path) != 0:
        _fail()


def count_marked(queue: int) -> int:
    """How many file systems are heard of now: a mark ends with the last mount of its file system, and nobody is told."""
    lines = Path(f"/proc/self/fdinfo/{queue}").read_text().splitlines()
    return sum(line.startswith("fanotify sdev:") for line in lines)


def handle_of(path: bytes) -> Handle:
    """The handle of the directory at the path. Raises OSError; where its file system knows no handles too."""
    buffer = ctypes.create_string_buffer(8 + _LONGEST_HANDLE)
    struct.pack_into("=I", buffer, 0, _LONGEST_HANDLE)
    mount = ctypes.c_int()
    if _libc.name_to_handle_at(_AT_CWD, path, buffer, ctypes.byref(mount), _FOLLOW) != 0:
        _fail()
    (length,) = struct.unpack_from("=I", buffer, 0)
    fsid = os.statvfs(path).f_fsid
    return _FSID.pack(fsid & 0xFFFF_FFFF, fsid >> 32) + buffer.raw[: 8 + length]


def taken_apart(piece: bytes) -> Iterator[Heard]:
    """The events of one reading, in order."""
    at = 0
    while at < len(piece):
        length, version, head, mask, _, _ = _HEAD.unpack_from(piece, at)
        if version != _VERSION:  # no kernel has ever changed it
            yield Heard(OVERFLOW)
            return
        places: dict[int, tuple[Handle, bytes]] = {}
        inner = at + head
        while inner < at + length:
            kind, size, fsid, handle, _ = _RECORD.unpack_from(piece, inner)
            name = inner + _RECORD.size + handle
            places[kind] = fsid + piece[inner + 12 : name], piece[name : inner + size].partition(b"\0")[0]
            inner += size
        yield Heard(mask, places.get(_PLACE) or places.get(_OLD_PLACE), places.get(_NEW_PLACE))
        at += length


def _fail() -> None:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))
