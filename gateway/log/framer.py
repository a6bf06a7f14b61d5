"""From a record of a channel's topic to its event frame, the JSON payload, and what it is about: the same for live, memory
and log.

A record that is not an event of its channel becomes a `gap` for its offset, built from the log alone, so that every client
sees the same at the same position at any time.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import TopicPartition

from gateway import metrics
from gateway.core import answers
from gateway.core.about import Framed
from gateway.log.abouts import Abouts, type_of
from runtime import log
from runtime.log_fields import fields_at
from schemas.channels import Channel
from schemas.codec import Codec
from schemas.envelope import EventFrames
from schemas.errors import SchemaError
from schemas.headers import check_version
from schemas.log_record import StoredRecord
from schemas.places import next_offset

_log = log.get(__name__)


class Framer:
    """Frames the records of one channel."""

    def __init__(self, channel: Channel, *, legacy_payload: bool) -> None:
        self._channel = channel
        self._codec: Codec[object] = Codec(type_of(channel.data))
        self._frames = EventFrames(channel, legacy_payload=legacy_payload)
        self._abouts = Abouts()

    def frames(self, place: TopicPartition, records: Iterable[StoredRecord]) -> list[Framed]:
        """Records of one partition as events; raises nothing."""
        partition, decode, frame, about = place.partition, self._codec.decode, self._frames.frame, self._abouts.of
        framed: list[Framed] = []
        for record in records:
            value, headers, offset, at = record.value, record.headers, record.offset, record.timestamp
            try:
                check_version(headers)
                decoded = decode(value)
                assert value is not None  # decode refuses a tombstone
                value.decode()  # msgspec does not look into fields it skips; a text frame must be UTF-8 throughout
            except (SchemaError, UnicodeDecodeError) as error:
                framed.append((offset, at, self._gap(place, record, error), None))
            else:
                framed.append((offset, at, frame(partition, offset, at, headers, value), about(record, decoded)))
        return framed

    def _gap(self, place: TopicPartition, record: StoredRecord, error: Exception) -> bytes:
        name, offset = self._channel.name, record.offset
        metrics.UNDECODABLE.labels(name).inc()
        at = fields_at(place.topic, place.partition, record)
        _log.warning("not an event", channel=name, **at, error=str(error))
        return answers.gap(name, place.partition, offset, next_offset(offset), "undecodable", record.timestamp)
