"""What the machine could do at best: the same work without the product's own, each in a bare loop.

One thread that reads inotify events, reads the state of each path and inserts a row into SQLite, 512 in a transaction, as
durable as the product's; and one Kafka producer that appends records of an observation's size and waits for each batch."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import time
from pathlib import Path

from watchdog.observers.inotify_c import InotifyConstants as K
from watchdog.observers.inotify_c import Mask

from producer.backends.local.reader import Reader
from runtime.kafka import Kafka
from schemas import topics

FILES = 20_000
BATCH = 512
RECORDS = 100_000
RECORD_BYTES = 300
APPEND = 2_000


def limits(folder: Path, kafka: Kafka) -> dict[str, float]:
    """Both, per second."""
    return {
        "inotify, lstat, SQLite: events/s": _observing(folder),
        "Kafka's acknowledgements: records/s": asyncio.run(_appending(kafka)),
    }


def _observing(folder: Path) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        root = Path(place) / "root"
        root.mkdir()
        reader = Reader(lambda: None, 64 << 20)
        reader.add_watch(os.fsencode(root), Mask(K.IN_CREATE))
        for number in range(FILES):
            (root / f"file {number}").touch()
            if number % 10_000 == 0:
                reader.pull()
        reader.pull()
        connection = sqlite3.connect(Path(place) / "state", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE entry (name BLOB PRIMARY KEY, size, mtime_ns, inode) WITHOUT ROWID")
        began, count = time.perf_counter(), 0
        while events := list(reader.take(BATCH)):
            rows = []
            for *_, name in events:
                status = os.lstat(root / os.fsdecode(name))
                rows.append((name, status.st_size, status.st_mtime_ns, status.st_ino))
            connection.execute("BEGIN")
            connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
            count += len(rows)
        taken = time.perf_counter() - began
        connection.close()
        _close(reader)
        return count / taken


def _close(reader: Reader) -> None:
    """Its thread was never started: start it and let it end, which closes the kernel's queue."""
    reader.stop()
    reader.start()
    reader.join()


async def _appending(kafka: Kafka) -> float:
    producer = kafka.producer(linger_ms=0, max_batch_size=900_000)
    await producer.start()
    try:
        began, value = time.perf_counter(), os.urandom(RECORD_BYTES // 2).hex().encode()
        for _ in range(RECORDS // APPEND):
            batch, count = producer.create_batch(), 0
            while count < APPEND and batch.append(timestamp=None, key=b"bench", value=value) is not None:
                count += 1
            batch.close()
            await (await producer.send_batch(batch, kafka.name(topics.NOTIFICATIONS), partition=0))
        return RECORDS / (time.perf_counter() - began)
    finally:
        await producer.stop()
