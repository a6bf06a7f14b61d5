"""Which file systems the kernel has mounted below a directory."""

from __future__ import annotations

import os
import re
from pathlib import Path

from producer.backends.local.below import open_below
from schemas.raw import RootIdentity

TABLE = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(rb"\\([0-7]{3})")


def mounts_below(directory: int, path: str) -> dict[str, RootIdentity]:
    """By path from the directory, which is open and whose path, without links, is `path`."""
    above = os.fsencode(path).rstrip(b"/") + b"/"
    try:
        lines = TABLE.read_bytes().splitlines()
    except OSError:  # no such table: then no mounts are known
        return {}
    places = (_ESCAPED.sub(_character, line.split(b" ", 5)[4]) for line in lines)
    found: dict[str, RootIdentity] = {}
    for place in places:
        if place.startswith(above):
            inner = os.fsdecode(place[len(above) :])
            identity = _identity(directory, inner)
            if identity is not None:
                found[inner] = identity
    return found


def _character(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 8)])


def _identity(directory: int, path: str) -> RootIdentity | None:
    try:
        descriptor = open_below(directory, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # a file, gone, or not accessible
        return None
    try:
        status = os.fstat(descriptor)
        return RootIdentity(status.st_dev, status.st_ino, os.fstatvfs(descriptor).f_fsid)
    except OSError:
        return None
    finally:
        os.close(descriptor)
