"""Opens a file below its root, and nothing else: no symbolic link on the way, no `..`, only a regular file, and only the
file that the job is for.

    Unprobeable   the file cannot be probed as requested; `reason` is one short sentence
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from schemas.identity import Stamp, Stamped, same_content
from streams.errors import StreamsError

_WHY = {
    errno.ENOENT: "the file is not there any more",
    errno.ENOTDIR: "the file is not there any more",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ELOOP: "a symbolic link stands in its path",
    errno.EIO: "the disk reports a read error",
    errno.ENAMETOOLONG: "the path is too long",
    errno.ESTALE: "the share was lost",
}
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Unprobeable(StreamsError):
    """The file cannot be probed: it is gone, changed, not permitted or not a regular file. Not retryable: the next
    change of the file causes the next job."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Probed:
    """A file that is open for a child. `size`: of a file that is read through a socket (`remote`); `stamp`: returns the
    current stamp of its content; raises Unprobeable, OSError or StorageError."""

    descriptor: int
    size: int | None
    stamp: Callable[[], Stamped]


@contextmanager
def opened_below(root: Path, path: str, expected: Stamped) -> Iterator[Probed]:
    """Open a file on a disk for a child. Raises Unprobeable."""
    descriptor = open_below(root, path, expected)
    try:
        yield Probed(descriptor, None, partial(stamp, descriptor))
    finally:
        os.close(descriptor)


def stamp(descriptor: int) -> Stamp:
    """The current stamp of an open file's content."""
    found = os.fstat(descriptor)
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ino)


def open_below(root: Path, path: str, expected: Stamped) -> int:
    """Open a file for reading; the caller closes the descriptor. `path`: relative to the root, `/` between
    components, foreign bytes as surrogates. Raises Unprobeable."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise Unprobeable("the path leads out of its root")
    try:
        directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Unprobeable(f"the root cannot be opened: {error.strerror}") from error
    try:
        for part in parts[:-1]:
            below = os.open(part, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = below
        descriptor = _open_regular(parts[-1], directory)
    except OSError as error:
        raise Unprobeable(_WHY.get(error.errno or 0, error.strerror or "cannot be opened")) from error
    finally:
        os.close(directory)
    if not same_content(stamp(descriptor), expected):
        os.close(descriptor)
        raise Unprobeable("the file has changed since the job was asked")
    return descriptor


def _open_regular(name: str, directory: int) -> int:
    # checked before it is opened, because opening a device has side effects; and after, because it may have been
    # replaced
    if not stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
        raise Unprobeable("not a regular file")
    descriptor = os.open(name, _FILE, dir_fd=directory)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unprobeable("not a regular file")
    return descriptor
