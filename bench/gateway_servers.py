"""The servers that `bench.gateway` measures, each in a process of its own: the C loop, ours and the naive one."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import resource
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

import uvicorn
import uvloop
from aiokafka import TopicPartition
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from bench.c_send import send_to_each
from gateway.core.admission import Admission, files_wanted, room
from gateway.core.framing import text_frame
from gateway.core.memory import ChannelPartition, TailBatch
from gateway.core.rights import Rights
from gateway.core.subscriber import NOBODY, PLAIN, Subscriber, Viewer
from gateway.live.doors import Doors
from gateway.live.requests import RequestProtocol
from gateway.live.sockets import SocketProtocol, sink_of
from gateway.live.streaming import Streaming
from gateway.log.framer import Framer
from gateway.log.reader import LogReader
from gateway.settings import GatewaySettings
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas import topics
from schemas.channels import MEDIA_UPDATES
from schemas.close_codes import CloseCode
from schemas.headers import Headers, event_headers

FRAME_BYTES = 500
FIRST_OFFSET = 1_000_000
"""All offsets have as many digits, so all frames are of one size."""

PLACE = ChannelPartition(MEDIA_UPDATES.name, 0)
PARTITION = TopicPartition(topics.MEDIA_UPDATES.name, 0)


@dataclass(frozen=True, slots=True)
class Cell:
    """What is measured: a server, events a step, how many in all, and the number of audiences with different rights."""

    server: str
    per_step: int
    events: int
    audiences: int = 1

    @property
    def name(self) -> str:
        """For people."""
        joined = f"{self.per_step} joined" if self.per_step > 1 else "one event a frame"
        return joined + (f", {self.audiences} audiences" if self.audiences > 1 else "")


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the tail reads it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Headers


def sample(offset: int) -> Record:
    item = {"id": 1, "title": "The Matrix (1999)", "media_type": "video", "description": ""}
    data = {"action": "created", "media_id": 1, "media": item}
    frame_overhead = 260  # the envelope's other members, the value twice apart
    item["description"] = "x" * max(0, (FRAME_BYTES - frame_overhead) // 2 - len(json.dumps(data)))
    headers = event_headers(
        id="5f6c2a0e-6f0c-5d0a-9a51-0c8f0f7c2a10", type="media_update", source="urn:bench",
        time="2026-11-24T10:30:00.123Z", subject="1",
    )  # fmt: skip
    value = json.dumps(data).encode()
    return Record(topics.MEDIA_UPDATES.name, 0, offset, 1_700_000_000_000, b"home", value, headers)


# The servers. Each answers on its pipe to a cell with the CPU seconds that sending took, without the preparation.

Publish = Callable[[], Awaitable[None]]
Prepare = Callable[[Cell], Awaitable[Publish]]


def _ours(app: FastAPI) -> Prepare:
    settings = GatewaySettings()
    framer = Framer(MEDIA_UPDATES, legacy_payload=settings.legacy_payload)
    kafka = Kafka(KafkaSettings(bootstrap_servers="localhost:1"), "bench")
    streaming = Streaming((), LogReader(kafka, {}, 1), settings.ring_bytes, settings.ring_seconds)
    streaming.open(MEDIA_UPDATES.name, "e", {0: FIRST_OFFSET})
    subscribers: list[Subscriber] = []

    @app.websocket("/ws")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        sink = sink_of(websocket)
        subscriber = streaming.connect(sink.write, NOBODY)
        heads = streaming.memory.heads(MEDIA_UPDATES.name)
        streaming.subscribe(subscriber, MEDIA_UPDATES.name, heads, PLAIN)
        sink.watcher = _Watcher(streaming, subscriber)
        streaming.release(subscriber)
        subscribers.append(subscriber)
        with contextlib.suppress(WebSocketDisconnect):
            await websocket.receive_text()
        streaming.leave(subscriber)

    async def level() -> None:
        while streaming.behind:  # noqa: ASYNC110 (as in production, the tail waits for the broker meanwhile)
            await asyncio.sleep(0.001)

    async def prepare(cell: Cell) -> Publish:
        viewers = [_viewer(n) for n in range(cell.audiences)] if cell.audiences > 1 else [NOBODY]
        for n, subscriber in enumerate(subscribers):
            streaming.see_as(subscriber, viewers[n % cell.audiences])
        await level()
        return functools.partial(publish, cell)

    async def publish(cell: Cell) -> None:
        for _ in range(cell.events // cell.per_step):
            at = streaming.memory.head(PLACE)
            records = framer.frames(PARTITION, map(_shared, range(at, at + cell.per_step)))
            streaming.publish([TailBatch(PLACE, records, at + cell.per_step)])
            await asyncio.sleep(0.001)
            await level()

    return prepare


def _viewer(number: int) -> Viewer:
    """May see the record's library, and a root that no other viewer may see."""
    return Viewer(0, 0, Rights(libraries=frozenset({"home"}), roots=frozenset({f"root {number}"})))


class _Watcher:
    def __init__(self, streaming: Streaming, subscriber: Subscriber) -> None:
        self._streaming, self._subscriber = streaming, subscriber

    def paused(self) -> None:
        self._streaming.filled(self._subscriber)

    def drained(self) -> None:
        self._streaming.drained(self._subscriber)

    def ponged(self, payload: bytes) -> None:
        pass

    def refused(self, code: CloseCode) -> None:
        pass

    def closed(self) -> None:
        self._streaming.leave(self._subscriber)


_template = sample(0)


def _shared(offset: int) -> Record:
    return replace(_template, offset=offset)


def _naive(app: FastAPI) -> Prepare:
    clients: list[WebSocket] = []
    framer = Framer(MEDIA_UPDATES, legacy_payload=True)

    @app.websocket("/ws")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        clients.append(websocket)
        with contextlib.suppress(WebSocketDisconnect):
            await websocket.receive_text()

    async def prepare(cell: Cell) -> Publish:
        return functools.partial(publish, cell)

    async def publish(cell: Cell) -> None:
        try:
            for offset in range(FIRST_OFFSET, FIRST_OFFSET + cell.events):
                ((_, _, payload, _),) = framer.frames(PARTITION, [_shared(offset)])
                text = payload.decode()
                for client in clients:
                    await client.send_text(text)
        except WebSocketDisconnect:
            os._exit(1)  # the tutorial's loop ends with its first lost client

    return prepare


def _c(app: FastAPI) -> Prepare:
    sockets: list[int] = []
    compiled = send_to_each()
    framer = Framer(MEDIA_UPDATES, legacy_payload=True)

    @app.websocket("/ws")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        sink = sink_of(websocket)
        assert isinstance(sink, SocketProtocol)
        sockets.append(sink.transport.get_extra_info("socket").fileno())
        await websocket.receive_text()

    async def prepare(cell: Cell) -> Publish:
        records = framer.frames(PARTITION, map(_shared, range(FIRST_OFFSET, FIRST_OFFSET + cell.per_step)))
        joined = b"".join(text_frame(payload) for _, _, payload, _ in records)
        return functools.partial(publish, cell.events // cell.per_step, joined)

    async def publish(times: int, data: bytes) -> None:
        send = compiled(sockets)
        for _ in range(times):
            if send(data) < len(sockets):
                os._exit(1)  # a full buffer: the measured work would be less than a delivery
            await asyncio.sleep(0.001)  # the clients read meanwhile

    return prepare


SERVERS = {"naive": _naive, "ours": _ours, "C": _c}


def serve(which: str, port: int, pipe: Connection) -> None:
    """A server process: answers on `pipe` to a cell with the CPU seconds that it took, until None comes."""
    app = FastAPI()
    prepare = SERVERS[which](app)

    async def main() -> None:
        if which != "naive":
            settings = GatewaySettings()
            fits = room(settings.max_sockets, settings.max_sockets, files_wanted(settings.max_sockets))
            admission = Admission(fits, exempt=lambda _: False)
            doors = Doors(admission, settings.max_header_bytes, settings.slow_seconds, RequestProtocol)
            asyncio.get_running_loop().create_task(doors.sweep())
            config = uvicorn.Config(
                app, port=port, http=doors.protocol(), ws="websockets-sansio", ws_per_message_deflate=False,
                ws_ping_interval=None, log_level="critical", lifespan="off",
            )  # fmt: skip
        else:
            config = uvicorn.Config(
                app, port=port, log_level="critical", lifespan="off", ws_per_message_deflate=False
            )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve())
        loop = asyncio.get_running_loop()
        while (cell := await loop.run_in_executor(None, pipe.recv)) is not None:
            publish = await prepare(cell)
            began = time.process_time()
            await publish()
            pipe.send(time.process_time() - began)
        running.cancel()

    uvloop.run(main())


async def listening(port: int, deadline: float) -> None:
    """Wait until the server listens. Raises TimeoutError."""
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        if time.monotonic() > deadline:
            raise TimeoutError("the server does not listen")
        await asyncio.sleep(0.05)


def raise_descriptor_limit(wanted: int) -> int:
    """Sockets that fit below the limit on open files, which is raised as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    goal = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < goal:
        resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
    return max(soft, goal)
