"""Opens paths below an open directory, through that directory's own descriptors and never through a link.

A directory that is replaced by a symbolic link between two accesses then leads nowhere, instead of elsewhere. The kernel
resolves such a path in one call where it can (`openat2`, Linux 5.6); a path that is too long for it, and any path on an
older kernel, is walked name by name."""

from __future__ import annotations

import ctypes
import errno
import os

_OPENAT2 = 437
"""The same on every architecture."""

_NO_SYMLINKS = 0x04
_LONGEST = 4_000
_UNKNOWN = frozenset({errno.ENOSYS, errno.EPERM})
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_syscall = ctypes.CDLL(None, use_errno=True).syscall


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_below(directory: int, path: str, flags: int) -> int:
    """A descriptor of `path` (`""`: the directory itself). Raises OSError; ELOOP or ENOTDIR where a link is in the
    way. `flags` are those of `os.open`; with O_PATH and O_NOFOLLOW a link at the end is opened itself."""
    flags |= os.O_CLOEXEC
    name = os.fsencode(path or ".")
    if len(name) > _LONGEST:
        return _walked(directory, name, flags)
    how = _How(flags, 0, _NO_SYMLINKS)
    descriptor = _syscall(_OPENAT2, directory, name, ctypes.byref(how), ctypes.sizeof(how))
    if descriptor >= 0:
        return int(descriptor)
    code = ctypes.get_errno()
    if code in _UNKNOWN:
        return _walked(directory, name, flags)
    raise OSError(code, os.strerror(code))


def _walked(directory: int, path: bytes, flags: int) -> int:
    *parents, last = path.split(b"/")
    at = os.open(".", _STEP, dir_fd=directory)
    try:
        for name in parents:
            inner = os.open(name, _STEP, dir_fd=at)
            os.close(at)
            at = inner
        return os.open(last, flags | os.O_NOFOLLOW, dir_fd=at)
    finally:
        os.close(at)
