"""The log of leases in Kafka: read to its end repeatedly, and written when this process claims a root or sends a heartbeat.

`producer.core.lease` decides what follows from the records; this module only keeps it up to date, and calls back after
each read. What it sends counts only once it has been read back, in the order of the log, so it does not matter whether a
failed send has arrived."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from producer.core.lease import BEAT_SECONDS, SURE_SECONDS, Leases, Me
from runtime import log
from runtime.errors import NotAllowed, NotProvisioned
from runtime.kafka import Kafka, stop_client
from runtime.reports import now_iso
from runtime.rights import not_allowed
from runtime.topic_ids import look
from runtime.waits import LEASES as WAITS
from runtime.waits import Backoff
from schemas.codec import Codec, encode
from schemas.errors import SchemaError
from schemas.headers import check_version, event_headers
from schemas.ids import event_id
from schemas.leases import Beat, Claim, Holding, LeaseRecord
from schemas.places import next_offset
from schemas.topics import LEASES, RAW

ROUND_MS = 500
ANSWER_SECONDS = 3.0
"""A broker that does not answer in this time is contacted through a new connection."""

LEAVE_SECONDS = 1.0

_log = log.get(__name__)
_codec: Codec[LeaseRecord] = Codec(LeaseRecord)
_FAILURES = (KafkaError, NotAllowed, NotProvisioned, OSError, TimeoutError, AssertionError)


class LeaseLog:
    """`handover`: what this process reports of a root for its next holder, by root and term. `on_read` is called after each
    read of the log. `problem`: why it cannot be read."""

    def __init__(
        self, kafka: Kafka, me: Me, handover: Callable[[str, int], Holding], on_read: Callable[[], None]
    ) -> None:
        self.me = me
        self.leases = Leases(me)
        self.problem: str | None = None
        self._kafka = kafka
        self._partition = TopicPartition(kafka.name(LEASES), 0)
        self._next = 0
        self._handover = handover
        self._on_read = on_read
        self._sent: dict[str, float] = {}
        self._number = 0
        self._is_refused = False
        self._consumer: AIOKafkaConsumer | None = None
        self._producer: AIOKafkaProducer | None = None
        self._building = asyncio.Lock()

    async def run(self) -> None:
        """Read the log and send heartbeats, for ever; to be cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_on())
            group.create_task(self._live())

    async def draft(self, root: str, lane: int) -> Claim | None:
        """The claim to send; None where Kafka does not answer."""
        consumer = self._consumer
        if consumer is None:
            return None
        place = TopicPartition(self._kafka.name(RAW), lane)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                end = (await consumer.end_offsets([place]))[place]
        except _FAILURES as error:
            _log.warning("a root cannot be claimed", root=root, error=repr(error))
            return None
        return self.leases.claim(root, end, now_iso())

    async def send_claim(self, claim: Claim) -> None:
        """Claim a root; whether the claim is valid is known once it has been read back."""
        await self._write(claim, f"{claim.root} {claim.term} {claim.life}", claim.at)

    async def release(self, root: str) -> None:
        """Announce that this process no longer wants the root, so that another one need not wait."""
        self.leases.release(root)
        if root in self.leases.released():
            await self._beat()

    async def leave(self) -> None:
        """Announce that this process no longer has any root, so that another one need not wait. `run` has ended."""
        if self.leases.mine():
            await self._beat(leaving=True, seconds=LEAVE_SECONDS)
        if self._producer is not None:
            await stop_client(self._producer)

    async def _read_on(self) -> None:
        backoff = Backoff(WAITS)
        while True:
            consumer = self._kafka.tail_consumer()
            try:
                await self._follow(consumer, backoff)
            except OffsetOutOfRangeError:  # the topic was recreated
                self._next = 0
            except _FAILURES as error:
                if self.problem is None:
                    _log.warning("the log of leases cannot be read, trying again", error=repr(error))
                self.problem = f"the log of leases cannot be read: {error or type(error).__name__}"
            finally:
                self._consumer = None
                await stop_client(consumer)
            self._on_read()
            await asyncio.sleep(backoff.next_seconds())

    async def _follow(self, consumer: AIOKafkaConsumer, backoff: Backoff) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            await consumer.start()
            if self._partition.topic not in await consumer.topics():
                hidden = (await look(consumer._client, [self._partition.topic])).hidden
                raise not_allowed(self._kafka, "Read", LEASES) if hidden else NotProvisioned(self._partition.topic)
        consumer.assign([self._partition])
        consumer.seek(self._partition, self._next)
        self.leases.reconnected()
        self._consumer = consumer
        while True:
            await self._read_to_the_end(consumer)
            backoff.reset()
            self.problem = None
            self._on_read()
            await self._read(consumer, ROUND_MS)

    async def _read_to_the_end(self, consumer: AIOKafkaConsumer) -> None:
        """Complete as of the time before the end offset is requested: if this process is suspended in between, records
        written meanwhile have not been read, and no other producer is taken for silent because of that."""
        at = time.monotonic()
        async with asyncio.timeout(ANSWER_SECONDS):
            end = (await consumer.end_offsets([self._partition]))[self._partition]
        while (position := await consumer.position(self._partition)) < end:
            async with asyncio.timeout(ANSWER_SECONDS):
                while await consumer.position(self._partition) == position:
                    await self._read(consumer, 100)
        if position > end:
            raise OffsetOutOfRangeError({self._partition: position})
        self.leases.complete(at)

    async def _read(self, consumer: AIOKafkaConsumer, timeout_ms: int) -> None:
        batch = await consumer.getmany(self._partition, timeout_ms=timeout_ms)
        for record in batch.get(self._partition, ()):
            self._next = next_offset(record.offset)
            try:
                check_version(record.headers)
                lease = _codec.decode(record.value)
            except SchemaError as error:
                _log.warning(
                    "a lease record cannot be decoded, it is skipped", offset=record.offset, error=str(error)
                )
                continue
            self.leases.read(lease, time.monotonic())
            if lease.life == self.me.life and (sent_at := self._sent.pop(lease.at, None)) is not None:
                self.leases.arrived(sent_at)

    async def _live(self) -> None:
        while True:
            if self.leases.mine() or self.leases.released():
                await self._beat()
            await asyncio.sleep(BEAT_SECONDS)

    async def _beat(self, *, leaving: bool = False, seconds: float = ANSWER_SECONDS) -> None:
        me, roots = self.me, self.leases.mine()
        held = {root: self._handover(root, of.term) for root, of in roots.items()}
        beat = Beat(
            producer=me.producer, life=me.life, host=me.host, pid=me.pid, at=now_iso(), leaving=leaving, roots=held,
            left=self.leases.released(),
        )  # fmt: skip
        await self._write(beat, me.producer, beat.at, seconds)

    async def _write(self, record: Claim | Beat, key: str, at: str, seconds: float = ANSWER_SECONDS) -> None:
        self._number += 1
        headers = event_headers(
            id=event_id(f"{LEASES.name}/{self.me.life}", 0, self._number, 0),
            type="claim" if isinstance(record, Claim) else "beat",
            source=f"urn:catalogizer:watch:{self.me.life}",
            time=at,
            subject=key,
        )
        now = time.monotonic()
        self._sent = {each: sent for each, sent in self._sent.items() if sent > now - SURE_SECONDS} | {at: now}
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(seconds):
                producer = await self._ready()
                await producer.send_and_wait(
                    self._partition.topic, encode(record), key=key.encode(), partition=0, headers=headers
                )
        except _FAILURES as error:
            if not self._is_refused:
                _log.warning("the log of leases cannot be written, trying again", error=repr(error))
            self._is_refused = True
            if producer is not None:
                if self._producer is producer:
                    self._producer = None
                await stop_client(producer)
        else:
            self._is_refused = False

    async def _ready(self) -> AIOKafkaProducer:
        async with self._building:
            if self._producer is None:
                producer = self._kafka.producer(linger_ms=0)
                try:
                    await producer.start()
                except BaseException:
                    await stop_client(producer)
                    raise
                self._producer = producer
            return self._producer
