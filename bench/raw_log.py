"""A change log for measurements: its common first records, and how it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from runtime.kafka import Kafka
from schemas import raw
from schemas.codec import encode
from schemas.headers import raw_headers
from schemas.raw import RawRecord
from schemas.topics import RAW
from schemas.trace import begun

LIBRARY = "home"
START_NS = 1_700_000_000_000_000_000


def heads() -> Iterator[dict[str, Any]]:
    """The common fields of the records of one root, without end."""
    seq = 0
    while True:
        seq += 1
        yield {"root": "films", "epoch": "e1", "seq": seq, "observed_at": "2026-11-24T14:00:00.000Z"}


def declared(head: dict[str, Any], library: str = LIBRARY) -> tuple[str, RawRecord]:
    """The root, with windows so short that the measurement does not wait for them."""
    return (
        "root_declared",
        raw.RootDeclared(
            **head, library=library, site="main", protocol="local", location="/m", debounce_ms=50,
            identity=raw.RootIdentity(dev=1, inode=2), rename_window_ms=50,
        ),
    )  # fmt: skip


async def fill(kafka: Kafka, records: Iterable[tuple[str, RawRecord]], *, traced: bool) -> int:
    """Write them into lane 0, each with a trace of its own or without one; returns how many."""
    producer = kafka.producer(max_batch_size=500_000)
    await producer.start()
    topic, total = kafka.name(RAW), 0
    batch = producer.create_batch()
    for kind, record in records:
        value = encode(record)
        headers = raw_headers(kind, begun(value)) if traced else raw_headers(kind)
        fields: dict[str, Any] = {"key": LIBRARY.encode(), "value": value, "timestamp": None, "headers": headers}
        total += 1
        if batch.append(**fields) is None:
            await producer.send_batch(batch, topic, partition=0)
            batch = producer.create_batch()
            batch.append(**fields)
    await (await producer.send_batch(batch, topic, partition=0))
    await producer.stop()
    return total
