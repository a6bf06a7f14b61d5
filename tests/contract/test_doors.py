"""HTTP behind a door, over real connections: however the bytes arrive, the answers are the same, in order and one at a time;
and no stream of bytes, however broken, leaves anything behind or keeps anybody from an answer."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.live.doors import Doors
from gateway.live.tcp import listen
from tests.support.doors import doors
from tests.support.waiting import wait_until

SEED = 20_261
STREAMS = 400
GET = b"GET /echo?%d HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /echo?%d HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello\r\n\r\nyo"
CHUNKED = (
    b"POST /echo?%d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n4\r\n\r\n\r\n\r\n"
    b"0\r\nX-Trailer: y\r\n\r\n"
)
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
LAST = b"GET /echo?%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

in_work = 0
most_in_work = 0


async def echo(request: Request) -> PlainTextResponse:
    """The query, the body and the number of headers."""
    global in_work, most_in_work
    in_work += 1
    most_in_work = max(most_in_work, in_work)
    try:
        body = await request.body()
        await asyncio.sleep(0)
    except ClientDisconnect:
        body = b""
    finally:
        in_work -= 1
    return PlainTextResponse(f"{request.url.query} {body!r} {len(request.headers)}")


async def talk(websocket: WebSocket) -> None:
    """Receives whatever comes."""
    await websocket.accept()
    try:
        while True:
            await websocket.receive_text()
    except (WebSocketDisconnect, KeyError):
        pass


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[int, Doors]]:
    """A server behind doors: its port, and the doors."""
    behind = doors()
    listening = listen("127.0.0.1", 0)
    app = Starlette(routes=[Route("/echo", echo, methods=["GET", "POST"]), WebSocketRoute("/ws", talk)])
    config = uvicorn.Config(
        app, http=behind.protocol(), ws="websockets-sansio", ws_ping_interval=None, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)

    async def run() -> None:
        sweeping = asyncio.create_task(behind.sweep())
        await server.serve(sockets=[listening])
        sweeping.cancel()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        wait_until(lambda: server.started, 10, what="the server")
        yield listening.getsockname()[1], behind
    finally:
        server.should_exit = True
        thread.join(10)


async def request(port: int, pieces: list[bytes]) -> bytes:
    """Send pieces one by one; returns everything that was answered until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


def split(random_: random.Random, data: bytes, longest: int) -> list[bytes]:
    """Cut at random."""
    pieces, at = [], 0
    while at < len(data):
        size = random_.randint(1, longest)
        pieces.append(data[at : at + size])
        at += size
    return pieces


@pytest.mark.parametrize("longest", [1, 7, 100, 10_000])
def test_pipelined_requests_are_answered_in_order_one_at_a_time_however_they_are_cut(
    served: tuple[int, Doors], longest: int
) -> None:
    global most_in_work
    most_in_work = 0
    random_ = random.Random(SEED)
    kinds = [random_.choice([GET, POST, CHUNKED]) for _ in range(20)]
    data = b"".join(kind % n for n, kind in enumerate(kinds)) + LAST % 20
    answer = asyncio.run(request(served[0], split(random_, data, longest)))
    bodies = [part.rpartition(b"\r\n\r\n")[2].decode() for part in answer.split(b"HTTP/1.1 200 OK")[1:]]
    expected = {GET: "b'' 1", POST: "b'hello\\r\\n\\r\\nyo' 2", CHUNKED: "b'hello\\r\\n\\r\\n' 2"}
    assert bodies == [*(f"{n} {expected[kind]}" for n, kind in enumerate(kinds)), "20 b'' 2"]
    assert most_in_work == 1


def mutated(random_: random.Random) -> bytes:
    """Requests and frames with bytes changed, removed, doubled."""
    kinds = [random_.choice([GET % 1, POST % 2, CHUNKED % 3, HANDSHAKE]) for _ in range(random_.randint(1, 3))]
    if random_.random() < 0.5:
        kinds.append(HANDSHAKE + random_.randbytes(random_.randint(1, 300)))
    data = bytearray(b"".join(kinds))
    for _ in range(random_.randint(0, 6)):
        at = random_.choice([0, random_.randrange(len(data)), random_.randrange(len(data))])
        match random_.randrange(4):
            case 0:
                data[at] = random_.randrange(256)
            case 1:
                del data[at : at + random_.randint(1, 20)]
            case 2:
                data[at:at] = data[at : at + random_.randint(1, 200)]
            case _:
                data[at:at] = random_.choice(
                    [b"\r\n", b"\r\n" * 40, b"\n", b"\0", b"a" * 9_000, b"x: y\r\n" * 140]
                )
        data = data or bytearray(b"\0")
    return bytes(data)


async def throw(port: int, data: list[bytes], random_: random.Random) -> None:
    """Send, receive for a moment, and disconnect in one way or another."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in data:
            writer.write(piece)
            await writer.drain()
        if random_.random() < 0.5:
            writer.write_eof()
            await asyncio.wait_for(reader.read(), 20)
    except OSError:
        pass  # it was refused already
    finally:
        writer.transport.abort()


def test_no_stream_of_bytes_leaves_anything_behind_or_an_error_in_the_log(
    served: tuple[int, Doors], caplog: pytest.LogCaptureFixture
) -> None:
    port, behind = served
    random_ = random.Random(SEED)

    async def main() -> None:
        for _ in range(STREAMS // 20):
            streams = (split(random_, mutated(random_), 5_000) for _ in range(20))
            await asyncio.gather(*(throw(port, stream, random_) for stream in streams))

    asyncio.run(main())
    wait_until(lambda: not behind.open, 20, what="all connections to be over")
    assert (behind.admission.total, behind.arriving.total) == (0, 0)
    assert not behind.admission.of_address
    assert not behind.admission.in_work
    assert b"21 b'' 2" in asyncio.run(request(port, [LAST % 21]))
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
