"""The fast list, over real connections and both event loops: while clients stall, ping, abort, half-close and close, and
others reuse their descriptors, every stream is the log byte for byte from where it began: nothing lost, nothing repeated, no
broken frame."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from gateway.core.about import Framed
from gateway.core.framing import payloads, text_frame
from gateway.core.memory import ChannelPartition, TailBatch
from gateway.core.subscriber import NOBODY, PLAIN, Subscriber
from gateway.live.sockets import sink_of
from gateway.live.streaming import Streaming
from gateway.live.tcp import listen
from gateway.log.reader import LogReader
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas.channels import MEDIA_UPDATES
from schemas.close_codes import CloseCode
from tests.support.doors import doors
from tests.support.waiting import wait_until

SEED = 20_262
EVENTS = 2_000
KERNEL_BYTES = 4_096
"""The kernel's buffers are so small that it often takes only a part of what is sent."""

PLACE = ChannelPartition(MEDIA_UPDATES.name, 0)
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
PINGS = 50  # of 60 that are allowed at once
REQUESTS = 200  # of 400
ANSWER, ANSWER_BYTES = b"sent before %06d ", 20_000
"""An answer, which comes before the events that are published after it."""


def frames_of_the_log() -> list[bytes]:
    """Of every size, numbered."""
    random_ = random.Random(SEED)
    sizes = (random_.choice((0, 100, 1_000, 2_000, 6_000)) for _ in range(EVENTS))
    return [b"%06d " % n + b"%d" % (n % 10) * size for n, size in enumerate(sizes)]


LOG = frames_of_the_log()


@dataclass
class Watcher:
    """Watches its sink like a connection."""

    streaming: Streaming
    subscriber: Subscriber

    def paused(self) -> None:
        self.streaming.filled(self.subscriber)

    def drained(self) -> None:
        self.streaming.drained(self.subscriber)

    def ponged(self, payload: bytes) -> None:
        pass

    def refused(self, code: CloseCode) -> None:
        raise AssertionError(code)

    def closed(self) -> None:
        self.streaming.leave(self.subscriber)


@dataclass
class Server:
    """Publishes the log, a few events a step, when `go` is set."""

    port: int = 0
    go: threading.Event = field(default_factory=threading.Event)
    published: int = 0
    errors: list[str] = field(default_factory=list)

    async def run(self, listening: socket.socket) -> None:
        """Until the log is published and `stopped` is set."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.errors.append(repr(context)))
        kafka = Kafka(KafkaSettings(bootstrap_servers="localhost:1"), "test")
        streaming = Streaming((), LogReader(kafka, {}, 1), 1 << 26, 3_600)
        streaming.open(MEDIA_UPDATES.name, "e", {0: 0})

        async def endpoint(websocket: WebSocket) -> None:
            await websocket.accept()
            sink = sink_of(websocket)
            subscriber = streaming.connect(sink.write, NOBODY)
            sink.watcher = Watcher(streaming, subscriber)
            streaming.subscribe(subscriber, MEDIA_UPDATES.name, streaming.memory.heads(MEDIA_UPDATES.name), PLAIN)
            streaming.release(subscriber)
            while (await websocket.receive())["type"] != "websocket.disconnect":
                streaming.send(subscriber, ANSWER % self.published + b"x" * ANSWER_BYTES)

        behind = doors()
        app = Starlette(routes=[WebSocketRoute("/", endpoint)])
        config = uvicorn.Config(
            app, http=behind.protocol(), ws="websockets-sansio", ws_ping_interval=None,
            ws_per_message_deflate=False, lifespan="off", log_config=None,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        publishing = asyncio.create_task(self._publish(streaming))
        await self.server.serve(sockets=[listening])
        await publishing

    async def _publish(self, streaming: Streaming) -> None:
        random_ = random.Random(SEED)
        while not self.go.is_set():  # noqa: ASYNC110 (it is set in another thread)
            await asyncio.sleep(0.01)
        while self.published < EVENTS:
            start, end = self.published, min(EVENTS, self.published + random_.randint(1, 8))
            records: list[Framed] = [(n, n + 1, LOG[n], None) for n in range(start, end)]
            streaming.publish([TailBatch(PLACE, records, end)])
            self.published = end
            await asyncio.sleep(random_.choice((0, 0, 0.001, 0.005)))


@contextmanager
def running(run: Callable[[Coroutine[Any, Any, None]], None]) -> Iterator[Server]:
    """A server in a thread, on an event loop of this kind."""
    listening = listen("127.0.0.1", 0)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
    server = Server(listening.getsockname()[1])
    thread = threading.Thread(target=lambda: run(server.run(listening)))
    thread.start()
    try:
        wait_until(lambda: hasattr(server, "server") and server.server.started, 10, what="the server")
        yield server
    finally:
        server.go.set()
        server.server.should_exit = True
        thread.join(20)


# The clients. Each reads at its own pace and ends in its own way.


class Client:
    """One connection and what it has received."""

    def __init__(self, opened: socket.socket, random_: random.Random) -> None:
        self.opened = opened
        self.random = random_
        self.received = bytearray()

    async def receive(self, *, most: int = 65_536) -> bool:
        """Read a piece; False at the end."""
        data = await asyncio.get_running_loop().sock_recv(self.opened, most)
        self.received += data
        return bool(data)

    async def send(self, opcode: int, payload: bytes = b"") -> None:
        """Send a frame, masked with zeros."""
        frame = bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload
        await asyncio.get_running_loop().sock_sendall(self.opened, frame)

    @property
    def has_everything(self) -> bool:
        """True when the newest event has arrived."""
        return LOG[-1] in self.received[-100_000:]  # an answer may follow it

    async def read_some(self) -> None:
        """A part of the log; a client that joined after its end receives nothing."""
        goal = self.random.randint(1, 300_000)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while len(self.received) < goal and not self.has_everything and await self.receive(most=8_192):
                    pass

    async def read_on(self) -> None:
        """To the end of the stream."""
        while await self.receive():
            pass


@asynccontextmanager
async def client(port: int, random_: random.Random) -> AsyncIterator[Client]:
    """A connection that was accepted."""
    loop, opened = asyncio.get_running_loop(), socket.socket()
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
    try:
        await loop.sock_connect(opened, ("127.0.0.1", port))
        await loop.sock_sendall(opened, HANDSHAKE)
        one = Client(opened, random_)
        while b"\r\n\r\n" not in one.received:
            assert await one.receive()
        head, _, rest = bytes(one.received).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101")
        one.received = bytearray(rest)
        yield one
    finally:
        opened.close()


async def reads(port: int, random_: random.Random) -> None:
    """All of it."""
    async with client(port, random_) as one:
        while not one.has_everything:
            assert await one.receive()
        judge(one, whole=True)


async def stalls(port: int, random_: random.Random) -> None:
    """All of it, in small pieces with pauses."""
    async with client(port, random_) as one:
        while not one.has_everything:
            assert await one.receive(most=random_.choice((10, 3_000, 50_000)))
            if random_.random() < 0.05:
                await asyncio.sleep(random_.random() / 20)
        judge(one, whole=True)


async def pings(port: int, random_: random.Random) -> None:
    """All of it, with pings now and then, before a pause and after it."""
    async with client(port, random_) as one:
        sent = 0
        while not one.has_everything:
            assert await one.receive(most=random_.choice((2_000, 20_000)))
            if random_.random() < 0.2 and sent < PINGS:
                sent += 1
                await one.send(PING, bytes(random_.randint(0, 125)))
                await asyncio.sleep(random_.choice((0, 0.02)))
        judge(one, whole=True, cut=True)  # a pong may be on its way


async def requests(port: int, random_: random.Random) -> None:
    """All of it, and answers of the server's own in between."""
    async with client(port, random_) as one:
        sent = 0
        while not one.has_everything:
            assert await one.receive(most=random_.choice((2_000, 60_000)))
            if random_.random() < 0.3 and sent < REQUESTS:
                sent += 1
                await one.send(TEXT, b"?")
        judge(one, whole=True, cut=True)


async def aborts(port: int, random_: random.Random) -> None:
    """A part of it, then resets the connection."""
    async with client(port, random_) as one:
        await one.read_some()
        one.opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.opened.close()
        judge(one, whole=False, cut=True)


async def half_closes(port: int, random_: random.Random) -> None:
    """A part of it, then sends nothing more but reads on."""
    async with client(port, random_) as one:
        await one.read_some()
        one.opened.shutdown(socket.SHUT_WR)
        await one.read_on()
        judge(one, whole=False)


async def closes(port: int, random_: random.Random) -> None:
    """A part of it, then closes as it should."""
    async with client(port, random_) as one:
        await one.read_some()
        await one.send(CLOSE, struct.pack(">H", 1000))
        await one.read_on()
        judge(one, whole=False, closed=True)


def judge(one: Client, *, whole: bool, cut: bool = False, closed: bool = False) -> None:
    """Its stream is a range of the log: `whole`, to the end of it; `cut`: it may end within a frame; `closed`: with a close
    frame, and nothing after it."""
    frames, at, data = [], 0, bytes(one.received)
    while (end := end_of_frame(data, at)) is not None:
        frames.append((data[at] & 15, data[at:end]))
        at = end
    assert cut or at == len(data), "a frame is cut"
    opcodes = [opcode for opcode, _ in frames]
    assert set(opcodes) <= {TEXT, PONG, CLOSE}
    assert [n for n, opcode in enumerate(opcodes) if opcode == CLOSE] == ([len(frames) - 1] if closed else [])
    texts = [payload for opcode, frame in frames if opcode == TEXT for payload in payloads(frame)]
    answer = ANSWER.partition(b"%")[0]
    come = -1
    for text in texts:
        if text.startswith(answer):
            assert come < int(text[len(answer) :][:6]), "an event has overtaken an answer"
        else:
            come = int(text[:6])
    events = [frame for opcode, frame in frames if opcode == TEXT and answer not in frame[:20]]
    if events:
        start = int(next(payloads(events[0]))[:6])
        assert b"".join(events) == b"".join(map(text_frame, LOG[start : start + len(events)]))
        assert not whole or start + len(events) == EVENTS
    else:
        assert not whole


def end_of_frame(data: bytes, at: int) -> int | None:
    """Where the frame that begins at `at` ends; None if it is not complete."""
    if len(data) < at + 4:
        return at + 2 if len(data) >= at + 2 and data[at + 1] == 0 else None
    size, begin = data[at + 1], at + 2
    if size == 126:
        size, begin = struct.unpack_from(">H", data, begin)[0], begin + 2
    assert size < 65_536, "longer than any frame of the log"
    return begin + size if begin + size <= len(data) else None


async def come_and_go(server: Server, random_: random.Random) -> None:
    """One after the other, as long as the log grows."""
    while server.published < EVENTS:
        with contextlib.suppress(ConnectionResetError):  # what it sent arrived after the server had closed
            await random_.choice((aborts, half_closes, closes))(server.port, random_)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_every_stream_is_the_log_byte_for_byte(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    async def main(server: Server) -> None:
        staying = [
            asyncio.create_task(kind(server.port, random.Random(SEED + n)))
            for n in range(5)
            for kind in (reads, stalls, pings, requests)
        ]
        await asyncio.sleep(0.2)  # they are there from the first event, or join within the log: both hold
        server.go.set()
        going = [asyncio.create_task(come_and_go(server, random.Random(SEED - n))) for n in range(6)]
        async with asyncio.timeout(60):
            await asyncio.gather(*staying, *going)

    with running(run) as server:
        asyncio.run(main(server))
    assert server.errors == []
