"""A partition's records in chunks, unpacked by their reader: for one who reads so many that an object for each would take
most of its time.

A consumer of aiokafka 0.14 makes three objects of each record and two of each header. Here it hands its reader the record
batches, and its `getmany` returns what the reader made of them. All else is the consumer's: what it fetches, transactions,
positions, errors.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import FunctionType, MethodType
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.consumer.fetcher import Fetcher, PartitionRecords
from aiokafka.record.memory_records import MemoryRecords

from runtime.kafka_pacing import paced_fetch
from schemas.log_record import StoredRecord

T = TypeVar("T")

_MAGIC = 2
_LOG_APPEND_TIME = 0x08
_HEADER = struct.Struct(">q i i b I h i q q q h i i")
"""Of a record batch (Kafka's protocol guide, Record Batch): base offset, length of what follows, leader epoch, magic, CRC,
attributes, last offset's delta, first and greatest timestamp, producer id and epoch, first sequence number, records."""
_LENGTH = struct.Struct(">8x i")
_DECODE: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: gzip_decode,
    2: snappy_decode,
    3: lz4_decode,
    4: zstd_decode,
}


class Chunk(NamedTuple, Generic[T]):
    """What was made of some records; `offset`: that of the last of them."""

    offset: int
    content: T


@dataclass(frozen=True, slots=True)
class Body:
    """A batch's records as they are stored (`packed`, decompressed): `count` of them, whose offsets are counted from
    `base_offset`, and their timestamps from `first_timestamp` unless all have `append_time` (ms)."""

    packed: bytes
    count: int
    base_offset: int
    first_timestamp: int
    append_time: int | None


class Batch:
    """A record batch; its reader wants the offsets from `start`."""

    __slots__ = ("_batch", "_stored", "start")

    def __init__(self, batch: Any, stored: bytes, start: int) -> None:
        self._batch = batch
        self._stored = stored
        self.start = start

    def records(self) -> Iterator[StoredRecord]:
        """Those from `start`, one by one. Raises CorruptRecordException."""
        return (record for record in self._batch if record.offset >= self.start)

    def body(self) -> Body | None:
        """For a reader that unpacks them itself; None in formats older than Kafka 0.11."""
        values = _HEADER.unpack_from(self._stored)
        base, magic, attributes, first, greatest, count = (values[i] for i in (0, 3, 5, 7, 8, 12))
        if magic != _MAGIC:
            return None
        packed = _DECODE[self._batch.compression_type](self._stored[_HEADER.size :])
        return Body(packed, count, base, first, greatest if attributes & _LOG_APPEND_TIME else None)


Unpack: TypeAlias = Callable[[TopicPartition, Batch], Iterator[Chunk[T]]]


def deliver_chunks(consumer: AIOKafkaConsumer, unpack: Unpack[T]) -> None:
    """From here on a started consumer's `getmany` returns lists of `unpack`'s chunks, and its `max_records` counts them."""
    fetcher = consumer._fetcher
    of_fetcher = Fetcher._proc_fetch_request
    names = {
        **of_fetcher.__globals__,
        "MemoryRecords": _Stored,
        "PartitionRecords": partial(_Chunks, unpack),
    }
    function = FunctionType(of_fetcher.__code__, names, of_fetcher.__name__, of_fetcher.__defaults__)
    fetcher._proc_fetch_request = paced_fetch(MethodType(function, fetcher))  # in place of the one that was paced


class _Stored:
    """What aiokafka's `MemoryRecords` does, with each batch's bytes."""

    def __init__(self, fetched: bytes) -> None:
        self._fetched = fetched
        self._records = MemoryRecords(fetched)
        self._at = 0
        self.has_next = self._records.has_next
        self.size_in_bytes = self._records.size_in_bytes
        self.unpack: Callable[[Batch], Iterator[Chunk[Any]]]
        self.start = 0

    def next_batch(self) -> _Unpacked:
        batch = self._records.next_batch()
        end = self._at + _LENGTH.size + _LENGTH.unpack_from(self._fetched, self._at)[0]
        stored, self._at = self._fetched[self._at : end], end
        return _Unpacked(batch, partial(self.unpack, Batch(batch, stored, self.start)))


class _Unpacked:
    """A batch of aiokafka's whose records are chunks."""

    def __init__(self, batch: Any, chunks: Callable[[], Iterator[Chunk[Any]]]) -> None:
        self._batch = batch
        self._chunks = chunks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:  # of a control batch, whose records are the consumer's business
        return next(self._batch)

    def __iter__(self) -> Iterator[Chunk[Any]]:
        return self._chunks()


class _Chunks(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    def __init__(
        self, unpack: Unpack[Any], tp: TopicPartition, records: _Stored, aborted: Any, start: int, *more: Any
    ) -> None:
        records.unpack = partial(unpack, tp)
        records.start = start
        super().__init__(tp, records, aborted, start, *more)

    def _consumer_record(self, _tp: TopicPartition, chunk: Chunk[Any]) -> Chunk[Any]:
        return chunk
