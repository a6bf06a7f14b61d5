"""fanotify's system calls and the format of its events, without what they mean to the producer.

A directory is identified by its handle: the kernel's events name by it the directory in which something happened, and the
same handle can be obtained for the directory at a path. It remains the same as long as the directory exists, wherever that
is moved and through whichever mount or container it is reached, and is never reused. Handles are only compared, never
opened, so no right is needed for that. Sources: fanotify_init(2), fanotify_mark(2), fanotify(7), name_to_handle_at(2),
<linux/fanotify.h>."""

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
class RawEvent:
    """An event. `at`: directory and name, or of a rename those before it; `to`: of a rename those after it."""

    mask: int
    at: tuple[Handle, bytes] | None = None
    to: tuple[Handle, bytes] | None = None


def open_queue() -> int:
    """A queue of events, to be read without blocking. Raises WatchUnavailable with the reason."""
    queue = _libc.fanotify_init(_CLOSE_ON_EXEC | _NON_BLOCKING | _REPORT_DIRECTORY_AND_NAME, os.O_RDONLY)
    if queue < 0:
        raise WatchUnavailable(_refusal(ctypes.get_errno()))
    return int(queue)


def need(directory: bytes, mask: int) -> None:
    """Raises WatchUnavailable with the reason where the directory's file system cannot be marked."""
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
    """Receive events of the directory's whole file system. Raises OSError."""
    _mark(queue, _ADD | _FILE_SYSTEM, mask, directory)


def mark_directory(queue: int, directory: bytes, mask: int) -> None:
    """Receive events of the directory itself. Raises OSError."""
    _mark(queue, _ADD, mask, directory)


def _mark(queue: int, flags: int, mask: int, path: bytes) -> None:
    if _libc.fanotify_mark(queue, flags, ctypes.c_uint64(mask), _AT_CWD, path) != 0:
        _fail()


def count_marked(queue: int) -> int:
    """How many file systems are marked now: a mark ends with the last mount of its file system, without an event."""
    lines = Path(f"/proc/self/fdinfo/{queue}").read_text().splitlines()
    return sum(line.startswith("fanotify sdev:") for line in lines)


def handle_of(path: bytes) -> Handle:
    """The handle of the directory at the path. Raises OSError, also where its file system has no handles."""
    buffer = ctypes.create_string_buffer(8 + _LONGEST_HANDLE)
    struct.pack_into("=I", buffer, 0, _LONGEST_HANDLE)
    mount = ctypes.c_int()
    if _libc.name_to_handle_at(_AT_CWD, path, buffer, ctypes.byref(mount), _FOLLOW) != 0:
        _fail()
    (length,) = struct.unpack_from("=I", buffer, 0)
    fsid = os.statvfs(path).f_fsid
    return _FSID.pack(fsid & 0xFFFF_FFFF, fsid >> 32) + buffer.raw[: 8 + length]


def parse(piece: bytes) -> Iterator[RawEvent]:
    """The events of one reading, in order."""
    at = 0
    while at < len(piece):
        length, version, head, mask, _, _ = _HEAD.unpack_from(piece, at)
        if version != _VERSION:  # it has never changed
            yield RawEvent(OVERFLOW)
            return
        places: dict[int, tuple[Handle, bytes]] = {}
        inner = at + head
        while inner < at + length:
            kind, size, fsid, handle, _ = _RECORD.unpack_from(piece, inner)
            name = inner + _RECORD.size + handle
            places[kind] = fsid + piece[inner + 12 : name], piece[name : inner + size].partition(b"\0")[0]
            inner += size
        yield RawEvent(mask, places.get(_PLACE) or places.get(_OLD_PLACE), places.get(_NEW_PLACE))
        at += length


def _fail() -> None:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))
