"""The whole library fold: raw records per CPU second, transactions and output encoding included, while 100,000
files become known, four raw records a file. Baselines in the same run: a bare getmany and decode loop, and a plain
Faust agent.

Then one more record, the move of a directory with all of them below it: seconds until the last of its outputs is
committed, and the longest time for which the fold blocked the event loop (the group's heartbeats) meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from aiokafka import TopicPartition

from bench.raw_log import LIBRARY, START_NS, declared, fill, heads
from bench.support import broker, cpu_seconds, resident_mb, show
from cli.provisioning.topics import apply
from runtime.health import Health
from runtime.kafka import Kafka
from runtime.lifecycle import collect_rarely
from schemas import raw
from schemas.codec import encode
from schemas.headers import raw_headers
from schemas.raw import FileState, RawRecord
from schemas.topics import RAW
from streams.core import intake
from streams.core.rules import RULES_1
from streams.library.service import LibraryService

PLAIN_RECORDS = 5_000
FILES = int(os.environ.get("BENCH_FILES", "100000"))
OUTPUTS_PER_FILE = 4
"""A change, a media update, a state and a job."""
MOVED_OUTPUTS_PER_FILE = 4
"""The job is issued again, because it names the old path."""
DIRECTORY = "Shows"


def records(files: int) -> Iterator[tuple[str, RawRecord]]:
    """A root, and for each file three growing observations and a fingerprint."""
    head = heads()
    yield declared(next(head))
    for i in range(files):
        path = f"{DIRECTORY}/Series {i % 200:03d}/Season {i % 7}/Some.Show.S{i % 7:02d}E{i % 24:02d}.1080p.{i}.mkv"
        for size in (0, 1_000 + i, 700_000_000 + i):
            file = FileState("file", size, START_NS + size, 2049, 1000 + i)
            yield "observed", raw.Observed(**next(head), path=path, file=file, origin="live")
        identity: dict[str, Any] = {"size": file.size, "mtime_ns": file.mtime_ns, "inode": file.inode}
        yield "fingerprint", raw.Fingerprint(**next(head), path=path, xxh3=f"{i:032x}", **identity)


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
            intake.read(RULES_1, record.value, record.headers)
            seen += 1
    spent = cpu_seconds() - before
    await consumer.stop()
    return spent


def plain_agent(kafka: Kafka) -> float:
    """Records per CPU second of the plain Faust agent, in a process of its own."""
    words = [sys.executable, "-m", "bench.plain_faust", kafka.settings.bootstrap_servers or "", str(PLAIN_RECORDS)]
    done = subprocess.run(words, capture_output=True, check=True, timeout=600)
    return float(PLAIN_RECORDS / json.loads(done.stdout.splitlines()[-1])["cpu_seconds"])


async def whole_fold(service: LibraryService) -> tuple[float, float]:
    """CPU seconds and wall seconds from a service not started until every output is committed."""
    before, began = cpu_seconds(), time.monotonic()
    await service.start()
    await service.wait_ready()
    await committed(service, OUTPUTS_PER_FILE * FILES)
    return cpu_seconds() - before, time.monotonic() - began


async def tree_moved(kafka: Kafka, service: LibraryService, seq: int) -> tuple[float, float]:
    """Seconds until all of it is committed, and the longest stall of the event loop meanwhile."""
    moved = raw.Moved(
        root="films", epoch="e1", seq=seq, observed_at="2026-11-24T14:00:00.000Z", path="Series",
        from_path=DIRECTORY, file=FileState("dir", 0, START_NS, 2049, 1), origin="live",
    )  # fmt: skip
    before = service.progress[0].committed
    async with kafka.producer() as producer:
        topic, headers = kafka.name(RAW), raw_headers("moved")
        await producer.send_and_wait(topic, encode(moved), LIBRARY.encode(), partition=0, headers=headers)
    began, watching = time.monotonic(), asyncio.create_task(longest_stall())
    await committed(service, before + MOVED_OUTPUTS_PER_FILE * FILES)
    spent = time.monotonic() - began
    watching.cancel()
    return spent, await watching


async def longest_stall() -> float:
    """Seconds, until it is cancelled."""
    longest, last = 0.0, time.monotonic()
    while True:
        try:
            await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            return longest
        now = time.monotonic()
        longest, last = max(longest, now - last), now


async def committed(service: LibraryService, outputs: int) -> None:
    """Return when so many outputs are committed."""
    began = time.monotonic()
    while service.progress[0].committed < outputs:
        if time.monotonic() - began > 300:
            raise TimeoutError(f"the fold is at {service.progress[0]}")
        await asyncio.sleep(0.1)


async def measure(kafka: Kafka) -> None:
    """Fill, read bare, fold, print; in a process set up as a stream worker is."""
    await apply(kafka)
    total = await fill(kafka, records(FILES), traced=True)
    bare, plain = await bare_loop(kafka, total), await asyncio.to_thread(plain_agent, kafka)
    collect_rarely()
    service = LibraryService(kafka=kafka, instance="bench", health=Health())
    folded, wall = await whole_fold(service)
    resident = resident_mb()
    moving, stall = await tree_moved(kafka, service, total + 1)
    await service.stop()
    figures = {
        "records": total,
        "bare_per_cpu_second": total / bare,
        "fold_per_cpu_second": total / folded,
        "fold_per_second": total / wall,
        "ratio": bare / folded,
        "plain_agent_per_cpu_second": plain,
        "times_plain_agent": total / folded / plain,
        "resident_mb": resident,
        "tree_move_seconds": moving,
        "tree_move_stall_ms": stall * 1000,
        "tree_move_resident_mb": resident_mb(),
    }
    show(
        f"library fold, {FILES:,} files, {total:,} raw records",
        [
            ("bare getmany + decode", f"{figures['bare_per_cpu_second']:,.0f} records per CPU second"),
            ("whole fold", f"{figures['fold_per_cpu_second']:,.0f} records per CPU second (aim ≥ 40,000)"),
            ("ratio", f"{figures['ratio']:.3f} (aim ≥ 0.250)"),
            (
                "a plain Faust agent",
                f"{plain:,.0f} records per CPU second, {figures['times_plain_agent']:.1f} times (aim ≥ 20)",
            ),
            ("wall", f"{figures['fold_per_second']:,.0f} records per second"),
            ("resident memory afterwards", f"{resident:.0f} MB"),
            ("all of them moved by one record", f"{moving:.1f} s, the loop waits {stall * 1000:.0f} ms at most"),
            ("resident memory afterwards", f"{figures['tree_move_resident_mb']:.0f} MB"),
        ],
        figures,
    )


if __name__ == "__main__":
    with broker() as clients:
        asyncio.run(measure(clients))
