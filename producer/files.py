"""The local file system behind the port `Files`.

Every look goes through the root's open descriptor, so that a root that is moved away in the middle of a look
does not seem to have lost its files. The descriptor lives only as long as one look, for it keeps a mount busy.
Nothing is followed: symlinks are entries like others, and only regular files are ever opened."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Self

import xxhash

from producer.core.facts import Print
from producer.core.identity import Faulty
from producer.errors import RootFault, Unreadable
from schemas.raw import FileState, FileType, RootIdentity

SAMPLE = 65_536
"""First, middle and last bytes that a fingerprint covers."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_CONTENT = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})


class LocalFiles:
    """A root at a local path."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self) -> LocalTree:
        """Open the root. Raises RootFault."""
        try:
            return LocalTree(os.open(self._root, _DIRECTORY))
        except FileNotFoundError as error:
            raise RootFault(Faulty("missing", f"{self._root} does not exist")) from error
        except NotADirectoryError as error:
            raise RootFault(Faulty("not_a_directory", f"{self._root} is not a directory")) from error
        except OSError as error:
            raise RootFault(Faulty("unreadable", f"{self._root}: {error.strerror}")) from error

    def is_empty(self) -> bool:
        """True when it has no entry. Raises RootFault."""
        try:
            with os.scandir(self._root) as entries:
                return next(entries, None) is None
        except OSError as error:
            raise RootFault(Faulty("unreadable", f"{self._root}: {error.strerror}")) from error


class LocalTree:
    """An open root."""

    def __init__(self, descriptor: int) -> None:
        """The descriptor is the tree's, and closed if the root cannot be looked at. Raises OSError."""
        self._root = descriptor
        try:
            status = os.fstat(descriptor)
            self.identity = RootIdentity(status.st_dev, status.st_ino, os.fstatvfs(descriptor).f_fsid)
        except OSError:
            os.close(descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._root)

    def state(self, path: str) -> FileState | None:
        """See the port."""
        try:
            return _state(os.stat(path or ".", dir_fd=self._root, follow_symlinks=False))
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise Unreadable(path, _reason(error)) from error

    def listing(self, path: str) -> list[tuple[str, FileState]] | None:
        """See the port. Entries that vanish while it lists are left out."""
        try:
            descriptor = os.open(path or ".", _DIRECTORY | os.O_NOFOLLOW, dir_fd=self._root)
        except OSError as error:
            if error.errno in _ABSENT or error.errno == errno.ELOOP:
                return None
            raise Unreadable(path, _reason(error)) from error
        try:
            with os.scandir(descriptor) as entries:
                return [found for entry in entries if (found := _entry(entry)) is not None]
        except OSError as error:
            raise Unreadable(path, _reason(error)) from error
        finally:
            os.close(descriptor)

    def fingerprint(self, path: str) -> Print | None:
        """See the port. XXH3-128 of the size (8 bytes, little endian) and the first, middle and last 64 KiB."""
        try:
            descriptor = os.open(path, _CONTENT, dir_fd=self._root)
        except OSError:  # gone, not ours to read, a symlink by now: then there is no fingerprint
            return None
        try:
            return _fingerprint(descriptor)
        except OSError:  # a bad sector or a lost mount: the next scan tries again
            return None
        finally:
            os.close(descriptor)


def _entry(entry: os.DirEntry[str]) -> tuple[str, FileState] | None:
    try:
        return entry.name, _state(entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None


def _state(status: os.stat_result) -> FileState:
    return FileState(
        _type(status.st_mode), status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino, status.st_nlink
    )


def _type(mode: int) -> FileType:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "dir"
    return "symlink" if stat.S_ISLNK(mode) else "other"


def _fingerprint(descriptor: int) -> Print | None:
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        return None
    size = before.st_size
    digest = xxhash.xxh3_128(size.to_bytes(8, "little"))
    for start in sample_starts(size):
        digest.update(os.pread(descriptor, SAMPLE, start))
    after = os.fstat(descriptor)
    if (after.st_size, after.st_mtime_ns) != (size, before.st_mtime_ns):
        return None
    return Print(size, before.st_mtime_ns, before.st_ino, digest.hexdigest())


def sample_starts(size: int) -> tuple[int, ...]:
    """Where the samples of a file begin: the whole of one of up to 3 x 64 KiB, in order, without overlap; of a
    longer one its first 64 KiB, those around its middle, and its last."""
    if size <= 3 * SAMPLE:
        return tuple(range(0, size, SAMPLE))
    return (0, (size - SAMPLE) // 2, size - SAMPLE)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
