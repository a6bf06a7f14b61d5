"""A lane's restart: seconds until it is live again and its process's memory, over growing numbers of known files and of
records in its log; from its snapshot, and in the same run, as the baseline, from the log's beginning.

`python -m bench.restart [--json] [FILES:RECORDS …]`; `1000000:2000000` takes some minutes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.raw_log import LIBRARY, START_NS, declared, fill, heads
from bench.support import broker, cpu_seconds, resident_mb
from cli.progress import Stages
from cli.provisioning.topics import apply
from runtime.health import Health
from runtime.kafka import Kafka
from runtime.lifecycle import collect_rarely
from runtime.settings import KafkaSettings
from schemas import raw
from schemas.raw import FileState, RawRecord
from streams.core.fold import Fold
from streams.core.state_bytes import Snapshot
from streams.library.service import LibraryService

SIZES = ("10000:100000", "100000:200000", "100000:1000000")
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """One size. Seconds until the lane is live; MB resident then; of the snapshot its MB, the seconds of work for it, and
    the longest time for which it blocks the fold, ms."""

    files: int
    records: int
    live_seconds: float
    from_log_seconds: float
    resident_mb: float
    snapshot_mb: float
    snapshot_seconds: float
    stall_ms: float


def records(files: int, total: int) -> Iterator[tuple[str, RawRecord]]:
    """Files, each with a fingerprint, and then the same records again, up to a number of records."""
    head = heads()
    yield declared(next(head))
    for i in range(total // 2):
        number = i % files
        path = f"Series {number % 200:03d}/Season {number % 7}/Some.Show.S{number % 7:02d}E{number % 24:02d}.{number}.txt"
        file = FileState("file", 1_000 + number, START_NS + number, 2049, 1_000 + number)
        yield "observed", raw.Observed(**next(head), path=path, file=file, origin="live")
        identity: dict[str, Any] = {"size": file.size, "mtime_ns": file.mtime_ns, "inode": file.inode}
        yield "fingerprint", raw.Fingerprint(**next(head), path=path, xxh3=f"{number:032x}", **identity)


async def folded(kafka: Kafka, end: int, stage: str, stages: Stages) -> None:
    """Fold all of it, until the last snapshot that is due is written."""
    service = LibraryService(kafka=kafka, instance="bench", health=Health())
    with stages.stage(stage, end) as advance:
        await service.start()
        seen = 0
        while (
            (progress := service.progress.get(0)) is None or progress.next_offset < end or not progress.snapshots
        ):
            if progress is not None:
                advance(progress.next_offset - seen)
                seen = progress.next_offset
            await asyncio.sleep(POLL_SECONDS)
        await asyncio.sleep(2)  # a snapshot under way
        await service.stop()


async def restarted(kafka: Kafka, *, from_log: bool) -> tuple[float, float]:
    """In this process: seconds until the lane is live, and MB resident."""
    service = LibraryService(kafka=kafka, instance="bench", health=Health())
    collect_rarely()
    if from_log:
        service._reset.add(0)
    await service.start()
    began = time.monotonic()
    await service.wait_ready()
    found = time.monotonic() - began, resident_mb()
    await service.stop()
    return found


def in_a_process(kafka: Kafka, *, from_log: bool) -> tuple[float, float]:
    """The same in a process of its own."""
    words = [kafka.settings.model_dump_json(by_alias=False), "log" if from_log else "snapshot"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.restart", "--child", *words], capture_output=True, check=True
    )
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def cost(files: int) -> tuple[float, float, float]:
    """Of a snapshot of so many files: MB, seconds of work, and the longest stall in ms."""
    fold = Fold(0)
    for offset, (_, record) in enumerate(records(files, files * 2)):
        fold.apply(offset, START_NS // 1_000_000 + offset, LIBRARY.encode(), record)
    size, before = 0, cpu_seconds()
    began = time.perf_counter()
    pieces = Snapshot(fold.state).pieces()
    stall = time.perf_counter() - began
    while True:
        began = time.perf_counter()
        piece = next(pieces, None)
        stall = max(stall, time.perf_counter() - began)
        if piece is None:
            return size / 1e6, cpu_seconds() - before, stall * 1_000
        size += len(piece)


def measured(size: str, stages: Stages) -> Row:
    """One row."""
    files, total = map(int, size.split(":"))
    with broker() as kafka:
        asyncio.run(apply(kafka))
        end = asyncio.run(fill(kafka, records(files, total), traced=False))
        asyncio.run(folded(kafka, end, f"{files:,} files, {total:,} records", stages))
        live, memory = in_a_process(kafka, from_log=False)
        from_log, _ = in_a_process(kafka, from_log=True)
    return Row(files, total, live, from_log, memory, *cost(files))


def main() -> None:
    """Print a row for each size."""
    words = [word for word in sys.argv[1:] if word != "--json"]
    if words[:1] == ["--child"]:
        kafka = Kafka(KafkaSettings.model_validate_json(words[1], by_name=True), "bench")
        print(json.dumps(asyncio.run(restarted(kafka, from_log=words[2] == "log"))))
        return
    rows = [measured(size, Stages()) for size in words or SIZES]
    if "--json" in sys.argv:
        for row in rows:
            print(json.dumps({"bench": "restart", **asdict(row)}))
        return
    table = Table(title="A lane's restart")
    for column in ("files", "records", "live s", "from log s", "MB", "snapshot MB", "work s", "stall ms"):
        table.add_column(column, justify="right")
    for row in rows:
        counts = (f"{row.files:,}", f"{row.records:,}")
        figures = (row.live_seconds, row.from_log_seconds, row.resident_mb, row.snapshot_mb, row.snapshot_seconds)
        table.add_row(*counts, *(f"{figure:,.2f}" for figure in figures), f"{row.stall_ms:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
