"""The sink port: what is written arrives message by message in order, a close comes after it with its code, and the watcher
is notified of the end once; before the application is left, and after."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn._types import ASGIReceiveEvent
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from gateway.core.framing import text_frame
from gateway.live.sockets import OnMessage, Sink, sink_of
from gateway.live.tcp import listen
from schemas.close_codes import TOO_SLOW, CloseCode
from tests.support.doors import doors
from tests.support.waiting import wait_until

TEXTS = ["one", "ü" * 100, "x" * 70_000, ""]


class Watcher:
    """Records its notifications."""

    def __init__(self) -> None:
        self.notified: list[str] = []
        self.heard: list[str] = []

    def paused(self) -> None:
        self.notified.append("paused")

    def drained(self) -> None:
        self.notified.append("drained")

    def ponged(self, payload: bytes) -> None:
        self.notified.append(f"ponged {payload!r}")

    def refused(self, code: CloseCode) -> None:
        self.notified.append("refused")

    def closed(self) -> None:
        self.notified.append("closed")


def application(watcher: Watcher, *, handed_over: bool) -> Starlette:
    """Sends the texts as one joined write, then closes when it receives anything; `handed_over`: by another owner, after the
    application has returned."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        sink = sink_of(websocket)
        sink.watcher = watcher
        sink.write(b"".join(text_frame(text.encode()) for text in TEXTS))
        if handed_over:
            sink.hand_over(receiving(sink, watcher))
            return
        await websocket.receive()
        sink.close(TOO_SLOW)
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass

    return Starlette(routes=[WebSocketRoute("/", endpoint)])


def receiving(sink: Sink, watcher: Watcher) -> OnMessage:
    """The receiver of the client's messages."""

    def on_message(message: ASGIReceiveEvent) -> None:
        watcher.heard.append(message["type"])
        if message["type"] == "websocket.receive":
            asyncio.get_running_loop().call_soon(
                sink.close, TOO_SLOW
            )  # as the real owner does, in a step of its own

    return on_message


@contextmanager
def running(app: Starlette) -> Iterator[int]:
    """The application under uvicorn, in a thread."""
    socket = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        app,
        http=doors().protocol(),
        ws="websockets-sansio",
        ws_ping_interval=None,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[socket])))
    port = socket.getsockname()[1]
    thread.start()
    try:
        wait_until(lambda: server.started, 10, what="the server")
        yield port
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.mark.parametrize("handed_over", [False, True])
def test_joined_writes_arrive_one_by_one_and_a_close_after_them(*, handed_over: bool) -> None:
    watcher = Watcher()
    with (
        running(application(watcher, handed_over=handed_over)) as port,
        connect(f"ws://127.0.0.1:{port}/", max_size=None, compression=None) as socket,
    ):
        texts = [socket.recv(timeout=5) for _ in TEXTS]
        socket.send("enough")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=5)
    assert texts == TEXTS
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (TOO_SLOW.code, TOO_SLOW.reason)
    assert watcher.notified.count("closed") == 1
    assert watcher.heard[:2] == (["websocket.receive", "websocket.disconnect"] if handed_over else [])
