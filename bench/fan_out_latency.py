"""Produce → socket: how long after a send an event is at each of a thousand sockets, at a hundred events a second.

A gateway with the usual settings, on a broker of its own; in the same run, in turns, a C loop that sends a prepared frame to
as many sockets and gets its records from the same consumer (`Kafka.tail_consumer`, as the gateway's tail uses it); and the
broker's own acknowledgement of each of these events. One process in C receives on all sockets (`bench.c_receive`); it shares
the two processors with the servers, the broker and the sender.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import statistics
import tempfile
import time
from array import array
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop
from aiokafka import AIOKafkaProducer, TopicPartition

from bench.c_send import send_to_each
from bench.gateway_servers import PARTITION, sample
from bench.listeners import KEY, Opening, listen, process
from bench.support import show
from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from cli.up.ports import free_port
from gateway.access.account_admin import ensure_admin
from gateway.core.framing import text_frame
from gateway.live.tail import STEP_RECORDS
from gateway.log.framer import Framer
from runtime.kafka import Kafka
from schemas.channels import CHANNELS, MEDIA_UPDATES
from tests.support.gateway import PASSWORD, gateway
from tests.support.servers import both, clients

SOCKETS = int(os.environ.get("BENCH_SOCKETS", "1000"))
PER_SECOND = int(os.environ.get("BENCH_PER_SECOND", "100"))
EVENTS = 3 * PER_SECOND // 2
"""In one turn: so short that other load on the machine affects both servers alike."""
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "11"))
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def hundredths(values: list[float] | array[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    parts = statistics.quantiles(values, n=100)
    return parts[49], parts[98]


@dataclass(slots=True)
class Rounds:
    """The rounds of one server: p50 and p99 in milliseconds, round by round."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def add(self, milliseconds: list[float] | array[float]) -> None:
        """Add a round."""
        for of, value in zip((self.p50, self.p99), hundredths(milliseconds), strict=True):
            of.append(value)

    @property
    def summary(self) -> str:
        """For people."""
        p50, p99 = statistics.median(self.p50), statistics.median(self.p99)
        return f"p50 {p50:.1f} ms (least {min(self.p50):.1f}), p99 {p99:.1f} ms (least {min(self.p99):.1f})"


# The C loop, fed by the gateway's consumer.


def c_loop(kafka: Kafka, port: int, pipe: Connection) -> None:
    """A server process: answers handshakes, and sends each event to every connected client. Signals when it reads."""
    descriptors: list[int] = []
    compiled = send_to_each()
    framer = Framer(MEDIA_UPDATES, legacy_payload=True)
    ((_, _, payload, _),) = framer.frames(PARTITION, [sample(1_000)])
    size = len(text_frame(payload))

    async def handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        accept = base64.b64encode(hashlib.sha1(KEY + GUID, usedforsecurity=False).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept
        )
        descriptors.append(writer.get_extra_info("socket").fileno())
        await reader.read()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(handshake, "127.0.0.1", port, backlog=1_024)
        consumer = kafka.tail_consumer()
        await consumer.start()
        topics = [channel.topic for channel in CHANNELS.values() if channel.topic is not None]
        places = [TopicPartition(kafka.name(t), p) for t in topics for p in range(t.partition_count(kafka.lanes))]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        pipe.send(True)
        while True:
            fetched = await consumer.getmany(timeout_ms=200, max_records=STEP_RECORDS)
            send = compiled(descriptors)
            for record in (record for records in fetched.values() for record in records):
                empty = text_frame(record.value)
                send(text_frame(record.value.ljust(size - (len(empty) - len(record.value)) - 2)))
        server.close()

    uvloop.run(main())


# The sender.


async def produce(producer: AIOKafkaProducer, topic: str, events: int) -> tuple[list[float], list[float]]:
    """Send them at their times, without waiting for acknowledgements; returns when each was sent and acknowledged."""
    loop = asyncio.get_running_loop()
    sent, acknowledged = [0.0] * events, [0.0] * events
    began = loop.time()
    record = sample(0)

    def at(number: int) -> None:
        acknowledged[number] = time.monotonic()

    waiting = []
    for number in range(events):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - loop.time()))
        sent[number] = time.monotonic()
        future = await producer.send(
            topic, record.value, key=record.key, partition=0, headers=list(record.headers)
        )
        future.add_done_callback(lambda _, number=number: at(number))
        waiting.append(future)
    await asyncio.gather(*waiting)
    return sent, acknowledged


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run found."""

    ours: Rounds
    c: Rounds
    acknowledged: Rounds

    @property
    def least_ratios(self) -> tuple[float, float]:
        """Of each server's fastest round, p50 and p99."""
        return min(self.ours.p50) / min(self.c.p50), min(self.ours.p99) / min(self.c.p99)

    @property
    def ratios(self) -> tuple[float, float]:
        """Ours to C's, p50 and p99: the median of the rounds' ratios, because other load on the machine affected both."""
        p50 = statistics.median(own / c for own, c in zip(self.ours.p50, self.c.p50, strict=True))
        p99 = statistics.median(own / c for own, c in zip(self.ours.p99, self.c.p99, strict=True))
        return p50, p99


async def measure(of: dict[str, Kafka], pipe: Connection) -> Figures:
    """The servers take turns; the first turn of each warms up."""
    found = {"ours": Rounds(), "C": Rounds(), "acknowledged": Rounds()}
    producers = {server: kafka.producer(linger_ms=0) for server, kafka in of.items()}
    loop = asyncio.get_running_loop()
    for producer in producers.values():
        await producer.start()
    for round_ in range(ROUNDS + 1):
        for server, kafka in of.items():
            pipe.send((server, EVENTS))
            sent, acknowledged = await produce(producers[server], kafka.name(_TOPIC), EVENTS)
            arrivals = array("d", await loop.run_in_executor(None, pipe.recv))
            if round_ == 0:
                continue
            found[server].add([(at - sent[n % EVENTS]) * 1_000 for n, at in enumerate(arrivals)])
            found["acknowledged"].add([(at - began) * 1_000 for at, began in zip(acknowledged, sent, strict=True)])
    for producer in producers.values():
        await producer.stop()
    return Figures(found["ours"], found["C"], found["acknowledged"])


assert MEDIA_UPDATES.topic is not None
_TOPIC = MEDIA_UPDATES.topic


def run(folder: Path) -> Figures:
    """Start everything, measure, end everything."""
    with both(folder) as (broker, postgres), process(listen) as pipe:
        of = {"ours": clients(broker, lanes=4), "C": clients(broker, lanes=4)}
        for kafka in of.values():
            asyncio.run(apply(kafka))
        apply_migrations(postgres.url())
        asyncio.run(ensure_admin(postgres.url(), PASSWORD))
        room = {"MAX_SOCKETS_PER_SESSION": str(SOCKETS), "MAX_CONNECTIONS_PER_ADDRESS": str(2 * SOCKETS)}
        server = gateway(of["ours"], postgres.url(), folder, room)
        server.start()
        port = free_port()
        try:
            with process(c_loop, of["C"], port) as c:
                c.recv()
                pipe.send(Opening("C", port, "", SOCKETS))
                pipe.recv()
                pipe.send(Opening("ours", server.port, f"?token={server.sign_in()}", SOCKETS))
                pipe.recv()
                return asyncio.run(measure(of, pipe))
        finally:
            server.kill()


def main() -> None:
    """Measure and print, with --json as JSON."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder:
        found = run(Path(folder))
    (p50, p99), (least50, least99) = found.ratios, found.least_ratios
    show(
        f"send → arrival at each of {SOCKETS:,} sockets, {PER_SECOND} events/s, median of {ROUNDS} rounds",
        [
            ("gateway", found.ours.summary),
            ("C loop, the same consumer", found.c.summary),
            ("ratio", f"p50 {p50:.2f}, p99 {p99:.2f}; of the least p50 {least50:.2f}, p99 {least99:.2f} (aim ≤ 1.7)"),
            ("the broker's acknowledgement", found.acknowledged.summary),
        ],
        {
            "p50_ms": statistics.median(found.ours.p50), "p99_ms": statistics.median(found.ours.p99),
            "c_p50_ms": statistics.median(found.c.p50), "c_p99_ms": statistics.median(found.c.p99),
            "ratio_p50": p50, "ratio_p99": p99, "ratio_least_p50": least50, "ratio_least_p99": least99,
            "acknowledged_p50_ms": statistics.median(found.acknowledged.p50),
            "acknowledged_p99_ms": statistics.median(found.acknowledged.p99),
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
