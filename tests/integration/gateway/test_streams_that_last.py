"""An event stream lives like a socket: it sends heartbeats, ends with its token and reports that, and costs the gateway next
to nothing while its reader reads nothing."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import psutil
import pytest

from runtime.kafka import Kafka
from schemas.close_codes import TOKEN_EXPIRED
from tests.support.event_source import event_source
from tests.support.events import films
from tests.support.forging import forge
from tests.support.gateway import Gateway, gateway
from tests.support.topic import write

PATH = "/api/v1/channels/media_updates/stream"
PING_SECONDS = 2
BIG, EVENTS = 100_000, 400
MEBIBYTE = 1 << 20
MAX_GROWTH = 16 * MEBIBYTE
RECEIVE_BUFFER = 16_384


@pytest.fixture(scope="module")
def server(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that pings often, and whose memory of events has next to nothing."""
    settings = {"PING_SECONDS": str(PING_SECONDS), "RING_BYTES": "65536"}
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), settings)
    running.start()
    yield running
    running.kill()


def test_where_nothing_happens_a_comment_comes_each_ping_interval(server: Gateway, token: str, log: Kafka) -> None:
    with event_source(server.url + PATH, token) as source:
        source.until("subscribed")
        began = time.monotonic()
        lines = source.lines
        alive = [line for line, _ in zip((line for line in lines if line.startswith(":")), range(3), strict=False)]
        assert alive == [": alive"] * 3
        assert 3 * PING_SECONDS - 1 <= time.monotonic() - began <= 3 * PING_SECONDS + 4
        write(log, *films(1))
        assert [event.type for event in source.until("media_update")] == ["media_update"]


def test_a_token_that_ends_ends_the_stream_with_the_reason_and_a_position_to_resume_at(
    server: Gateway, token: str, log: Kafka
) -> None:
    """Like the socket of the same token, closed with the same code in the same second."""
    ends = int(time.time()) + 3
    short = forge(token, exp=ends)
    with server.client(short) as client, event_source(server.url + PATH, short) as source:
        client.subscribe("media_updates")
        source.until("subscribed")
        write(log, *films(1, first=10))
        source.until("media_update")
        rest = source.rest()
        assert ends <= time.time() < ends + 4
        assert client.close_code() == TOKEN_EXPIRED.code
    assert [event.type for event in rest] == ["position", "closed"]
    assert json.loads(rest[-1].data) == {"code": 4002, "reason": "token expired", "come_back": True}
    assert rest[-1].last_event_id == rest[0].last_event_id, "the last event is no position"
    write(log, *films(1, first=11))
    with event_source(server.url + PATH, token, source.last_event_id) as again:
        (event,) = [one for one in again.until("caught_up") if one.type == "media_update"]
    assert json.loads(event.data)["data"]["media_id"] == 11


def test_a_reader_that_reads_nothing_of_a_big_past_costs_no_memory_and_loses_nothing(
    server: Gateway, token: str, log: Kafka
) -> None:
    """The past is a few kB in the log (it compresses well) and 80 MB as frames."""
    write(log, *films(EVENTS, first=1_000, size=BIG))
    assert _read_all(server, token) == EVENTS, "and the process has allocated what any replay needs"
    before = _resident(server)
    grown = 0
    with _requested(server, token) as silent:
        until = time.monotonic() + 4
        while time.monotonic() < until:
            grown = max(grown, _resident(server) - before)
            time.sleep(0.05)
        received = _drain(silent)
    assert grown <= MAX_GROWTH, f"{grown / MEBIBYTE:.1f} MiB"
    assert [received.count(b'"media_id": %d,' % n) for n in (1_000, 1_000 + EVENTS - 1)] == [2, 2]
    assert received.count(b"event: media_update\n") >= EVENTS


def _resident(server: Gateway) -> int:
    assert server.process is not None
    return int(psutil.Process(server.process.pid).memory_info().rss)


def _read_all(server: Gateway, token: str) -> int:
    with event_source(server.url + PATH, token, **{"from": "earliest"}) as source:
        return sum(len(event.data) > BIG for event in source.until("caught_up"))


def _requested(server: Gateway, token: str) -> socket.socket:
    """A connection that has requested the whole past, and takes little at a time."""
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    opened.settimeout(20)
    opened.connect(("127.0.0.1", server.port))
    head = f"GET {PATH}?from=earliest HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    opened.sendall(head.encode())
    return opened


def _drain(opened: socket.socket) -> bytes:
    received = bytearray()
    while b"event: caught_up\n" not in received[-4_096:]:
        piece = opened.recv(1 << 18)
        assert piece, "the stream ended"
        received += piece
    return bytes(received)
