"""What a probing child may use: memory, processor time, files, network. The child applies the limits to itself before it
receives any file.

Memory, processor time, written files and open descriptors are bounded by the kernel's resource limits. Two more are
removed if the kernel permits it: the network, by a namespace without interfaces (as root, or if unprivileged user
namespaces are allowed), and all files but Python's own, by Landlock (Linux 5.13, if it is enabled). Elsewhere the only
protection is that the readers open nothing but the given file. A child dies with the process that started it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from collections.abc import Iterable

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
"""Numbers of the Linux ABI: linux/prctl.h, linux/sched.h."""

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_RULE_PATH_BENEATH = 1
LANDLOCK_READ = 1 << 2 | 1 << 3
LANDLOCK_ALL = (1 << 13) - 1
"""System calls and rights of Landlock's first version: linux/landlock.h."""

OPEN_FILES = 64


def die_with_parent(parent: int) -> None:
    """The kernel kills this process when `parent` ends. Ends at once when it has ended already."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(0)


def confine(memory_bytes: int) -> None:
    """Set permanently: this much address space, no file writing, no core dump, no new privileges, no network."""
    _lower(resource.RLIMIT_AS, memory_bytes)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def leave_network() -> bool:
    """Move to a network namespace without interfaces; False if the kernel does not permit it. Call it before any thread
    is started: only a process with a single thread can create a user namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET))


def forget_files(readable: Iterable[str]) -> bool:
    """From now on only files below `readable` can be opened, and only for reading; descriptors that are received open
    still work. False if the kernel has no Landlock. Call it after `confine`, which makes it permitted."""
    libc = ctypes.CDLL(None, use_errno=True)
    handled = struct.pack("Q", LANDLOCK_ALL)
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            below = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = struct.pack("=Qi", LANDLOCK_READ, below)
            libc.syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_RULE_PATH_BENEATH, rule, 0)
            os.close(below)
        return bool(libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def allow_processor_seconds(seconds: float) -> None:
    """Allow so much processor time from now on before the kernel ends this process with SIGXCPU; called before each
    probe."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 1, hard))


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")
