"""Alerts in the log: how they are written and read."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.kafka import Kafka
from runtime.log_reading import read_whole
from schemas.alerts import Alert
from schemas.codec import Codec, encode
from schemas.errors import SchemaError
from schemas.headers import X_SOURCE, X_TARGETS, Headers, event_headers, find
from schemas.log_record import LogRecord
from schemas.times import parse_iso
from schemas.topics import ALERTS
from streams.alerts.rules import alert_id
from streams.alerts.verdict import Cause

SOURCE = "urn:catalogizer:alerts"

codec: Codec[Alert] = Codec(Alert)


@dataclass(frozen=True, slots=True)
class Found:
    """An alert of the log. `offset`: its own; `cause`: the record at which it was decided."""

    alert: Alert
    offset: int
    cause: Cause


def headers(alert: Alert, cause: Cause) -> Headers:
    """Of the record of an alert."""
    source = f"{cause.topic}:{cause.partition}:{cause.offset}"
    return event_headers(
        id=alert_id(alert, cause), type="alert", source=SOURCE, time=alert.at, subject=alert.subject,
        extra=[(X_SOURCE, source.encode())],
    )  # fmt: skip


def value(alert: Alert) -> bytes:
    """Of the record of an alert."""
    return encode(alert)


async def read_alerts(kafka: Kafka) -> list[Found]:
    """All alerts in the log, in order, each once: redriven alerts and invalid records are skipped. Raises
    NotProvisioned, KafkaError, OSError, TimeoutError."""
    found = (_found(record) for record in await read_whole(kafka, ALERTS))
    return [one for one in found if one is not None]


def _found(record: LogRecord) -> Found | None:
    if find(record.headers, X_TARGETS) is not None:
        return None
    try:
        alert = codec.decode(record.value)
        at = parse_iso(alert.at)
    except (SchemaError, ValueError):  # the delivery writes the dead letter
        return None
    source = (find(record.headers, X_SOURCE) or b"").decode("utf-8", "replace")
    topic, partition, offset = ("", "", "", *source.split(":"))[-3:]
    is_place = partition.isdecimal() and offset.isdecimal()
    cause = Cause(topic, int(partition) if is_place else -1, int(offset) if is_place else -1, at)
    return Found(alert, record.offset, cause)
