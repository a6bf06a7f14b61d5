"""Gateway deliveries per CPU second of the server, against the naive FastAPI loop in the same run.

A thousand sockets, events of 500 bytes, default settings. Both servers run uvicorn on uvloop in a process of
their own; only their CPU time counts, not the clients'. The naive one is what tutorials show: for every event,
`await send_text` to each client in turn. Ours is the product's own path, from a read record to the sockets:
frame, ring, audience, one joined write per client. The limit is the system's: nothing but write(2) of a ready frame
to each socket, so that ours can at best be as many times the naive one as that is on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection

import uvicorn
import uvloop
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from cli.up.ports import free_port
from gateway.core.admission import Admission, files_wanted, room
from gateway.core.framing import text_frame
from gateway.core.memory import ChannelPartition, TailBatch
from gateway.core.subscriber import NOBODY, PLAIN, Subscriber
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

SOCKETS = 1_000
FRAME_BYTES = 500
EVENTS = 64
ROUNDS = 9
JOINED = 16
LIMIT_SECONDS = 60.0
FIRST_OFFSET = 1_000_000
"""All offsets have as many digits, so all frames are of one size."""

PLACE = ChannelPartition(MEDIA_UPDATES.name, 0)


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


@dataclass(frozen=True, slots=True)
class DeliveryRate:
    """Deliveries per CPU second of the server: the median of the rounds."""

    server: str
    per_step: int
    deliveries_per_cpu_second: int
    rounds: tuple[int, ...]


def _record(offset: int) -> Record:
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


# The servers. Each answers on its pipe to (events, per step) with the CPU seconds that sending took.


def _ours(app: FastAPI) -> Callable[[int, int], object]:
    settings = GatewaySettings()
    framer = Framer(MEDIA_UPDATES, legacy_payload=settings.legacy_payload)
    kafka = Kafka(KafkaSettings(bootstrap_servers="localhost:1"), "bench")
    streaming = Streaming((), LogReader(kafka, {}, 1), settings.ring_bytes, settings.ring_seconds)
    streaming.open(MEDIA_UPDATES.name, "e", {0: FIRST_OFFSET})

    @app.websocket("/ws")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        sink = sink_of(websocket)
        subscriber = streaming.connect(sink.write, NOBODY)
        heads = streaming.memory.heads(MEDIA_UPDATES.name)
        streaming.subscribe(subscriber, MEDIA_UPDATES.name, heads, PLAIN)
        sink.watcher = _Watcher(streaming, subscriber)
        streaming.release(subscriber)
        with contextlib.suppress(WebSocketDisconnect):
            await websocket.receive_text()
        streaming.leave(subscriber)

    async def publish(events: int, per_step: int) -> None:
        for _ in range(events // per_step):
            at = streaming.memory.head(PLACE)
            records = [framer.frame(_shared(offset)) for offset in range(at, at + per_step)]
            streaming.publish([TailBatch(PLACE, records, at + per_step)])
            await asyncio.sleep(0)
            while streaming.behind:  # noqa: ASYNC110 (as in life, the tail waits for the broker meanwhile)
                await asyncio.sleep(0.001)

    return publish


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


_template = _record(0)


def _shared(offset: int) -> Record:
    return replace(_template, offset=offset)


def _naive(app: FastAPI) -> Callable[[int, int], object]:
    clients: list[WebSocket] = []
    framer = Framer(MEDIA_UPDATES, legacy_payload=True)

    @app.websocket("/ws")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        clients.append(websocket)
        with contextlib.suppress(WebSocketDisconnect):
            await websocket.receive_text()

    async def publish(events: int, per_step: int) -> None:
        try:
            for offset in range(FIRST_OFFSET, FIRST_OFFSET + events):
                _, _, payload, _ = framer.frame(_shared(offset))
                text = payload.decode()
                for client in clients:
                    await client.send_text(text)
        except WebSocketDisconnect:
            os._exit(1)  # the tutorial's loop ends with its first lost client

    return publish


def _limit(app: FastAPI) -> Callable[[int, int], object]:
    sockets: list[int] = []
    framer = Framer(MEDIA_UPDATES, legacy_payload=True)

    @app.websocket("/ws")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        sink = sink_of(websocket)
        assert isinstance(sink, SocketProtocol)
        sockets.append(sink.transport.get_extra_info("socket").fileno())
        await websocket.receive_text()

    async def publish(events: int, per_step: int) -> None:
        for offset in range(FIRST_OFFSET, FIRST_OFFSET + events):
            frame = text_frame(framer.frame(_shared(offset))[2])
            for fd in sockets:
                if os.write(fd, frame) < len(frame):
                    os._exit(1)  # a full buffer: what was measured would be less than a delivery
            await asyncio.sleep(0.001)  # so long the clients read

    return publish


SERVERS = {"naive": _naive, "ours": _ours, "limit": _limit}


def _serve(which: str, port: int, pipe: Connection) -> None:
    app = FastAPI()
    publish = SERVERS[which](app)

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
        while (asked := await loop.run_in_executor(None, pipe.recv)) is not None:
            began = time.process_time()
            await publish(*asked)  # type: ignore[misc]
            pipe.send(time.process_time() - began)
        running.cancel()

    uvloop.run(main())


# The clients: plain sockets that count bytes, as cheap as can be.


async def _client(port: int, counts: list[int], index: int) -> asyncio.Task[None]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")

    async def count() -> None:
        while data := await reader.read(1 << 18):
            counts[index] += len(data)
        writer.close()

    return asyncio.create_task(count())


async def _drained(counts: list[int], expected: int, deadline: float) -> None:
    while min(counts) < expected:
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"{sum(c < expected for c in counts)} clients got less than {expected} bytes: {min(counts)}"
            )
        await asyncio.sleep(0.01)


class _Server:
    """One server process with its sockets, all connected."""

    def __init__(self, which: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._port = free_port()
        self._process = context.Process(target=_serve, args=(which, self._port, theirs), daemon=True)
        self._process.start()
        self._counts: list[int] = []
        self._frame_size = 0

    async def connect(self, sockets: int, deadline: float) -> None:
        """Open the sockets and send a few events to learn the size of a frame."""
        await _listening(self._port, deadline)
        self._counts = [0] * sockets
        self._clients = [await _client(self._port, self._counts, i) for i in range(sockets)]
        await self._publish(JOINED, 1)
        self._frame_size = await _frame_size(self._counts, JOINED)

    async def round(self, events: int, per_step: int, deadline: float) -> int:
        """Publish and wait until every client has everything; deliveries per CPU second of the server."""
        before = min(self._counts)
        cpu = await self._publish(events, per_step)
        await _drained(self._counts, before + self._frame_size * events, deadline)
        return round(events * len(self._counts) / cpu)

    def end(self) -> None:
        """Kill the server."""
        self._process.kill()

    async def _publish(self, events: int, per_step: int) -> float:
        loop = asyncio.get_running_loop()
        self._pipe.send((events, per_step))
        cpu: float = await loop.run_in_executor(None, self._pipe.recv)
        return cpu


async def _frame_size(counts: list[int], events: int) -> int:
    """Bytes of one frame, from the first round: wait until nothing more comes."""
    seen = -1
    while seen != sum(counts):
        seen = sum(counts)
        await asyncio.sleep(0.3)
    return max(counts) // events


async def _listening(port: int, deadline: float) -> None:
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        if time.monotonic() > deadline:
            raise TimeoutError("the server does not listen")
        await asyncio.sleep(0.05)


def _raise_descriptor_limit(wanted: int) -> int:
    """Sockets that fit below the limit on open files, which is raised as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    goal = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < goal:
        resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
    return max(soft, goal)


async def measure() -> list[DeliveryRate]:
    """The cells take turns, so that what else the machine does falls on all of them alike."""
    sockets = min(SOCKETS, (_raise_descriptor_limit(3 * SOCKETS + 200) - 200) // 3)
    deadline = time.monotonic() + LIMIT_SECONDS
    servers = {which: _Server(which) for which in SERVERS}
    cells = (("naive", 1, EVENTS), ("ours", 1, EVENTS), ("limit", 1, EVENTS), ("ours", JOINED, 8 * EVENTS))
    rates: dict[tuple[str, int], list[int]] = {(which, per_step): [] for which, per_step, _ in cells}
    try:
        for server in servers.values():
            await server.connect(sockets, deadline)
        for _ in range(ROUNDS):
            for which, per_step, events in cells:
                rates[which, per_step].append(await servers[which].round(events, per_step, deadline))
    finally:
        for server in servers.values():
            server.end()
    return [
        DeliveryRate(which, per_step, round(statistics.median(found)), tuple(found))
        for (which, per_step), found in rates.items()
    ]


def main() -> None:
    """Print the table, or JSON with --json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="for machines")
    as_json = parser.parse_args().json
    try:
        results = uvloop.run(measure())
    except (EOFError, TimeoutError) as error:  # a busy machine dropped a connection: these figures are none
        print(f"once more: {error or 'a server ended, for a client was dropped'}", file=sys.stderr)
        results = uvloop.run(measure())
    baseline = results[0].deliveries_per_cpu_second
    if as_json:
        rows = [{**asdict(r), "ratio": round(r.deliveries_per_cpu_second / baseline, 2)} for r in results]
        json.dump({"sockets": SOCKETS, "frame_bytes": FRAME_BYTES, "results": rows}, sys.stdout)
        print()
        return
    print(f"deliveries per server CPU second, {SOCKETS} sockets, {FRAME_BYTES} bytes, median of {ROUNDS}")
    for result in results:
        joined = f"{result.per_step} joined" if result.per_step > 1 else "one event a step"
        rate = result.deliveries_per_cpu_second
        print(f"  {result.server:6} {joined:17} {rate:>10,}   {rate / baseline:5.2f} x")


if __name__ == "__main__":
    main()
