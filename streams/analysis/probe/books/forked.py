"""Work that may crash, hang or use too much memory, in a forked process: what it has sent before is kept, and the
caller continues.

A large foreign library ends the process when it runs out of memory, or when a file triggers a bug; and a cover is not
worth losing the rest that is known of a file. The fork has the limits, the loaded library and the open file of this
process. They share the position in that file, so this process must not read from it any more."""

from __future__ import annotations

import contextlib
import gc
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
"""Maximum bytes of all messages; more is not read."""
_LENGTH = struct.Struct(">I")

Send = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`sent`: complete messages. `ended`: `whole`; `early`, by a crash or lack of memory; `late`, killed at one of its
    time limits."""

    sent: list[bytes]
    ended: Literal["whole", "early", "late"]


def run(work: Callable[[Send], None], *, processor_seconds: float, seconds: float) -> Outcome:
    """Do the work, for at most `processor_seconds` of processor time (rounded up to the next second, the kernel's unit)
    and `seconds` in all. Raises MemoryError if no process can be started, because that is the kernel's reason."""
    reading, writing = os.pipe()
    parent = os.getpid()
    try:
        child = os.fork()
    except OSError as error:
        os.close(reading)
        os.close(writing)
        raise MemoryError from error
    if child == 0:
        _work(work, writing, parent, processor_seconds)
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
    if not is_late and os.waitstatus_to_exitcode(status) != -signal.SIGXCPU:
        ended = "whole" if status == 0 else "early"
    return Outcome(_messages(data), ended)


def _work(work: Callable[[Send], None], writing: int, parent: int, processor_seconds: float) -> NoReturn:
    # A video's decoder that is garbage in this process waits for its threads when it is collected, and a fork has none of
    # them: it would hang, and a good document would be one that takes too long.
    gc.disable()
    code = 1
    try:
        limits.die_with_parent(parent)  # if the parent is killed for taking too long, this process ends too
        limits.allow_processor_seconds(processor_seconds)

        def send(message: bytes) -> None:
            left = memoryview(_LENGTH.pack(len(message)) + message)
            while left:
                left = left[os.write(writing, left) :]

        work(send)
        code = 0
    finally:  # in any case: no code of the forked process may run twice
        os._exit(code)


def _received(reading: int, until: float) -> tuple[bytes, bool]:
    """All bytes, and whether the end was not reached."""
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
