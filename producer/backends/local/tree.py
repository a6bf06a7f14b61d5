"""A local directory, opened, behind the interface `Tree`.

Every access goes through the root's open descriptor, so that a root that is moved away meanwhile does not seem to have lost
its files, and from there through the descriptors of each parent; the directory that was listed last stays open, because
its files are read next. They live only as long as one access, because they keep a mount busy. No link is followed, at no
place of a path: symlinks are entries like others, and only regular files are ever opened."""

from __future__ import annotations

import errno
import os
import stat
from functools import partial
from typing import Self

from producer.backends.local.below import open_below
from producer.core.facts import Print
from producer.core.fingerprint import xxh3_of
from producer.errors import Unreadable
from schemas.raw import FileState, FileType, RootIdentity

_ENTRY = os.O_PATH | os.O_NOFOLLOW
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_CONTENT = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


class LocalTree:
    """The descriptor belongs to the tree, and is closed if the root cannot be read. Raises OSError."""

    def __init__(self, descriptor: int) -> None:
        self._root = descriptor
        self._listed: tuple[str, int] | None = None
        try:
            status = os.stat(".", dir_fd=descriptor)  # unlike fstat, it fails where nothing inside can be accessed
            self.identity = RootIdentity(status.st_dev, status.st_ino, os.fstatvfs(descriptor).f_fsid)
            with os.scandir(descriptor) as entries:
                self.is_empty = next(entries, None) is None
        except OSError:
            os.close(descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_listed()
        os.close(self._root)

    def stat(self, path: str) -> FileState | None:
        """See the interface."""
        try:
            descriptor = open_below(self._root, path, _ENTRY)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise Unreadable(path, _reason(error)) from error
        try:
            return _state(os.fstat(descriptor))
        except OSError as error:
            raise Unreadable(path, _reason(error)) from error
        finally:
            os.close(descriptor)

    def entries(self, path: str) -> list[tuple[str, FileState]] | None:
        """See the interface."""
        self._close_listed()
        try:
            descriptor = open_below(self._root, path, _DIRECTORY)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise Unreadable(path, _reason(error)) from error
        self._listed = path, descriptor
        try:
            with os.scandir(descriptor) as listing:
                return [found for entry in listing if (found := _entry(entry)) is not None]
        except OSError as error:
            raise Unreadable(path, _reason(error)) from error

    def fingerprint(self, path: str, seen: FileState) -> Print | None:
        """See the interface."""
        try:
            descriptor = self._opened(path)
        except OSError:  # gone, not readable, a symlink by now: then there is no fingerprint
            return None
        try:
            return _fingerprint(descriptor, seen)
        except OSError:  # a bad sector or a lost mount: the next scan tries again
            return None
        finally:
            os.close(descriptor)

    def _opened(self, path: str) -> int:
        parent, _, name = path.rpartition("/")
        if self._listed is None or self._listed[0] != parent:
            return open_below(self._root, path, _CONTENT)
        return os.open(name, _CONTENT, dir_fd=self._listed[1])

    def _close_listed(self) -> None:
        if self._listed is not None:
            os.close(self._listed[1])
            self._listed = None

    def piece(self, path: str, start: int, length: int) -> tuple[FileState, bytes] | None:
        """See the interface."""
        try:
            descriptor = open_below(self._root, path, _CONTENT)
        except OSError:
            return None
        try:
            before = _state(os.fstat(descriptor))
            if before.type != "file":
                return None
            content = os.pread(descriptor, length, start)
            return (before, content) if _state(os.fstat(descriptor)) == before else None
        except OSError:
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
        _TYPES.get(status.st_mode & _FORMAT, "other"), status.st_size, status.st_mtime_ns, status.st_dev,
        status.st_ino, status.st_nlink, status.st_ctime_ns,
    )  # fmt: skip


_TYPES: dict[int, FileType] = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink"}
_FORMAT = 0o170000
"""The bits of a mode that are its type (POSIX's S_IFMT)."""


def _fingerprint(descriptor: int, seen: FileState) -> Print | None:
    xxh3 = xxh3_of(seen.size, partial(os.pread, descriptor))
    after = os.fstat(descriptor)
    found = Print(after.st_size, after.st_mtime_ns, after.st_ino, xxh3)
    return found if stat.S_ISREG(after.st_mode) and found.of(seen) else None


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
