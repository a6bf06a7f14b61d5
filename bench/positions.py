"""Where the positions of clients that keep none could live: in a topic, as they do, or in a table of PostgreSQL.

`python -m bench.positions [--json] [SOCKETS]`: SOCKETS (2,000) positions as the gateway stores them, one after the other and
all at once, as when a gateway ends and its clients come back to another one; how long until the other gateway knows one;
and what each costs in processor time of the gateway, of the broker and of the database server. A broker and a server (with
fsync, as installations run it) of their own; the table is as small as it could be, and its statements are prepared.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median, quantiles

import psutil
from aiokafka import TopicPartition
from psycopg_pool import AsyncConnectionPool

from bench.__main__ import database
from bench.support import broker, cpu_seconds, show
from cli.provisioning.topics import apply
from runtime.kafka import Kafka
from schemas.codec import encode
from schemas.headers import raw_headers
from schemas.resuming import Mark, ResumeRecord, SocketEnded
from schemas.topics import RESUMING

SOCKETS = 2_000
ONE_BY_ONE = 500
CONNECTIONS = 4
"""Of the gateway's pool (`gateway/tables/connecting.py` has as many by default)."""

_TABLE = (
    "CREATE TABLE resuming (session text, socket text, at timestamptz, marks bytea, PRIMARY KEY (session, socket))"
)
_PUT = (
    "INSERT INTO resuming VALUES (%s, %s, now(), %s)"
    " ON CONFLICT (session, socket) DO UPDATE SET marks = excluded.marks, at = excluded.at"
)
_ASK = "SELECT socket, at, marks FROM resuming WHERE session = %s"


@dataclass(frozen=True, slots=True)
class Stored:
    """Milliseconds of one write, p50 and p99; seconds for all at once; milliseconds until another gateway knows one (of
    PostgreSQL: the answer to its question); microseconds of processor time of this process and of the server per write."""

    p50: float
    p99: float
    all_at_once: float
    known: float
    all_known: float
    own_us: float
    server_us: float

    def text(self) -> str:
        """For people."""
        return (
            f"{self.p50:.2f} and {self.p99:.2f} ms; all at once {self.all_at_once:.2f} s; elsewhere after"
            f" {self.known:.2f} ms, all of them after {self.all_known:.2f} s;"
            f" {self.own_us:.0f} + {self.server_us:.0f} µs CPU a position"
        )

    def figures(self, of: str) -> dict[str, float]:
        """For machines."""
        names = ("p50", "p99", "all_at_once", "known", "all_known", "own_us", "server_us")
        return {f"{of}_{name}": getattr(self, name) for name in names}


def positions(count: int) -> list[SocketEnded]:
    """Of sockets that each follow four channels."""
    marks = {
        channel: Mark(secrets.token_hex(8), {partition: 10_000_000 + partition for partition in range(partitions)})
        for channel, partitions in (
            ("media_updates", 12),
            ("analysis_updates", 12),
            ("system_updates", 1),
            ("notifications", 1),
        )
    }
    return [SocketEnded(gateway="one", session=secrets.token_hex(16), left=marks) for _ in range(count)]


def server_seconds(name: str) -> float:
    """Processor time of all processes below this one with this name, those that have ended included."""
    total = 0.0
    for child in psutil.Process(os.getpid()).children(recursive=True):
        if name in child.name():
            total += sum(child.cpu_times()[:4])
    return total


async def measure(
    server: str,
    count: int,
    write: Callable[[SocketEnded], Awaitable[None]],
    know: Callable[[SocketEnded], Awaitable[None]],
) -> Stored:
    """`know` returns when another gateway knows a position."""
    await asyncio.gather(*map(write, positions(100)))  # connections and Java's code are cold
    took, known = [], []
    for position in positions(ONE_BY_ONE):
        began = time.perf_counter()
        await write(position)
        took.append((time.perf_counter() - began) * 1e3)
        await know(position)
        known.append((time.perf_counter() - began) * 1e3)
    many = positions(count)
    own, servers, began = cpu_seconds(), server_seconds(server), time.perf_counter()
    await asyncio.gather(*map(write, many))
    all_at_once = time.perf_counter() - began
    own, servers = cpu_seconds() - own, server_seconds(server) - servers
    await asyncio.gather(*map(know, many))
    all_known = time.perf_counter() - began
    return Stored(
        median(took), quantiles(took, n=100)[98], all_at_once, median(known), all_known,
        own / count * 1e6, servers / count * 1e6,
    )  # fmt: skip


async def in_kafka(kafka: Kafka, count: int) -> Stored:
    """A record each; another gateway reads the topic, and needs no question."""
    await apply(kafka)
    name, partition = kafka.name(RESUMING), TopicPartition(kafka.name(RESUMING), 0)
    arrived: dict[bytes, asyncio.Event] = {}

    async def follow() -> None:
        while True:
            for record in (await reader.getmany(timeout_ms=200)).get(partition, ()):
                arrived.setdefault(record.key, asyncio.Event()).set()

    async with kafka.producer() as producer, kafka.tail_consumer() as reader:
        reader.assign([partition])
        await reader.seek_to_beginning(partition)
        following = asyncio.create_task(follow())

        async def write(record: ResumeRecord) -> None:
            assert isinstance(record, SocketEnded)
            await producer.send_and_wait(
                name, encode(record), key=record.session.encode(), partition=0, headers=raw_headers("ended")
            )

        async def know(record: SocketEnded) -> None:
            await arrived.setdefault(record.session.encode(), asyncio.Event()).wait()

        try:
            return await measure("java", count, write, know)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def in_postgresql(url: str, count: int) -> Stored:
    """A row each; the other gateway asks when a socket of the session subscribes."""
    async with AsyncConnectionPool(url, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        async with pool.connection() as connection:
            await connection.execute(_TABLE)

        async def write(position: SocketEnded) -> None:
            async with pool.connection() as connection:
                await connection.execute(_PUT, (position.session, "1", encode(position.left)), prepare=True)

        async def know(position: SocketEnded) -> None:
            async with pool.connection() as connection:
                assert await (await connection.execute(_ASK, (position.session,), prepare=True)).fetchone()

        return await measure("postgres", count, write, know)


def main() -> None:
    """Measure both, print."""
    words = [word for word in sys.argv[1:] if word != "--json"]
    count = int(words[0]) if words else SOCKETS
    with broker() as kafka:
        ours = asyncio.run(in_kafka(kafka, count))
    with database() as url:
        theirs = asyncio.run(in_postgresql(url, count))
    rows = [("a topic", ours.text()), ("a table of PostgreSQL", theirs.text())]
    show(f"positions of {count:,} sockets", rows, ours.figures("kafka") | theirs.figures("postgresql"))


if __name__ == "__main__":
    main()
