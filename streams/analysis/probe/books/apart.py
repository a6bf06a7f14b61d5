"""Work that may crash, hang or swell, in a process of its own: what it had sent before stays, and whoever asked goes
on.

A large foreign library ends the process when it finds no memory, or when a file outwits it; and no cover is worth the
rest that is known of a file. The copy of this process (fork) has its limits, its library already loaded and its open
file; it shares the place in that file, so that nobody reads there any more behind this."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NoReturn

from streams.analysis import limits

MAX_BYTES = 1_048_576
"""Sent altogether; more is not read."""
_LENGTH = struct.Struct(">I")

Send = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`sent`: whole messages. `ended`: `whole`; `early`, by a crash or for want of memory; `late`, having been ended."""

    sent: list[bytes]
    ended: Literal["whole", "early", "late"]


def run(work: Callable[[Send], None], seconds: float) -> Outcome:
    """Do it, for at most so long. Raises MemoryError where no process can be started: that is what the kernel means."""
    reading, writing = os.pipe()
    parent = os.getpid()
    try:
        child = os.fork()
    except OSError as error:
        os.close(reading)
        os.close(writing)
        raise MemoryError from error
    if child == 0:
        _work(work, writing, parent)
    os.close(writing)
    ended: Literal["whole", "early", "late"] = "late"
    data = b""
    try:
        data, is_late = _received(reading, time.monotonic() + seconds)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(reading)
    if is_late:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not is_late:
        ended = "whole" if status == 0 else "early"
    return Outcome(_messages(data), ended)


def _work(work: Callable[[Send], None], writing: int, parent: int) -> NoReturn:
    code = 1
    try:
        limits.die_with_parent(parent)  # who is killed for taking too long takes this along

        def send(message: bytes) -> None:
            left = memoryview(_LENGTH.pack(len(message)) + message)
            while left:
                left = left[os.write(writing, left) :]

        work(send)
        code = 0
    finally:  # whatever happens: nothing of the process that was copied may run twice
        os._exit(code)


def _received(reading: int, until: float) -> tuple[bytes, bool]:
    """Everything, and whether it was still not the end."""
    data = bytearray()
    waiting = select.poll()
    waiting.register(reading, select.POLLIN)
    while len(data) <= MAX_BYTES:
        left = until - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            return bytes(data), True
        part = os.read(reading, 65_536)
        if not part:
            return bytes(data), False
        data += part
    return bytes(data[:MAX_BYTES]), True


def _messages(data: bytes) -> list[bytes]:
    found, at = [], 0
    with contextlib.suppress(struct.error):
        while True:
            (length,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size + length
            if at > len(data):
                break
            found.append(data[at - length : at])
    return found
