"""The whole library fold: raw records per CPU second, transactions and output encoding included, while 100,000
files become known, four raw records a file. Baseline in the same run: a bare getmany and decode loop."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from typing import Any

from aiokafka import TopicPartition

from bench.support import broker, cpu_seconds, resident_mb, show
from cli.provision import apply
from runtime.health import Health
from runtime.kafka import Kafka
from runtime.lifecycle import collect_rarely
from schemas import raw
from schemas.codec import encode
from schemas.headers import raw_headers
from schemas.raw import FileState, RawRecord
from schemas.topics import RAW
from schemas.trace import begun
from streams.core import intake
from streams.library.service import LibraryService

FILES = int(os.environ.get("BENCH_FILES", "100000"))
OUTPUTS_PER_FILE = 4
"""A change, a media update, a state and a job."""
LIBRARY = "home"
START_NS = 1_700_000_000_000_000_000


def records(files: int) -> Iterator[tuple[str, RawRecord]]:
    """A root, and for each file three growing observations and a fingerprint."""
    seq = 0

    def head() -> dict[str, Any]:
        nonlocal seq
        seq += 1
        return {"root": "films", "epoch": "e1", "seq": seq, "observed_at": "2026-11-24T14:00:00.000Z"}

    yield (
        "root_declared",
        raw.RootDeclared(
            **head(), library=LIBRARY, site="main", protocol="local", location="/m", debounce_ms=50,
            identity=raw.RootIdentity(dev=1, inode=2), rename_window_ms=50,
        ),
    )  # fmt: skip
    for i in range(files):
        path = f"Series {i % 200:03d}/Season {i % 7}/Some.Show.S{i % 7:02d}E{i % 24:02d}.1080p.{i}.mkv"
        for size in (0, 1_000 + i, 700_000_000 + i):
            file = FileState("file", size, START_NS + size, 2049, 1000 + i)
            yield "observed", raw.Observed(**head(), path=path, file=file, origin="live")
        identity: dict[str, Any] = {"size": file.size, "mtime_ns": file.mtime_ns, "inode": file.inode}
        yield "fingerprint", raw.Fingerprint(**head(), path=path, xxh3=f"{i:032x}", **identity)


async def fill(kafka: Kafka) -> int:
    """Write the change log; returns the number of records."""
    producer = kafka.producer(max_batch_size=500_000)
    await producer.start()
    topic, total = kafka.name(RAW), 0
    batch = producer.create_batch()
    for kind, record in records(FILES):
        value = encode(record)
        fields = {
            "key": LIBRARY.encode(),
            "value": value,
            "timestamp": None,
            "headers": raw_headers(kind, begun(value)),
        }
        total += 1
        if batch.append(**fields) is None:
            await producer.send_batch(batch, topic, partition=0)
            batch = producer.create_batch()
            batch.append(**fields)
    await (await producer.send_batch(batch, topic, partition=0))
    await producer.stop()
    return total


async def bare_loop(kafka: Kafka, total: int) -> float:
    """CPU seconds of reading and decoding everything."""
    partition = TopicPartition(kafka.name(RAW), 0)
    consumer = kafka.tail_consumer(max_partition_fetch_bytes=4_194_304)
    await consumer.start()
    consumer.assign([partition])
    consumer.seek(partition, 0)
    before, seen = cpu_seconds(), 0
    while seen < total:
        for record in (await consumer.getmany(partition, timeout_ms=1_000, max_records=2_000)).get(partition, ()):
            intake.read(record.value, record.headers)
            seen += 1
    spent = cpu_seconds() - before
    await consumer.stop()
    return spent


async def whole_fold(kafka: Kafka) -> tuple[float, float]:
    """CPU seconds and wall seconds until every output is committed, in a process set up as a stream worker is."""
    collect_rarely()
    service = LibraryService(kafka=kafka, instance="bench", health=Health())
    before, began = cpu_seconds(), time.monotonic()
    await service.start()
    await service.wait_ready()
    while service.progress[0].committed < OUTPUTS_PER_FILE * FILES:
        if time.monotonic() - began > 300:
            raise TimeoutError(f"the fold stands at {service.progress[0]}")
        await asyncio.sleep(0.1)
    spent, wall = cpu_seconds() - before, time.monotonic() - began
    await service.stop()
    return spent, wall


async def measure(kafka: Kafka) -> None:
    """Fill, read bare, fold, print."""
    await apply(kafka)
    total = await fill(kafka)
    bare = await bare_loop(kafka, total)
    folded, wall = await whole_fold(kafka)
    figures = {
        "records": total,
        "bare_per_cpu_second": total / bare,
        "fold_per_cpu_second": total / folded,
        "fold_per_second": total / wall,
        "ratio": bare / folded,
        "resident_mb": resident_mb(),
    }
    show(
        f"library fold, {FILES:,} files, {total:,} raw records",
        [
            ("bare getmany + decode", f"{figures['bare_per_cpu_second']:,.0f} records per CPU second"),
            ("whole fold", f"{figures['fold_per_cpu_second']:,.0f} records per CPU second"),
            ("ratio", f"{figures['ratio']:.3f} (aim ≥ 0.100)"),
            ("wall", f"{figures['fold_per_second']:,.0f} records per second"),
            ("resident memory afterwards", f"{figures['resident_mb']:.0f} MB"),
        ],
        figures,
    )


if __name__ == "__main__":
    with broker() as clients:
        asyncio.run(measure(clients))
