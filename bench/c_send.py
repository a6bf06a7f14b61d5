"""The baseline of every figure of a socket: a C loop that calls send(2) of ready bytes for each and does nothing else.

It is compiled when a measurement begins, so a C compiler is needed where it is measured, and nowhere else.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

_SOURCE = r"""
#include <stddef.h>
#include <sys/socket.h>

long send_to_each(const int *sockets, long count, const char *data, size_t size)
{
    long whole = 0;
    for (long i = 0; i < count; i++)
        whole += send(sockets[i], data, size, MSG_NOSIGNAL) == (ssize_t) size;
    return whole;
}
"""

SendToEach = Callable[[bytes], int]
"""Sends to each; how many the kernel took whole."""


def send_to_each() -> Callable[[Sequence[int]], SendToEach]:
    """The compiled loop, for the descriptors that it is given. Raises OSError or CalledProcessError without a compiler."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder:
        source, library = Path(folder) / "send.c", Path(folder) / "send.so"
        source.write_text(_SOURCE)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
        function = ctypes.CDLL(str(library)).send_to_each
    function.restype = ctypes.c_long
    function.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_char_p, ctypes.c_size_t]

    def over(descriptors: Sequence[int]) -> SendToEach:
        own = array("i", descriptors)
        return lambda data: int(function(own.buffer_info()[0], len(own), data, len(data)))

    return over
