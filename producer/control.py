"""What operators ask, read from the control topic and handed to the roots' threads.

Each root keeps how far the topic was read for it, in its own state and together with what a command changed, so a
command is carried out at least once, also when it was issued while nobody watched; its id keeps it from being carried
out twice. A root that is new begins at the head; one whose position the topic does not have any more begins anew. Kafka
being away stops nothing but this."""

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


Give = Callable[[Order], None]


class ControlReader:
    """For the roots that it is told of, at any time."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._partition = TopicPartition(kafka.name(CONTROL), 0)
        self._positions: dict[str, int | None] = {}
        self._give: dict[str, Give] = {}
        self._has_more = False
        self._told: str | None = None

    def read_for(self, root: str, position: int | None, give: Give) -> None:
        """Hand the root its orders from here on. `position`: the next offset wanted, None where it is new."""
        self._positions[root] = position
        self._give[root] = give
        self._has_more = True

    def leave(self, root: str) -> None:
        """Hand the root nothing more."""
        del self._positions[root], self._give[root]

    async def run(self) -> None:
        """Read for ever; to be cancelled."""
        backoff = Backoff(KAFKA)
        while True:
            consumer = self._kafka.tail_consumer()
            try:
                await self._follow(consumer, backoff)
            except (KafkaError, NotProvisioned, OSError, TimeoutError) as error:
                self._tell(repr(error))
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
        self._told = None
        while True:
            if self._has_more:
                await self._begin(consumer)
            batch = await consumer.getmany(self._partition, timeout_ms=FETCH_MS)
            for record in batch.get(self._partition, ()):
                self._hand_out(next_offset(record.offset), _command(record))

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """From the lowest position of any root; what a topic made anew does not have begins at its beginning."""
        self._has_more = False
        first = (await consumer.beginning_offsets([self._partition]))[self._partition]
        head = (await consumer.end_offsets([self._partition]))[self._partition]
        for root, position in self._positions.items():
            if position is None:
                self._positions[root] = head
                self._give[root](Order(head))
            elif not first <= position <= head:
                self._positions[root] = first
                self._give[root](Order(first, anew=True))  # a retirement may be among what is gone
        consumer.seek(self._partition, min((p or 0 for p in self._positions.values()), default=head))

    def _hand_out(self, next_offset: int, command: Control | None) -> None:
        for root, position in self._positions.items():
            if position is not None and position < next_offset:
                self._positions[root] = next_offset
                mine = command is not None and command.root == root
                retired = mine and isinstance(command, RetireRoot)
                self._give[root](Order(next_offset, command if mine else None, anew=retired))

    def _tell(self, error: str) -> None:
        if self._told is None:
            _log.warning("commands of operators cannot be read, trying again", error=error)
        self._told = error


def _command(record: ConsumerRecord) -> Control | None:
    """None for what this version cannot read: it is not for us."""
    try:
        check_version(record.headers)
        command = _codec.decode(record.value)
        if isinstance(command, RescanRoot):
            from_wire(command.subtree, command.subtree_b64)
        return command
    except (SchemaError, ValueError) as error:
        _log.warning("a command that cannot be read is passed over", offset=record.offset, error=str(error))
        return None
