"""The baseline of every figure of a socket: a C loop that calls send(2) with prepared bytes for each, nothing else."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable, Sequence

from bench.c_code import compiled

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
"""Sends to each; returns how many sends the kernel accepted completely."""


def send_to_each() -> Callable[[Sequence[int]], SendToEach]:
    """The compiled loop, for given descriptors. Raises OSError or CalledProcessError without a compiler."""
    function = compiled(_SOURCE).send_to_each
    function.restype = ctypes.c_long
    function.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_char_p, ctypes.c_size_t]

    def over(descriptors: Sequence[int]) -> SendToEach:
        own = array("i", descriptors)
        return lambda data: int(function(own.buffer_info()[0], len(own), data, len(data)))

    return over
