"""A peer that does nothing does not stay: a half-sent request, and a reader that has stopped reading, while the
others go on."""

from __future__ import annotations

import base64
import os
import socket
import time

from runtime.kafka import Kafka
from tests.support.events import films
from tests.support.gateway import Gateway
from tests.support.topic import write
from tests.support.waiting import wait_until

REQUEST_SECONDS = 11.0
STUCK_SECONDS = 40.0  # 15 s without an acknowledgement, plus TCP's own probing


def test_stuck_peers_are_gone_and_the_others_do_not_notice(server: Gateway, token: str, log: Kafka) -> None:
    half = socket.create_connection(("127.0.0.1", server.port))
    half.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
    began = time.monotonic()
    stuck = _stuck_reader(server, token)
    try:
        with server.client(token, ping_interval=None) as quick:
            quick.subscribe("media_updates")
            write(log, *films(1_500, size=4_000))
            quick.hear_until(lambda f: f.get("id") == "film-0-1499", 30)
            half.settimeout(REQUEST_SECONDS)
            assert half.recv(1) == b""
            assert time.monotonic() - began < REQUEST_SECONDS + 20  # the machine may be busy meanwhile
            with server.http(token) as http:
                wait_until(
                    lambda: "catalogizer_gateway_sockets 1.0" in http.get("/metrics").text,
                    STUCK_SECONDS,
                    what="the stuck reader to be dropped",
                    every=0.5,
                )
            write(log, *films(1, first=5_000))
            quick.hear_until(lambda f: f.get("id") == "film-0-5000")
    finally:
        stuck.close()
        half.close()


def _stuck_reader(server: Gateway, token: str) -> socket.socket:
    """A socket that subscribes and never reads again; its receive buffer is small."""
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    opened.connect(("127.0.0.1", server.port))
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET /ws?token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    opened.sendall(request.encode())
    assert opened.recv(12) == b"HTTP/1.1 101"
    message = b'{"type":"subscribe","channel":"media_updates"}'
    opened.sendall(bytes([0x81, 0x80 | len(message), 0, 0, 0, 0]) + message)  # masked with zeros
    return opened
