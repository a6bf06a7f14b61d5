"""How many changes a second the projector stores, against the naive way measured in the same run.

Both write the same rows of the same changes (each with its media update) and the position, into fresh databases
of one server. Naive: one statement a row in a transaction per record, as a consumer that commits per message does.
Usage: `python -m bench.projector DATABASE_URL` (a server on which it may create databases).
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from cli.provisioning.tables import Migration, apply_migrations
from schemas import topics
from schemas.changes import Created
from schemas.media import ItemCreated
from streams.projector.plan import rows_of
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.store import Batch, PostgresStore
from tests.support.projector_log import LIBRARY, ROOT, Log, Logged, at, item

CHANGES = 20_000
NAIVE_CHANGES = 1_500
BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Measured:
    """Changes a second, and what they cost the projector's process."""

    name: str
    per_second: float
    cpu_microseconds: float


def a_log(changes: int) -> Log:
    """Creations of films, each with its media update."""
    log = Log()
    for number in range(changes):
        path, id_ = f"dir {number % 100}/Some Film {number} (1999) 1080p.mkv", (number + 1) * 1024
        log.change(
            Created(
                library=LIBRARY, root=ROOT, at=at(number), path=path, type="file", origin="live", size=number,
                mtime_ns=1_790_000_000_000_000_000 + number, media_id=id_, fingerprint=f"{number:032x}",
            )
        )  # fmt: skip
        log.update(ItemCreated, item(id_, path))
    return log


async def write(store: PostgresStore, log: Log, size: int) -> None:
    """Everything, in batches of that size."""
    for topic in (topics.CHANGES, topics.MEDIA_UPDATES):
        partition, records = Partition(topic.name, 0), log.of(topic)
        await store.begin(partition, PartitionPosition(0, "bench"))
        for start in range(0, len(records), size):
            await store.apply(_batch(partition, records[start : start + size], start))


def _batch(partition: Partition, records: list[Logged], start: int) -> Batch:
    rows = tuple(row for record in records for row in rows_of(record.of, record))
    return Batch(partition, start, start + len(records), rows)


@contextmanager
def a_database(server: str, known: list[Migration] | None = None) -> Iterator[str]:
    """A fresh database, migrated as far as is known."""
    name = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = make_conninfo(server, dbname=name)
            apply_migrations(url, known)
            yield url
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def measure(
    name: str,
    server: str,
    changes: int,
    work: Callable[[PostgresStore, Log], Awaitable[None]],
    known: list[Migration] | None = None,
) -> Measured:
    """Measure one way, on its own database, which is migrated as far as given."""
    log = a_log(changes)

    async def run(url: str) -> Measured:
        store = PostgresStore(url)
        began, cpu = time.perf_counter(), time.process_time()
        await work(store, log)
        took, spent = time.perf_counter() - began, time.process_time() - cpu
        await store.close()
        return Measured(name, changes / took, spent / changes * 1e6)

    with a_database(server, known) as url:
        return asyncio.run(run(url))


def main() -> None:
    """Print both."""
    server = sys.argv[1]
    naive = measure("a transaction a record", server, NAIVE_CHANGES, lambda store, log: write(store, log, 1))
    ours = measure("a transaction a batch", server, CHANGES, lambda store, log: write(store, log, BATCH))
    for result in (naive, ours):
        print(
            f"projector, {result.name}: {result.per_second:,.0f} changes/s, {result.cpu_microseconds:.0f} µs CPU"
        )
    print(f"projector: {ours.per_second / naive.per_second:.1f} times the naive way")


if __name__ == "__main__":
    main()
