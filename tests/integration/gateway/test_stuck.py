"""Dead, slow and stuck: a peer that acknowledges nothing is gone after 15 s; one that is alive and reads nothing is served
when it reads again, and closed with 4008 if it takes nothing for too long; the others do not notice."""

from __future__ import annotations

import base64
import ctypes
import json
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest

from bench.floods.running import waited
from runtime.kafka import Kafka
from tests.support.events import films
from tests.support.gateway import Gateway, gateway
from tests.support.topic import pour, write
from tests.support.waiting import wait_until

REQUEST_SECONDS = 11.0
DEAD_SECONDS = 40.0  # 15 s without an acknowledgement, on a machine that may be busy
EVENTS = 1_500
STUCK_EVENTS = 200
TRICKLE_BYTES = 200
GIVEN_UP_SECONDS = 25.0
"""Longer than a gateway keeps a client that takes nothing after the close frame: 5 s for the client's own, 2 s to linger,
10 s to take something."""
SO_ATTACH_FILTER = 26


@pytest.fixture(scope="module")
def impatient(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that gives slow clients two seconds."""
    running = gateway(log, tables, tmp_path_factory.mktemp("impatient"), {"SLOW_SECONDS": "2"})
    running.start()
    yield running
    running.kill()


UNFINISHED = {
    "idle connection": (b"", b"", b""),
    "half a head": (b"GET /health HTTP/1.1\r\nHost: x\r\n", b"", b"HTTP/1.1 408"),
    "slow body": (
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n",
        b" ",
        b"HTTP/1.1 408",
    ),
}
"""What is sent, what is repeated every half second, and the answer; empty: closed without one."""


def test_what_is_never_finished_is_answered_or_closed_in_time(server: Gateway) -> None:
    assert server.process is not None
    pids = (server.process.pid, os.getpid())
    before = sum(map(waited, pids))
    with ThreadPoolExecutor(len(UNFINISHED)) as threads:
        found = dict(zip(UNFINISHED, threads.map(partial(_unfinished, server), UNFINISHED.values()), strict=True))
    assert {name: answer for name, (answer, _) in found.items()} == {n: a for n, (_, _, a) in UNFINISHED.items()}
    assert all(seconds > REQUEST_SECONDS - 2 for _, seconds in found.values()), found
    assert max(seconds for _, seconds in found.values()) < REQUEST_SECONDS + sum(map(waited, pids)) - before, (
        "of a free processor"
    )


def _unfinished(server: Gateway, sent: tuple[bytes, bytes, bytes]) -> tuple[bytes, float]:
    """The beginning of the answer, and when it came."""
    first, again, _ = sent
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        began = time.monotonic()
        connection.sendall(first)
        connection.settimeout(0.5)
        while time.monotonic() - began < REQUEST_SECONDS + 20:  # the machine may be busy
            with suppress(TimeoutError):
                answer = connection.recv(12)
                return answer, time.monotonic() - began
            connection.sendall(again)
        raise TimeoutError("neither answered nor closed")


def test_the_dead_are_gone_the_slow_get_everything_and_the_others_do_not_notice(
    server: Gateway, token: str, log: Kafka
) -> None:
    with (
        closing(_subscriber(server, token)) as dead,
        closing(_subscriber(server, token)) as slow,
        server.client(token, ping_interval=None) as quick,
    ):
        quick.subscribe("media_updates")
        _die(dead)
        pour(log, films(EVENTS, size=4_000))
        quick.receive_until(lambda f: f.get("id") == f"film-0-{EVENTS - 1}", 30)
        wait_until(lambda: '"why": "dead"' in server.log.read_text(), DEAD_SECONDS, what="the dead to be dropped")
        write(log, *films(1, first=EVENTS))
        quick.receive_until(lambda f: f.get("id") == f"film-0-{EVENTS}")
        received = _events(slow, until=f"film-0-{EVENTS}")
    assert received == [f"film-0-{n}" for n in range(EVENTS + 1)]
    assert '"why": "stuck"' not in server.log.read_text()


def test_a_client_that_takes_nothing_for_too_long_is_closed_4008_and_reads_that_however_slowly(
    impatient: Gateway, log: Kafka, tmp_path: Path
) -> None:
    with closing(_subscriber(impatient, impatient.sign_in())) as stuck:
        pour(log, films(STUCK_EVENTS, size=4_000))
        wait_until(lambda: '"why": "stuck"' in impatient.log.read_text(), 20, what="the stuck to be given up")
        frames = list(_frames(_trickle(stuck, GIVEN_UP_SECONDS)))
    assert frames[-1] == (8, struct.pack(">H", 4008) + b"too slow")
    received = [json.loads(payload).get("id") for opcode, payload in frames if opcode == 1]
    events = [id_ for id_ in received if id_]
    assert events == [f"film-0-{n}" for n in range(len(events))]


def _subscriber(server: Gateway, token: str) -> socket.socket:
    """A subscribed socket whose receive buffer is small."""
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    opened.connect(("127.0.0.1", server.port))
    opened.settimeout(30)
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET /ws?token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    opened.sendall(request.encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += opened.recv(1)
    assert head.startswith(b"HTTP/1.1 101")
    message = b'{"type":"subscribe","channel":"media_updates"}'
    opened.sendall(bytes([0x81, 0x80 | len(message), 0, 0, 0, 0]) + message)  # masked with zeros
    opcode, payload = next(_frames(opened.recv))
    assert opcode == 1
    assert json.loads(payload)["type"] == "subscribed"
    return opened


def _die(peer: socket.socket) -> None:
    """From here on its kernel drops every incoming packet: nothing is acknowledged."""
    drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0
    peer.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(drop_all)))


Receive = Callable[[int], bytes]
"""At most so many bytes, at least one until the end: `socket.recv`."""


def _trickle(opened: socket.socket, seconds: float) -> Receive:
    """Receives a few bytes a second at first, then everything."""
    ends = time.monotonic() + seconds

    def receive(size: int) -> bytes:
        if time.monotonic() > ends:
            return opened.recv(size)
        time.sleep(0.2)
        return opened.recv(min(size, TRICKLE_BYTES))

    return receive


def _frames(receive: Receive) -> Iterator[tuple[int, bytes]]:
    """Frames as they come, up to a close frame or the end."""
    while head := _exactly(receive, 2):
        size = head[1]
        if size == 126:
            size = struct.unpack(">H", _exactly(receive, 2))[0]
        elif size == 127:
            size = struct.unpack(">Q", _exactly(receive, 8))[0]
        yield head[0] & 15, _exactly(receive, size)
        if head[0] & 15 == 8:
            return


def _exactly(receive: Receive, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := receive(size - len(data))):
        data += more
    return data


def _events(opened: socket.socket, *, until: str) -> list[str]:
    """The ids of events up to one."""
    received: list[str] = []
    for opcode, payload in _frames(opened.recv):
        id_ = json.loads(payload).get("id") if opcode == 1 else None
        if id_:
            received.append(id_)
        if id_ == until:
            break
    return received
