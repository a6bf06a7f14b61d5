"""Clients of the measured servers, all in one process: it opens sockets, and records when each of their events arrived."""

from __future__ import annotations

import json
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from bench.c_receive import recorder
from bench.gateway_servers import raise_descriptor_limit
from schemas.channels import MEDIA_UPDATES

DESCRIPTORS = 10_000
WAIT_SECONDS = 30.0
LEAVE_SECONDS = 1.0
"""Time for a server to clean up after closed sockets."""

KEY = b"AAAAAAAAAAAAAAAAAAAAAA=="


@dataclass(frozen=True, slots=True)
class Opening:
    """So many sockets to a server's port. `query`: with a token, empty where none is needed."""

    server: str
    port: int
    query: str
    sockets: int


def opened(port: int, query: str, sockets: int) -> list[socket.socket]:
    """Sockets that are between two frames of the server, all opened at once; subscribed where they have a token in the
    query."""
    request = (
        f"GET /ws{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY.decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    text = json.dumps({"type": "subscribe", "channel": MEDIA_UPDATES.name}).encode()
    opening = []
    for _ in range(sockets):
        opening.append(socket.create_connection(("127.0.0.1", port)))
        opening[-1].sendall(request.encode())
    for one in opening:
        got = one.recv(1_024)
        if b" 101 " not in got or not got.endswith(b"\r\n\r\n"):
            raise ConnectionError(got.decode())
        if query:
            one.sendall(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)
    if query:
        for one in opening:
            one.recv(1 << 16)  # one frame, written whole
    return opening


def listen(pipe: Connection) -> None:
    """The clients' process: opens sockets on request, replacing those it has for that server (answers with the seconds
    that took), and then records the events of turns: `(server, events)`."""
    raise_descriptor_limit(DESCRIPTORS)
    over = recorder()
    of: dict[str, list[socket.socket]] = {}
    known: set[str] = set()
    while (request := pipe.recv()) is not None:
        match request:
            case Opening(server, port, query, sockets):
                for one in of.pop(server, ()):
                    one.close()
                time.sleep(LEAVE_SECONDS if server in known else 0)
                known.add(server)
                began = time.monotonic()
                of[server] = opened(port, query, sockets)
                pipe.send(time.monotonic() - began)
            case (str(server), int(events)):
                record = over([one.fileno() for sockets in of.values() for one in sockets])
                wanted = [one.fileno() for one in of[server]]
                pipe.send(record(wanted, events, WAIT_SECONDS).tobytes())


@contextmanager
def process(target: object, *arguments: object) -> Iterator[Connection]:
    """Another process, with a pipe to it; killed in the end."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    running = spawn.Process(target=target, args=(*arguments, theirs), daemon=True)  # type: ignore[arg-type]
    running.start()
    theirs.close()  # so that the other end's exit is noticed
    try:
        yield ours
    finally:
        running.kill()
        running.join()
