"""From a record of a channel's topic to its event frame, the JSON payload, and what it is about: the same for live, memory
and log.

A record that is not an event of its channel becomes a `gap` for its offset, built from the log alone, so that every client
sees the same at the same position at any time.
"""

from __future__ import annotations

from gateway import metrics
from gateway.core import answers
from gateway.core.about import Framed
from gateway.log.abouts import Abouts, type_of
from runtime import log
from runtime.log_fields import fields
from schemas.channels import Channel
from schemas.codec import Codec
from schemas.envelope import event_frame
from schemas.errors import SchemaError, Undecodable
from schemas.headers import check_version
from schemas.log_record import LogRecord
from schemas.places import next_offset

_log = log.get(__name__)


class Framer:
    """Frames the records of one channel."""

    def __init__(self, channel: Channel, *, legacy_payload: bool) -> None:
        self._channel = channel
        self._legacy_payload = legacy_payload
        self._codec: Codec[object] = Codec(type_of(channel.data))
        self._abouts = Abouts()

    def frame(self, record: LogRecord) -> Framed:
        """A record as an event; raises nothing."""
        try:
            value, decoded = self._checked(record)
        except SchemaError as error:
            metrics.UNDECODABLE.labels(self._channel.name).inc()
            _log.warning("not an event", channel=self._channel.name, **fields(record), error=str(error))
            return record.offset, record.timestamp, self._gap(record), None
        payload = event_frame(
            self._channel,
            partition=record.partition,
            offset=record.offset,
            timestamp=record.timestamp,
            headers=record.headers,
            value=value,
            legacy_payload=self._legacy_payload,
        )
        return record.offset, record.timestamp, payload, self._abouts.of(record, decoded)

    def _checked(self, record: LogRecord) -> tuple[bytes, object]:
        check_version(record.headers)
        value = record.value
        decoded = self._codec.decode(value)
        assert value is not None  # decode refuses a tombstone
        try:
            value.decode()  # msgspec does not look into fields it skips; a text frame must be UTF-8 throughout
        except UnicodeDecodeError as error:
            raise Undecodable(str(error)) from error
        return value, decoded

    def _gap(self, record: LogRecord) -> bytes:
        name, offset = self._channel.name, record.offset
        return answers.gap(name, record.partition, offset, next_offset(offset), "undecodable", record.timestamp)
