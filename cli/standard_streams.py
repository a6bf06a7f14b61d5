"""Ensures that the three standard streams are open, and that a closed reader does not end the process.

Cron, systemd and other programs may start us with some of them closed; then the next file that is opened would get that
descriptor, and printed text would be written to it. A terminal may be closed and a reader may end (`| head`) while a service
runs: then its output is lost, but not its work or its orderly end.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer

_STREAMS = (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_WRONLY, "w"), ("stderr", os.O_WRONLY, "w"))


def open_missing() -> None:
    """Open /dev/null for standard streams that are closed. Call it at the start of a process, before anything else is
    opened."""
    for number, (name, flags, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, flags)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def outlive_readers() -> None:
    """From now on output that cannot be written is discarded without an error. For services only: a tool whose reader is
    gone has no work left."""
    sys.stdout = _outliving(sys.stdout)
    sys.stderr = _outliving(sys.stderr)


class _Outliving(io.RawIOBase):
    """A descriptor whose write errors are ignored."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        taken = memoryview(data)
        try:
            return os.write(self._descriptor, taken)
        except OSError:  # no reader, no terminal, no space: the error cannot be reported anywhere
            return len(taken)


def _outliving(stream: TextIO) -> TextIO:
    try:
        descriptor = stream.fileno()
    except io.UnsupportedOperation:  # a caller's own, in memory
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Outliving(descriptor)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=True,
    )
