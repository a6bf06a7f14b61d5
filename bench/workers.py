"""One gateway with one worker and with two, in turns: sockets a second that connect and subscribe, a thousand at once; then
deliveries a second to them of a thousand events as fast as the broker takes them, joined as they come.

The clients (one process in C), the broker and the sender need processors too: on a machine with two, two workers have less
than two for themselves. Joined deliveries cost the gateway next to nothing, and each worker reads and frames the log for
itself: workers help with the cost of each socket and each request.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from array import array
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from bench.gateway_servers import sample
from bench.listeners import Opening, listen, process
from bench.support import show
from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from gateway.access.account_admin import ensure_admin
from runtime.kafka import Kafka
from runtime.lifecycle import READY_FILE
from schemas.topics import MEDIA_UPDATES
from tests.support.gateway import PASSWORD, START_SECONDS, Gateway, gateway
from tests.support.servers import both, clients
from tests.support.waiting import wait_until

SOCKETS = int(os.environ.get("BENCH_SOCKETS", "1000"))
EVENTS = int(os.environ.get("BENCH_EVENTS", "1000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
COUNTS = (1, 2)


@dataclass(slots=True)
class Rates:
    """Of one gateway, round by round, by the wall clock: sockets opened a second, and deliveries a second."""

    opened: list[float] = field(default_factory=list)
    delivered: list[float] = field(default_factory=list)


async def pour(kafka: Kafka, events: int) -> float:
    """Send so many at once; returns when the first was sent."""
    record = sample(0)
    async with kafka.producer() as producer:
        began = time.monotonic()
        sent = [
            await producer.send(
                kafka.name(MEDIA_UPDATES), record.value, key=record.key, partition=0, headers=list(record.headers)
            )
            for _ in range(events)
        ]
        await asyncio.gather(*sent)
    return began


def opened(server: Gateway, name: str, pipe: Connection) -> float:
    """Sockets a second."""
    pipe.send(Opening(name, server.port, f"?token={server.sign_in()}", SOCKETS))
    seconds: float = pipe.recv()
    return SOCKETS / seconds


def delivered(kafka: Kafka, name: str, pipe: Connection) -> float:
    """Deliveries a second."""
    pipe.send((name, EVENTS))
    began = asyncio.run(pour(kafka, EVENTS))
    ended = max(array("d", pipe.recv()))
    return float(SOCKETS * EVENTS / (ended - began))


def started(count: int, kafka: Kafka, url: str, folder: Path) -> Gateway:
    """A gateway with so many workers, all of them ready."""
    ready = folder / f"{count}.ready"
    room = {"MAX_SOCKETS_PER_SESSION": str(2 * SOCKETS), "MAX_CONNECTIONS_PER_ADDRESS": str(4 * SOCKETS)}
    server = gateway(kafka, url, folder, room | {"WORKERS": str(count)})
    server.environment[READY_FILE] = str(ready)
    server.launch()
    wait_until(ready.exists, START_SECONDS, what=f"a gateway of {count}")
    return server


def run(folder: Path) -> dict[int, Rates]:
    """Start everything, take turns, end everything; the first turn of each warms up."""
    found = {count: Rates() for count in COUNTS}
    with both(folder) as (broker, postgres), process(listen) as pipe, ExitStack() as running:
        apply_migrations(postgres.url())
        asyncio.run(ensure_admin(postgres.url(), PASSWORD))
        servers: dict[int, tuple[Gateway, Kafka]] = {}
        for count in COUNTS:
            kafka = clients(broker, lanes=4)
            asyncio.run(apply(kafka))
            server = started(count, kafka, postgres.url(), folder)
            running.callback(server.kill)
            servers[count] = server, kafka
        # Sockets first, on topics without events: one that comes to a session at another worker gets the last again.
        for _ in range(ROUNDS + 1):
            for count, (server, _kafka) in servers.items():
                found[count].opened.append(opened(server, str(count), pipe))
        for _ in range(ROUNDS + 1):
            for count, (_server, kafka) in servers.items():
                found[count].delivered.append(delivered(kafka, str(count), pipe))
    for rates in found.values():
        del rates.opened[0], rates.delivered[0]
    return found


def main() -> None:
    """Measure and print, with --json as JSON."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder:
        found = run(Path(folder))
    one, two = (found[count] for count in COUNTS)
    of_opened = statistics.median(b / a for a, b in zip(one.opened, two.opened, strict=True))
    of_delivered = statistics.median(b / a for a, b in zip(one.delivered, two.delivered, strict=True))
    rows = [
        (
            f"{count} worker" + ("s" if count > 1 else ""),
            f"{statistics.median(rates.opened):,.0f} sockets a second (most {max(rates.opened):,.0f}),"
            f" {statistics.median(rates.delivered):,.0f} deliveries a second (most {max(rates.delivered):,.0f})",
        )
        for count, rates in found.items()
    ]
    figures = {f"opened_{count}": statistics.median(rates.opened) for count, rates in found.items()}
    figures |= {f"delivered_{count}": statistics.median(rates.delivered) for count, rates in found.items()}
    figures |= {"ratio_opened": of_opened, "ratio_delivered": of_delivered}
    title = f"{SOCKETS:,} sockets at once, {EVENTS:,} events at once, {os.cpu_count()} processors"
    show(title, [*rows, ("two to one", f"{of_opened:.2f} and {of_delivered:.2f}")], figures)


if __name__ == "__main__":
    main()
