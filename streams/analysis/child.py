"""A probing child: reads requests, probes the file that comes with each, and replies. `python -m
streams.analysis.child SOCKET PARENT MEMORY_MB SECONDS`; only the parent starts it.

It limits itself before it reads anything, knows no paths, and ends when its parent does.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import sysconfig
from pathlib import Path
from typing import BinaryIO

from streams.analysis import limits, remote, wire


def main(arguments: list[str]) -> None:
    """Serve until the parent closes the socket."""
    number, parent, memory_mb, seconds = arguments
    limits.die_with_parent(int(parent))
    limits.leave_network()
    limits.confine(int(memory_mb) * 1_048_576)
    from streams.analysis import probe  # the readers are loaded under the limits, and in no other process

    probe.warm_up()
    gc.freeze()  # what is loaded stays, and need not be collected
    limits.forget_files(libraries())
    with socket.socket(fileno=int(number)) as connection:
        connection.sendall(wire.frame(b""))
        while (received := _receive(connection)) is not None:
            request, descriptor = received
            limits.allow_processor_seconds(float(seconds))
            with _file(descriptor, request.size) as file:
                reply = probe.probe(file, request)
            connection.sendall(wire.frame(wire.encode(reply)))
            gc.collect()  # FFmpeg's objects form reference cycles: a hundred megabytes after an 8K film


def _file(descriptor: int, size: int | None) -> BinaryIO:
    return os.fdopen(descriptor, "rb") if size is None else remote.opened(descriptor, size)


def libraries() -> set[str]:
    """The folders from which Python loads modules late (text encodings, for example). Not our own sources: they are
    loaded already, and state may be next to them."""
    paths = sysconfig.get_paths()
    return {path for name in ("stdlib", "platstdlib", "purelib", "platlib") if Path(path := paths[name]).is_dir()}


def _receive(connection: socket.socket) -> tuple[wire.Request, int] | None:
    head, descriptors, _flags, _address = socket.recv_fds(connection, wire.LENGTH.size, 1, socket.MSG_WAITALL)
    if not head:
        return None
    (length,) = wire.LENGTH.unpack(head)
    body = connection.recv(length, socket.MSG_WAITALL)
    return wire.decode_request(body), descriptors[0]


if __name__ == "__main__":
    main(sys.argv[1:])
