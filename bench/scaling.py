"""Workers of the fold join, stop and are killed while changes settle in every lane: the longest pause of a lane's output at
each of these events, for lanes that stayed with their worker and for those that moved. The baseline is the same
without an event, in the same run.

`python -m bench.scaling [--json] [--files N]`: so many known files in lane 0, 100,000 by default. The workers
are `catalogizer stream`, with the default session timeout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from rich.console import Console
from rich.table import Table

from bench.raw_log import LIBRARY, START_NS, declared, fill, heads
from bench.restart import records
from bench.support import broker
from cli.provisioning.topics import apply
from runtime.kafka import Kafka
from schemas import raw
from schemas.codec import encode
from schemas.headers import raw_headers
from schemas.raw import FileState, RawRecord
from schemas.topics import CHANGES, RAW
from streams.library.at_position import positions

LANES = 4
PER_SECOND = 10
"""Changes of each lane."""
EVENT_SECONDS = 20.0
"""The time after each event: longer than a session timeout and what follows it."""
READY_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Row:
    """An event: how many lanes moved, and the longest stall in seconds of a lane that stayed and of one that moved."""

    event: str
    moved: int
    stayed_stall: float
    moved_stall: float


class Worker:
    """`catalogizer stream`, in a state folder of its own; `more`: additional settings."""

    def __init__(self, kafka: Kafka, folder: Path, **more: str) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._log = folder / "log"
        self._is_ended = False
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CATALOGIZER_")}
        settings = {
            "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS": kafka.settings.bootstrap_servers or "",
            "CATALOGIZER_KAFKA__LANES": str(kafka.lanes),
            "CATALOGIZER_KAFKA__REPLICATION_FACTOR": "1",
            "CATALOGIZER_LOG__FORMAT": "json",
            "CATALOGIZER_STATE_DIR": str(folder),
            "CATALOGIZER_STREAMS__STATUS": "false",
            "CATALOGIZER_STREAMS__ANALYSIS__WORKERS": "1",
        }
        with self._log.open("a") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "stream"],
                env=clean | settings | more,
                stderr=errors,
                stdout=errors,
            )

    def live(self) -> Iterator[tuple[float, int]]:
        """When each lane became live in this worker."""
        for line in self._log.read_text().splitlines():
            with suppress(ValueError):
                logged = json.loads(line)
                if logged.get("event") == "lane live":
                    yield logged["timestamp"], logged["lane"]

    def end(self, number: signal.Signals) -> None:
        """Send it a signal, and wait for its end."""
        self._is_ended = True
        self.process.send_signal(number)
        self.process.wait(20)

    def check(self) -> None:
        """Check that it runs, unless it was ended. Raises RuntimeError with the end of its log."""
        if not self._is_ended and self.process.poll() is not None:
            raise RuntimeError(f"{self.folder.name} ended: {self._log.read_text()[-2_000:]}")


@dataclass
class Line:
    """What is written and read during the events. `arrived`: monotonic seconds of each change, by lane."""

    kafka: Kafka
    arrived: dict[int, list[float]] = field(default_factory=lambda: {lane: [] for lane in range(LANES)})

    async def feed(self, producer: AIOKafkaProducer, start: dict[int, int]) -> None:
        """New files in every lane, for ever. `start`: the lanes' next sequence numbers."""
        number = 0
        while True:
            began = time.monotonic()
            for lane in range(LANES):
                root = "films" if lane == 0 else f"root {lane}"
                file = FileState("file", 1_000 + number, START_NS + number, 2049, 10**9 + number)
                head: dict[str, Any] = {
                    "root": root,
                    "epoch": "e1",
                    "seq": start[lane] + number,
                    "observed_at": "2026-11-24T14:00:00.000Z",
                }
                record = raw.Observed(**head, path=f"new/{number}.txt", file=file, origin="live")
                await put(self.kafka, producer, lane, "observed", record)
            number += 1
            await asyncio.sleep(max(0.0, began + 1 / PER_SECOND - time.monotonic()))

    async def follow(self) -> None:
        """Record when changes arrive, for ever."""
        consumer = self.kafka.tail_consumer(fetch_max_wait_ms=50)
        await consumer.start()
        try:
            partitions = [TopicPartition(self.kafka.name(CHANGES), lane) for lane in range(LANES)]
            consumer.assign(partitions)
            await consumer.seek_to_end(*partitions)
            while True:
                for partition, found in (await consumer.getmany(timeout_ms=200)).items():
                    self.arrived[partition.partition] += [time.monotonic()] * len(found)
        finally:
            await consumer.stop()

    def stall(self, lane: int, since: float, until: float) -> float:
        """The longest stretch without a change of a lane that began in this time."""
        inside = [at for at in self.arrived[lane] if since <= at <= until]
        edges = [since, *inside, until]
        return max(after - before for before, after in pairwise(edges))


async def put(kafka: Kafka, producer: AIOKafkaProducer, lane: int, kind: str, record: RawRecord) -> None:
    """Append to a lane's change log."""
    library = LIBRARY if lane == 0 else f"library {lane}"
    await producer.send(
        kafka.name(RAW), encode(record), key=library.encode(), partition=lane, headers=raw_headers(kind)
    )


async def declare(kafka: Kafka, producer: AIOKafkaProducer) -> None:
    """The roots of the lanes that are not filled."""
    for lane in range(1, LANES):
        head: dict[str, Any] = next(heads()) | {"root": f"root {lane}"}
        kind, record = declared(head, library=f"library {lane}")
        await put(kafka, producer, lane, kind, record)


class Measurement:
    """The events, one after the other."""

    def __init__(self, line: Line, folder: Path) -> None:
        self._line = line
        self._folder = folder
        self._workers: dict[str, Worker] = {}
        self.rows: list[Row] = []

    def start(self, name: str) -> None:
        """A worker, in the state folder of that name."""
        self._workers[name] = Worker(self._line.kafka, self._folder / name)

    def end(self, name: str, number: signal.Signals) -> None:
        """End a worker."""
        self._workers[name].end(number)

    def kill_all(self) -> None:
        """Kill all that still run."""
        for worker in self._workers.values():
            if worker.process.poll() is None:
                worker.end(signal.SIGKILL)

    def owners(self) -> dict[int, str]:
        """The worker of each lane: the last one that logged that the lane is live."""
        logged = sorted((at, lane, name) for name, worker in self._workers.items() for at, lane in worker.live())
        return {lane: name for _, lane, name in logged}

    async def ready(self, filled: int) -> None:
        """Wait until everything is folded, including spread outputs, and every lane's changes arrive."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            lane = (await positions(self._line.kafka))[0]
            folded = lane is not None and lane.next_offset > filled and not lane.written
            if folded and all(self._line.arrived.values()):
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"lane 0 is at {lane} after {READY_SECONDS:g} s")
            await asyncio.sleep(1)

    async def event(self, name: str, action: Any) -> None:
        """Do the action, and measure the pauses that follow."""
        before, began = self.owners(), time.monotonic()
        await asyncio.to_thread(action)
        await asyncio.sleep(EVENT_SECONDS)
        for worker in self._workers.values():
            worker.check()
        until, after = time.monotonic(), self.owners()
        stalls = {lane: self._line.stall(lane, began, until) for lane in range(LANES)}
        moved = [lane for lane in range(LANES) if before.get(lane) != after.get(lane)]
        self.rows.append(
            Row(
                name,
                len(moved),
                max((stalls[lane] for lane in range(LANES) if lane not in moved), default=0.0),
                max((stalls[lane] for lane in moved), default=0.0),
            )
        )


async def measure(kafka: Kafka, folder: Path, files: int) -> list[Row]:
    """All events."""
    await apply(kafka)
    filled = await fill(kafka, records(files, 2 * files), traced=False)
    line, producer = Line(kafka), kafka.producer()
    await producer.start()
    await declare(kafka, producer)
    measurement = Measurement(line, folder)
    following = asyncio.create_task(line.follow())
    feeding = asyncio.create_task(line.feed(producer, {0: filled + 1} | dict.fromkeys(range(1, LANES), 2)))
    try:
        measurement.start("a")
        await measurement.ready(filled)

        def replaced() -> None:
            measurement.end("b", signal.SIGKILL)
            measurement.start("d")

        def restarted() -> None:
            measurement.end("a", signal.SIGKILL)
            measurement.start("a")

        await measurement.event("none (baseline)", lambda: None)
        await measurement.event("a second worker joins", lambda: measurement.start("b"))
        await measurement.event("a third worker joins", lambda: measurement.start("c"))
        await measurement.event("one is stopped", lambda: measurement.end("c", signal.SIGTERM))
        await measurement.event("one is killed, another takes its place", replaced)
        await measurement.event("one is killed and started again", restarted)
    finally:
        for task in (following, feeding):
            task.cancel()
        measurement.kill_all()
        await producer.stop()
    return measurement.rows


def main() -> None:
    """Print a row for each event."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with ExitStack() as held:
        kafka = held.enter_context(broker(lanes=LANES))
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="catalogizer-bench-"))
        rows = asyncio.run(measure(kafka, Path(folder), given.files))
    if given.json:
        for row in rows:
            print(json.dumps({"bench": "scaling", "files": given.files, **asdict(row)}))
        return
    table = Table(
        title=f"Workers come and go, {given.files:,} known files in lane 0: the longest stall in seconds"
    )
    for column in ("event", "lanes moved", "of one that stayed", "of one that moved"):
        table.add_column(column, justify="left" if column == "event" else "right")
    for row in rows:
        moved = f"{row.moved_stall:.2f}" if row.moved else "–"
        table.add_row(row.event, str(row.moved), f"{row.stayed_stall:.2f}", moved)
    Console().print(table)


if __name__ == "__main__":
    main()
