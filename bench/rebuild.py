"""A rebuild of PostgreSQL's rows from the log (`replay project --to-earliest --execute`), beyond what reading the same
records from the broker takes, and its process's CPU time and memory. The log is the fold's own; the rows are compared with
those that a live projector, a few records at a time, has written before.

`python -m bench.rebuild [--json] [CHANGES]`; `1000000` takes some twenty minutes, most of them the live projector's."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time

import psycopg
from aiokafka import TopicPartition
from psycopg import sql

from bench.__main__ import database
from bench.derived_log import fill
from bench.projector import a_database
from bench.support import broker, cpu_seconds, resident_mb, show
from cli.progress import Stages
from cli.provisioning.topics import apply
from cli.rebuilding import MAX_RECORDS, rebuild
from runtime.kafka import Kafka
from runtime.log_reading import bounds, partitions_of, reader, stretch
from runtime.settings import KafkaSettings
from schemas.places import next_offset
from streams.projector.assigned import epochs_of, partition_of
from streams.projector.main import FETCH_BYTES
from streams.projector.new_tables import TABLES
from streams.projector.plan import TOPICS, rows_of
from streams.projector.positions import PartitionPosition
from streams.projector.store import Batch, PostgresStore

CHANGES = 100_000
FEW = 100
"""Records that the live projector gets at once."""


async def read(kafka: Kafka) -> int:
    """Read everything and do nothing; the number of records."""
    count = 0
    options = {"max_partition_fetch_bytes": FETCH_BYTES, "fetch_max_bytes": 4 * FETCH_BYTES}
    async with reader(kafka, **options) as consumer:
        places = [place for topic in TOPICS for place in await partitions_of(consumer, kafka.name(topic))]
        within = await bounds(consumer, places)
        async for records in stretch(consumer, within.earliest, within.end, MAX_RECORDS):
            count += len(records)
    return count


async def live(kafka: Kafka, url: str, stages: Stages) -> None:
    """Project everything, a few records at a time."""
    store = PostgresStore(url)
    epochs = await epochs_of(kafka, [topic.name for topic in TOPICS])
    async with reader(kafka) as consumer:
        places = [place for topic in TOPICS for place in await partitions_of(consumer, kafka.name(topic))]
        within = await bounds(consumer, places)
        at = dict(within.earliest)
        for place, offset in at.items():
            partition = partition_of(kafka, place)
            await store.begin(partition, PartitionPosition(offset, epochs[partition.topic]))
        with stages.stage("live projector", sum(within.end.values())) as advance:
            async for records in stretch(consumer, within.earliest, within.end, FEW):
                if records:
                    place = TopicPartition(records[0].topic, records[0].partition)
                    topic, after = kafka.topic(place.topic), next_offset(records[-1].offset)
                    rows = tuple(row for record in records for row in rows_of(topic, record))
                    assert await store.apply(Batch(partition_of(kafka, place), at[place], after, rows))
                    at[place] = after
                    advance(len(records))
    await store.close()


def digests(url: str) -> dict[str, tuple[int, int]]:
    """Of each table the number of its rows and a sum of their hashes; the time when a row was written is left out."""
    found: dict[str, tuple[int, int]] = {}
    with psycopg.connect(url) as connection:
        for table in TABLES:
            query = sql.SQL(
                "SELECT count(*), coalesce(sum(hashtextextended((to_jsonb(t) - 'processed_at')::text, 0)), 0) FROM {} AS t"
            )
            row = connection.execute(query.format(sql.Identifier(table))).fetchone()
            assert row is not None
            found[table] = (int(row[0]), int(row[1]))
    return found


def in_a_process(what: str, kafka: Kafka, url: str) -> dict[str, float]:
    """Work of this module in a process of its own: its figures."""
    words = [sys.executable, "-m", "bench.rebuild", "--child", what, kafka.settings.model_dump_json(), url]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def child(what: str, settings: str, url: str) -> None:
    """Do it and print the figures: seconds, CPU seconds, peak MB, records."""
    kafka = Kafka(KafkaSettings.model_validate_json(settings, by_name=True), "bench")
    began = time.monotonic()
    records = (
        asyncio.run(read(kafka)) if what == "read" else asyncio.run(rebuild(kafka, url, show=Stages())).records
    )
    peak = resident_mb(field="VmHWM")  # ru_maxrss has the parent's, from before the exec
    figures = {"seconds": time.monotonic() - began, "cpu": cpu_seconds(), "peak_mb": peak, "records": records}
    print(json.dumps(figures))


def measure(changes: int) -> None:
    """Make the log, project it live, read it, rebuild, compare, print."""
    stages = Stages()
    with broker() as kafka, database() as server, a_database(server) as url:
        asyncio.run(apply(kafka))
        with stages.stage("making the log"):
            counts = asyncio.run(fill(kafka, changes))
        began, cpu = time.monotonic(), cpu_seconds()
        asyncio.run(live(kafka, url, stages))
        projected, cpu = time.monotonic() - began, cpu_seconds() - cpu
        before = digests(url)
        reading, rebuilding = in_a_process("read", kafka, url), in_a_process("rebuild", kafka, url)
        equal = digests(url) == before
    changed = counts[TOPICS[0].name]
    figures = {
        "changes": changed,
        "records": reading["records"],
        "read_seconds": reading["seconds"],
        "rebuild_seconds": rebuilding["seconds"],
        "beyond_seconds": rebuilding["seconds"] - reading["seconds"],
        "read_cpu_us": reading["cpu"] / reading["records"] * 1e6,
        "rebuild_cpu_us": rebuilding["cpu"] / reading["records"] * 1e6,
        "peak_mb": rebuilding["peak_mb"],
        "live_seconds": projected,
        "live_cpu_us": cpu / reading["records"] * 1e6,
        "equal": equal,
    }
    show(
        f"rebuild, {changed:,} changes, {figures['records']:,.0f} records",
        [
            ("reading alone", f"{figures['read_seconds']:.1f} s, {figures['read_cpu_us']:.1f} µs CPU a record"),
            ("rebuild", f"{figures['rebuild_seconds']:.1f} s, {figures['rebuild_cpu_us']:.1f} µs CPU a record"),
            ("beyond reading", f"{figures['beyond_seconds']:.1f} s"),
            ("peak memory", f"{figures['peak_mb']:.0f} MB"),
            (f"live, {FEW} at a time", f"{projected:.1f} s, {figures['live_cpu_us']:.1f} µs CPU a record"),
            ("rows", "equal to the live ones" if equal else "NOT EQUAL to the live ones"),
        ],
        figures,
    )
    if not equal:
        sys.exit(1)


def main() -> None:
    """See the module."""
    words = [word for word in sys.argv[1:] if word != "--json"]
    if words[:1] == ["--child"]:
        child(*words[1:])
    else:
        measure(int(words[0]) if words else CHANGES)


if __name__ == "__main__":
    main()
