"""One socket, and fifty, that replay a channel from its beginning, beside `kcat -C` reading the same topic in the same run.

A topic of 500-byte updates on a broker of its own, a gateway with the usual settings, clients in a process of their own that
count bytes. Printed: events a second by the wall clock and per CPU second of the gateway, its resident memory before and at
most, the latency of live events of others with and without the replay, and what fifty sockets that replay the same range
cost. `kcat` is a program of its own (librdkafka, C); where it is not installed that is printed, and there is no ratio.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
from websockets.asyncio.client import connect

from bench.gateway_servers import sample
from bench.support import resident_mb, show
from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from gateway.access.account_admin import ensure_admin
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas.topics import MEDIA_UPDATES, NOTIFICATIONS
from tests.support.gateway import PASSWORD, Gateway, gateway
from tests.support.servers import both

EVENTS = int(os.environ.get("BENCH_EVENTS", "1000000"))
MANY = 50
MANY_EVENTS = EVENTS // 10
"""That many sockets replay so much of it."""
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
BATCH_BYTES = 500_000
LIVE_CLIENTS = 20
LIVE_PER_SECOND = 50


@dataclass(frozen=True, slots=True)
class Replayed:
    """One round of one reader. Seconds by the wall clock and of the processor, MB."""

    events: int
    seconds: float
    cpu: float
    memory: float = 0.0
    live: tuple[float, ...] = ()

    @property
    def rate(self) -> float:
        """Events a second by the wall clock."""
        return self.events / self.seconds


async def fill(kafka: Kafka, events: int) -> None:
    """So many updates into partition 0."""
    topic = kafka.name(MEDIA_UPDATES)
    async with kafka.producer(max_batch_size=BATCH_BYTES) as producer:
        batch = producer.create_batch()
        for number in range(events):
            record = sample(number)
            fields = {"key": record.key, "value": record.value, "headers": list(record.headers)}
            if batch.append(timestamp=None, **fields) is None:
                await producer.send_batch(batch, topic, partition=0)
                batch = producer.create_batch()
                batch.append(timestamp=None, **fields)
        await (await producer.send_batch(batch, topic, partition=0))


def with_kcat(kafka: Kafka) -> Replayed:
    """The same with a C client."""
    command = [
        "kcat",
        "-C",
        "-b",
        kafka.settings.bootstrap_servers or "",
        "-t",
        kafka.name(MEDIA_UPDATES),
        "-p",
        "0",
    ]
    began = time.perf_counter()
    before = os.times()
    subprocess.run([*command, "-o", "beginning", "-e", "-q"], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Replayed(EVENTS, time.perf_counter() - began, cpu)


# The clients: plain sockets in a process of their own.


async def _replaying(url: str, token: str, last: int) -> float:
    """Subscribe from the earliest on and read until the event with the offset `last` has come; the seconds that took."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 20)
    request = (
        f"GET /ws?token={token} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    writer.write(request.encode())
    await reader.readuntil(b"\r\n\r\n")
    text = json.dumps({"type": "subscribe", "channel": "media_updates", "from": "earliest"}).encode()
    began = time.perf_counter()
    writer.write(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)
    wanted, tail = b'"offset":%d,' % last, b""
    while True:
        data = await reader.read(1 << 18)
        if not data:
            raise ConnectionError(f"the gateway closed the socket: {tail!r}")
        if wanted in tail + data:
            break
        tail = data[-200:]
    writer.close()
    return time.perf_counter() - began


def _clients(url: str, tokens: list[str], last: int, sender: Connection) -> None:
    async def main() -> list[float]:
        return await asyncio.gather(*(_replaying(url, token, last) for token in tokens))

    sender.send(max(asyncio.run(main())))


async def _live(server: Gateway, kafka: Kafka, token: str, done: Callable[[], bool]) -> list[float]:
    """Milliseconds from the send of a notification to its arrival at each of the live sockets, until `done`."""
    taken: list[float] = []
    sent: dict[str, float] = {}

    async def listen() -> None:
        async with connect(f"{server.ws_url}?token={token}", compression=None, max_size=None) as socket:
            async for text in socket:
                frame = json.loads(text)
                if frame["type"] == "notification" and frame["data"]["title"] in sent:
                    taken.append((time.perf_counter() - sent[frame["data"]["title"]]) * 1_000)

    listeners = [asyncio.create_task(listen()) for _ in range(LIVE_CLIENTS)]
    await asyncio.sleep(0.5)
    async with kafka.producer(linger_ms=0) as producer:
        number, began = 0, time.perf_counter()
        while not done():
            number += 1
            title = f"{number} of {began}"
            note = {"type": "info", "title": title, "message": "bench", "level": "info"}
            sent[title] = time.perf_counter()
            await producer.send_and_wait(
                kafka.name(NOTIFICATIONS), json.dumps(note).encode(), key=b"bench", partition=0
            )
            await asyncio.sleep(max(0.0, began + number / LIVE_PER_SECOND - time.perf_counter()))
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    return taken[
        LIVE_CLIENTS * LIVE_PER_SECOND :
    ]  # without the first second: connections and Java's code are cold


def quiet(server: Gateway, kafka: Kafka) -> list[float]:
    """The latency of live events while nobody replays."""
    end = time.monotonic() + 5
    return asyncio.run(_live(server, kafka, server.sign_in(), lambda: time.monotonic() > end))


def replay(server: Gateway, kafka: Kafka, clients: int, last: int, *, live: bool = False) -> Replayed:
    """So many sockets replay up to the offset `last`; with `live`, others receive new events meanwhile."""
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    tokens = [server.sign_in() for _ in range(min(clients, 4))]
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    of_each = [tokens[n % len(tokens)] for n in range(clients)]
    reading = spawn.Process(target=_clients, args=(server.url, of_each, last, sender))
    cpu, most = sum(process.cpu_times()[:2]), 0.0
    reading.start()
    latencies: list[float] = []
    if live:
        latencies = asyncio.run(_live(server, kafka, server.sign_in(), lambda: not reading.is_alive()))
    while reading.is_alive():
        most = max(most, resident_mb(process.pid))
        reading.join(0.1)
    if reading.exitcode:
        raise ChildProcessError("a client failed")
    return Replayed(
        clients * (last + 1), receiver.recv(), sum(process.cpu_times()[:2]) - cpu, most, tuple(latencies)
    )


def p99(of: list[float] | tuple[float, ...]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(of, n=100)[98] if len(of) > 1 else 0.0


def main() -> None:
    """Fill, read in turns, print."""
    with (
        tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder,
        both(Path(folder)) as (broker, postgres),
    ):
        settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, lanes=1, replication_factor=1)
        kafka = Kafka(settings, "bench")
        asyncio.run(apply(kafka))
        asyncio.run(fill(kafka, EVENTS))
        apply_migrations(postgres.url())
        asyncio.run(ensure_admin(postgres.url(), PASSWORD))
        server = gateway(kafka, postgres.url(), Path(folder), {"MAX_SOCKETS_PER_SESSION": "100"})
        server.start()
        try:
            assert server.process is not None
            idle = resident_mb(server.process.pid)
            has_kcat = shutil.which("kcat") is not None
            kcats = [with_kcat(kafka)] if has_kcat else []
            ones = []
            for _ in range(ROUNDS):
                ones.append(replay(server, kafka, 1, EVENTS - 1))
                if has_kcat:
                    kcats.append(with_kcat(kafka))
            alone = quiet(server, kafka)
            beside = replay(server, kafka, 1, EVENTS - 1, live=True)
            few = replay(server, kafka, 1, MANY_EVENTS - 1)
            many = replay(server, kafka, MANY, MANY_EVENTS - 1)
        except ChildProcessError:
            print(server.log.read_text()[-3_000:], file=sys.stderr)
            raise
        finally:
            server.kill()
    best = max(ones, key=lambda one: one.rate)
    rate, cpu = (
        statistics.median(one.rate for one in ones),
        statistics.median(one.events / one.cpu for one in ones),
    )
    rows = [
        ("one socket", f"{rate:,.0f} events/s (best {best.rate:,.0f}), {cpu:,.0f} per CPU second of the gateway"),
        ("memory of the gateway", f"{idle:.0f} MB before, {max(one.memory for one in ones):.0f} MB at most"),
        ("live events of others, p50 and p99", f"{statistics.median(alone):.1f} and {p99(alone):.1f} ms without,"
            f" {statistics.median(beside.live):.1f} and {p99(beside.live):.1f} ms beside a replay"),
        (f"{MANY} sockets, the same {MANY_EVENTS:,}", f"{many.cpu:.1f} CPU s, where one takes {few.cpu:.1f}:"
            f" {many.cpu / few.cpu:.1f} times; {many.memory:.0f} MB at most"),
    ]  # fmt: skip
    figures = {"per_second": rate, "per_cpu_second": cpu, "idle_mb": idle, "most_mb": max(one.memory for one in ones),
               "alone_p99_ms": p99(alone), "beside_p99_ms": p99(beside.live),
               "many_cpu_ratio": many.cpu / few.cpu}  # fmt: skip
    if kcats:
        theirs = statistics.median(one.rate for one in kcats)
        rows.insert(
            1,
            (
                "kcat -C",
                f"{theirs:,.0f} events/s, {EVENTS / kcats[0].cpu:,.0f} per CPU second; ratio {rate / theirs:.2f}",
            ),
        )
        figures |= {"kcat_per_second": theirs, "ratio": rate / theirs}
    else:
        rows.insert(1, ("kcat -C", "not installed: no ratio"))
    show(f"replay of {EVENTS:,} events", rows, figures)


if __name__ == "__main__":
    main()
