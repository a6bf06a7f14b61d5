"""What an open idle socket costs, and how long very many of them take to reconnect at once.

Sockets that follow a channel, opened by a process of their own: resident memory of the gateway before and after, per socket.
Then the gateway is killed and started again, and very many clients reconnect at once, each with the offset that it wants:
until all have the event that was written meanwhile. Compared in the same run with sockets of uvicorn that FastAPI accepts
and waits on, as in tutorials.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Coroutine
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bench.gateway_servers import listening, raise_descriptor_limit, serve
from bench.support import resident_mb, show
from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from cli.up.ports import free_port
from gateway.access.account_admin import ensure_admin
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from tests.support.events import films
from tests.support.gateway import PASSWORD, Gateway, gateway
from tests.support.servers import both
from tests.support.topic import write

SOCKETS = int(os.environ.get("BENCH_SOCKETS", "5000"))
STORM = int(os.environ.get("BENCH_STORM", "2000"))
AT_ONCE = 100
"""Handshakes in progress at once while sockets are opened without haste."""
SETTLE_SECONDS = 8.0
"""Longer than it takes until each socket was pinged once."""


async def _open(port: int, path: str, subscribe: bytes, until: bytes) -> asyncio.StreamWriter:
    """A socket that has sent `subscribe` and received `until`. Raises ConnectionError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
    )
    if not (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101"):
        raise ConnectionError("rejected")
    if subscribe:
        writer.write(bytes((0x81, 0x80 | len(subscribe), 0, 0, 0, 0)) + subscribe)
        await reader.readuntil(until)
    return writer


def client_process(pipe: Connection) -> None:
    """A process of clients: (port, path, count, at once, message, what to wait for) opens so many and answers with the
    seconds that took; None ends it."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        open_sockets: list[asyncio.StreamWriter] = []
        raise_descriptor_limit(SOCKETS + 1_000)
        while (request := await loop.run_in_executor(None, pipe.recv)) is not None:
            port, path, count, at_once, message, until = request
            for writer in open_sockets:
                writer.transport.abort()
            turn = asyncio.Semaphore(at_once)

            async def one(turn: asyncio.Semaphore, opening: Coroutine[Any, Any, asyncio.StreamWriter]) -> None:
                async with turn:
                    open_sockets.append(await opening)

            open_sockets.clear()
            began = time.perf_counter()
            await asyncio.gather(*(one(turn, _open(port, path, message, until)) for _ in range(count)))
            pipe.send(time.perf_counter() - began)

    asyncio.run(main())


def ours(server: Gateway, kafka: Kafka, clients: Connection) -> tuple[float, float]:
    """KB an idle socket, and the seconds of the storm."""
    server.start()
    assert server.process is not None
    path = f"/ws?token={server.sign_in()}"
    subscribe = b'{"type":"subscribe","channel":"media_updates"}'
    clients.send(
        (server.port, path, 200, AT_ONCE, subscribe, b'"subscribed"')
    )  # what the first sockets load is not counted
    clients.recv()
    time.sleep(SETTLE_SECONDS)
    before = resident_mb(server.process.pid)
    clients.send((server.port, path, SOCKETS, AT_ONCE, subscribe, b'"subscribed"'))
    clients.recv()
    time.sleep(SETTLE_SECONDS)
    each = (resident_mb(server.process.pid) - before) / (SOCKETS - 200) * 1_024
    server.kill()
    write(kafka, *films(100))
    server.start()
    message = json.dumps({"type": "subscribe", "channel": "media_updates", "from": {"offsets": {"0": 0}}}).encode()
    clients.send((server.port, path, STORM, STORM, message, b'"film-0-99"'))
    return each, clients.recv()


def tutorials(clients: Connection) -> float:
    """KB an idle socket of a plain server."""
    port = free_port()
    spawn = multiprocessing.get_context("spawn")
    pipe, theirs = spawn.Pipe()
    server = spawn.Process(target=serve, args=("naive", port, theirs))
    server.start()
    try:
        asyncio.run(listening(port, time.monotonic() + 30))
        clients.send((port, "/ws", 200, AT_ONCE, b"", b""))
        clients.recv()
        before = resident_mb(server.pid)
        clients.send((port, "/ws", SOCKETS, AT_ONCE, b"", b""))
        clients.recv()
        return (resident_mb(server.pid) - before) / (SOCKETS - 200) * 1_024
    finally:
        server.kill()
        server.join()
        pipe.close()


def main() -> None:
    """Open, wait, kill, come back, print."""
    raise_descriptor_limit(SOCKETS + 1_000)
    spawn = multiprocessing.get_context("spawn")
    clients, theirs = spawn.Pipe()
    holder = spawn.Process(target=client_process, args=(theirs,), daemon=True)
    holder.start()
    with (
        tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder,
        both(Path(folder)) as (broker, postgres),
    ):
        settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, lanes=1, replication_factor=1)
        kafka = Kafka(settings, "bench")
        asyncio.run(apply(kafka))
        apply_migrations(postgres.url())
        asyncio.run(ensure_admin(postgres.url(), PASSWORD))
        many = str(4 * SOCKETS)
        bounds = {"MAX_SOCKETS": many, "MAX_SOCKETS_PER_SESSION": many, "MAX_CONNECTIONS_PER_ADDRESS": many}
        server = gateway(kafka, postgres.url(), Path(folder), bounds)
        try:
            each, storm = ours(server, kafka, clients)
        finally:
            server.kill()
    plain = tutorials(clients)
    clients.send(None)
    holder.join()
    show(
        "idle sockets",
        [
            (f"memory of an idle socket, {SOCKETS:,} of them", f"{each:.1f} KB (aim ≤ 27)"),
            ("of FastAPI and uvicorn as in tutorials", f"{plain:.1f} KB"),
            (
                f"{STORM:,} come back at once after a kill, until all have what they missed",
                f"{storm:.1f} s (aim ≤ 15)",
            ),
        ],
        {"idle_kb": each, "plain_kb": plain, "storm_s": storm},
    )


if __name__ == "__main__":
    main()
