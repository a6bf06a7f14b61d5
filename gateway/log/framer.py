"""From a record of a channel's topic to its event frame, the JSON payload, and what it is about: the same for live, memory
and log.

A record that is not an event of its channel becomes a `gap` for its offset, built from the log alone, so that every client
sees the same at the same position at any time.

Replays of `media_updates` are framed by compiled code where there is some (`compiled`), as far as their records are plain:
the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException

from gateway import metrics
from gateway.core import answers
from gateway.core.about import About, Framed, FramedColumns, columns
from gateway.log.abouts import MAX_KNOWN, Abouts, type_of
from gateway.log.compiled import Unpack, Unpacked
from runtime import log
from runtime.chunked_records import Batch, Body, Chunk
from runtime.log_fields import fields_at
from schemas.channels import Channel
from schemas.codec import Codec
from schemas.envelope import EventFrames
from schemas.errors import SchemaError
from schemas.headers import check_version
from schemas.log_record import StoredRecord
from schemas.media import MediaUpdateWire
from schemas.places import next_offset

CHUNK_RECORDS = 64
"""Records that are unpacked and framed in one step of the event loop by interpreted code: half a millisecond."""
CHUNK_BYTES = 131_072
"""Of their values; the last may be longer."""

_log = log.get(__name__)


class Framer:
    """Frames the records of one channel."""

    def __init__(self, channel: Channel, *, legacy_payload: bool, compiled: Unpack | None = None) -> None:
        """`compiled`: for media updates; of other channels there are few."""
        self._channel = channel
        self._codec: Codec[object] = Codec(type_of(channel.data))
        self._frames = EventFrames(channel, legacy_payload=legacy_payload)
        self._abouts = Abouts()
        self._compiled = compiled if channel.data is MediaUpdateWire else None
        self._known: dict[bytes, About] = {}

    def frames(self, place: TopicPartition, records: Iterable[StoredRecord]) -> list[Framed]:
        """Records of one partition as events; raises nothing."""
        return [self._frame(place, record) for record in records]

    def chunks(self, place: TopicPartition, batch: Batch) -> Iterator[Chunk[FramedColumns]]:
        """A record batch as events, a step of the event loop at a time. Raises CorruptRecordException."""
        body = None if self._compiled is None else batch.body()
        if self._compiled is None or body is None:
            return self._interpreted(place, batch)
        return self._unpacked(self._compiled, place, body, batch.start)

    def _interpreted(self, place: TopicPartition, batch: Batch) -> Iterator[Chunk[FramedColumns]]:
        framed: list[Framed] = []
        size = 0
        for record in batch.records():
            framed.append(self._frame(place, record))
            size += len(record.value or b"")
            if len(framed) == CHUNK_RECORDS or size >= CHUNK_BYTES:
                yield Chunk(record.offset, columns(framed))
                framed, size = [], 0
        if framed:
            yield Chunk(framed[-1][0], columns(framed))

    def _unpacked(
        self, unpack: Unpack, place: TopicPartition, body: Body, start: int
    ) -> Iterator[Chunk[FramedColumns]]:
        pieces, partition, at, count = self._frames.pieces, place.partition, 0, body.count
        counted_from = body.base_offset, body.first_timestamp, body.append_time
        while count:
            try:
                offsets, ats, payloads, abouts, left, at, count = unpack(
                    pieces, partition, self._known, start, body.packed, at, count, *counted_from
                )
            except ValueError as error:
                raise CorruptRecordException(f"{place} from offset {body.base_offset}: {error}") from error
            for index, memo, record in left:
                _, _, payloads[index], about = self._frame(place, Unpacked(*record))
                abouts[index] = about
                if memo is not None and about is not None:
                    if len(self._known) >= MAX_KNOWN:
                        self._known.clear()
                    self._known[memo] = about
            if offsets:
                yield Chunk(offsets[-1], (offsets, ats, payloads, abouts))

    def _frame(self, place: TopicPartition, record: StoredRecord) -> Framed:
        value, headers, offset, at = record.value, record.headers, record.offset, record.timestamp
        try:
            check_version(headers)
            decoded = self._codec.decode(value)
            assert value is not None  # decode refuses a tombstone
            value.decode()  # msgspec does not look into fields it skips; a text frame must be UTF-8 throughout
        except (SchemaError, UnicodeDecodeError) as error:
            return offset, at, self._gap(place, record, error), None
        frame = self._frames.frame(place.partition, offset, at, headers, value)
        return offset, at, frame, self._abouts.of(record, decoded)

    def _gap(self, place: TopicPartition, record: StoredRecord, error: Exception) -> bytes:
        name, offset = self._channel.name, record.offset
        metrics.UNDECODABLE.labels(name).inc()
        at = fields_at(place.topic, place.partition, record)
        _log.warning("not an event", channel=name, **at, error=str(error))
        return answers.gap(name, place.partition, offset, next_offset(offset), "undecodable", record.timestamp)
