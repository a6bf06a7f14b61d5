"""Operators' commands, read from the control topic and handed to the roots' threads.

For each root, the next offset of the topic is stored in the root's own state, together with what a command changed. So a
command is carried out at least once, also when it was issued while nothing was running; its id prevents that it is carried
out twice. A new root starts at the head; a root whose offset the topic no longer has starts over. While Kafka cannot be
reached only commands wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from producer.orders import Order
from runtime import log
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka, stop_client
from runtime.waits import KAFKA, Backoff
from schemas.admin import Control, RescanRoot, RetireRoot
from schemas.codec import Codec
from schemas.errors import SchemaError
from schemas.headers import check_version
from schemas.paths import from_wire
from schemas.places import next_offset
from schemas.topics import CONTROL

FETCH_MS = 500

_log = log.get(__name__)
_codec: Codec[Control] = Codec(Control)


OnOrder = Callable[[Order], None]


class ControlReader:
    """Reads for the roots that are registered with it; roots may be added and removed at any time."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._partition = TopicPartition(kafka.name(CONTROL), 0)
        self._positions: dict[str, int | None] = {}
        self._on_order: dict[str, OnOrder] = {}
        self._has_more = False
        self._error: str | None = None

    def read_for(self, root: str, position: int | None, on_order: OnOrder) -> None:
        """Hand the root its orders from here on. `position`: the next offset to read, None where the root is new."""
        self._positions[root] = position
        self._on_order[root] = on_order
        self._has_more = True

    def remove(self, root: str) -> None:
        """Hand the root no more orders."""
        del self._positions[root], self._on_order[root]

    async def run(self) -> None:
        """Read for ever; to be cancelled."""
        backoff = Backoff(KAFKA)
        while True:
            consumer = self._kafka.tail_consumer()
            try:
                await self._follow(consumer, backoff)
            except (KafkaError, NotProvisioned, OSError, TimeoutError) as error:
                self._report_error(repr(error))
            finally:
                await stop_client(consumer)
            await asyncio.sleep(backoff.next_seconds())

    async def _follow(self, consumer: AIOKafkaConsumer, backoff: Backoff) -> None:
        await consumer.start()
        if self._partition.topic not in await consumer.topics():
            raise NotProvisioned(self._partition.topic)
        consumer.assign([self._partition])
        self._has_more = True
        backoff.reset()
        self._error = None
        while True:
            if self._has_more:
                await self._begin(consumer)
            batch = await consumer.getmany(self._partition, timeout_ms=FETCH_MS)
            for record in batch.get(self._partition, ()):
                self._hand_out(next_offset(record.offset), _command(record))

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """Start at the lowest position of any root. In a topic that was recreated, a root without a valid position starts
        at the beginning."""
        self._has_more = False
        first = (await consumer.beginning_offsets([self._partition]))[self._partition]
        head = (await consumer.end_offsets([self._partition]))[self._partition]
        for root, position in self._positions.items():
            if position is None:
                self._positions[root] = head
                self._on_order[root](Order(head))
            elif not first <= position <= head:
                self._positions[root] = first
                self._on_order[root](Order(first, reset=True))  # a retirement may be among the deleted records
        consumer.seek(self._partition, min((p or 0 for p in self._positions.values()), default=head))

    def _hand_out(self, next_offset: int, command: Control | None) -> None:
        for root, position in self._positions.items():
            if position is not None and position < next_offset:
                self._positions[root] = next_offset
                mine = command is not None and command.root == root
                retired = mine and isinstance(command, RetireRoot)
                self._on_order[root](Order(next_offset, command if mine else None, reset=retired))

    def _report_error(self, error: str) -> None:
        if self._error is None:
            _log.warning("commands of operators cannot be read, trying again", error=error)
        self._error = error


def _command(record: ConsumerRecord) -> Control | None:
    """None for a command that this version cannot decode."""
    try:
        check_version(record.headers)
        command = _codec.decode(record.value)
        if isinstance(command, RescanRoot):
            from_wire(command.subtree, command.subtree_b64)
        return command
    except (SchemaError, ValueError) as error:
        _log.warning("a command cannot be decoded, it is skipped", offset=record.offset, error=str(error))
        return None
