"""Follows the topics of all channels with one consumer without a group, and passes on what is new.

It begins some way back, so that memory has recent events at once, and survives broker failures: whatever fails, the consumer
is rebuilt and continues at the ring's end. A jump is reported: as a gap if retention overtook the consumer, by the epoch if
the topic was recreated.
"""

from __future__ import annotations

import asyncio
import time

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from gateway import metrics
from gateway.core import answers
from gateway.core.memory import ChannelPartition, TailBatch
from gateway.errors import GatewayError
from gateway.live import spans
from gateway.live.streaming import Streaming, now_ms
from gateway.log.framer import Framer
from runtime import log, traces
from runtime.epochs import TopicLife
from runtime.errors import NotProvisioned
from runtime.health import Starting
from runtime.kafka import Kafka, stop_client
from runtime.lag import Lag, Reached
from runtime.lifecycle import Stop
from runtime.topic_watch import EVERY_SECONDS, Lives, TopicWatch
from runtime.waits import TAIL
from schemas.channels import CHANNELS
from schemas.errors import SchemaError

BACK_RECORDS = 2_000
STEP_RECORDS = 2_000
"""Records in one step of the event loop, at most (some 10 ms of framing)."""

STALL_SECONDS = 15.0
BEYOND_END_TRIES = 10

_log = log.get(__name__)


class TailRestart(GatewayError):
    """The consumer must be rebuilt; the text is the reason."""

    retryable = True


class Tail:
    """`condition` is None while the tail is at the end of the log."""

    def __init__(self, kafka: Kafka, framers: dict[str, Framer], streaming: Streaming, topics: TopicWatch) -> None:
        self.condition: str | Starting | None = Starting("the log is being read")
        self.ready = asyncio.Event()
        self._kafka = kafka
        self._framers = framers
        self._streaming = streaming
        self._topics = topics
        self._memory = streaming.memory
        self._epochs: dict[str, str] = {}
        self._beyond_end = 0
        self._ends: dict[ChannelPartition, int] = {}
        self._times: dict[ChannelPartition, int] = {}
        self._lag = Lag("gateway")

    def lag(self) -> dict[str, dict[int, int]]:
        """Records in the log beyond what was read, by channel and partition."""
        lag: dict[str, dict[int, int]] = {}
        for place, end in self._ends.items():
            behind = max(0, end - self._memory.head(place))
            lag.setdefault(place.channel, {})[place.partition] = behind
        return lag

    def show(self) -> None:
        """Set the gauges of its lag."""
        reached = {
            _place(place): Reached(self._memory.head(place), self._times.get(place)) for place in self._ends
        }
        self._lag.show(reached, {_place(place): end for place, end in self._ends.items()}, time.time())

    async def run(self, stop: Stop) -> None:
        """Follow until requested to stop."""
        failures = 0
        while not stop.requested:
            began = time.monotonic()
            try:
                await self._follow(stop)
            except (KafkaError, NotProvisioned, SchemaError, OSError, TimeoutError, TailRestart) as error:
                failures = 0 if time.monotonic() - began > STALL_SECONDS else failures + 1
                if (condition := _condition_of(error)) != self.condition:
                    _log.warning("tail starts again", error=f"{type(error).__name__}: {error}")
                self.condition = condition
                metrics.TAIL_RESTARTS.inc()
                await stop.wait(TAIL.after(failures + 1))

    async def _follow(self, stop: Stop) -> None:
        lives = await self._topics.look()
        consumer = self._kafka.tail_consumer()
        checking: asyncio.Task[None] | None = None
        try:
            await consumer.start()
            places = self._places(lives)
            goal = await self._seek(consumer, places, lives)
            began_ms = now_ms()
            checking = asyncio.create_task(self._check_topics(lives))
            while not stop.requested:
                await self._step(consumer, places)
                self._note_progress(places, goal)
                _check_stall(consumer, list(places), began_ms)
                if checking.done():
                    checking.result()
        finally:
            if checking is not None:
                checking.cancel()
            await stop_client(consumer)

    def _places(self, lives: Lives) -> dict[TopicPartition, ChannelPartition]:
        places = {}
        for channel in CHANNELS.values():
            if channel.topic is None:
                continue
            if channel.topic.name not in lives:
                raise NotProvisioned(self._kafka.name(channel.topic))
            for p in range(lives[channel.topic.name].partitions):
                places[TopicPartition(self._kafka.name(channel.topic), p)] = ChannelPartition(channel.name, p)
        return places

    async def _seek(
        self,
        consumer: AIOKafkaConsumer,
        places: dict[TopicPartition, ChannelPartition],
        lives: Lives,
    ) -> dict[TopicPartition, int]:
        """Move the consumer to the end of the rings; returns the end of the log."""
        consumer.assign(list(places))
        end = await consumer.end_offsets(list(places))
        earliest = await consumer.beginning_offsets(list(places))
        for channel in CHANNELS.values():
            if channel.topic is not None:
                own = {place.partition: tp for tp, place in places.items() if place.channel == channel.name}
                floors = {p: earliest[tp] for p, tp in own.items()}
                ends = {p: end[tp] for p, tp in own.items()}
                self._enter(channel.name, lives[channel.topic.name].epoch, floors, ends)
        self._beyond_end = 0
        for tp, place in places.items():
            consumer.seek(tp, self._memory.head(place))
        return dict(end)

    def _enter(self, channel: str, epoch: str, earliest: dict[int, int], end: dict[int, int]) -> None:
        known = self._epochs.get(channel)
        if known is None:
            self._streaming.open(channel, epoch, {p: max(earliest[p], end[p] - BACK_RECORDS) for p in end})
        elif known != epoch:
            _log.error("the topic was recreated", channel=channel, epoch=epoch)
            self._streaming.reopen(channel, epoch, earliest)
        elif any(hi > end[p] for p, hi in self._memory.heads(channel).items()):
            # A broker that has just started may not know its end yet; one that lost data never will.
            self._beyond_end += 1
            if self._beyond_end < BEYOND_END_TRIES:
                raise TailRestart(f"{channel} ends before the gateway's position")
            _log.error("the log has lost what was read", channel=channel)
            self._streaming.reopen(channel, epoch, end)
        else:
            heads = self._memory.heads(channel)
            if added := {p: start for p, start in earliest.items() if p not in heads}:
                _log.warning("the topic has more partitions", channel=channel, added=len(added))
                self._streaming.extend(channel, added)
            self._publish_retention_gaps(channel, earliest)
        self._epochs[channel] = epoch

    def _publish_retention_gaps(self, channel: str, earliest: dict[int, int]) -> None:
        now = now_ms()
        for p, hi in self._memory.heads(channel).items():
            if hi < earliest[p]:
                gap = answers.gap(channel, p, hi, earliest[p], "retention", now)
                self._streaming.publish(
                    [TailBatch(ChannelPartition(channel, p), [(hi, now, gap, None)], earliest[p])]
                )

    async def _step(self, consumer: AIOKafkaConsumer, places: dict[TopicPartition, ChannelPartition]) -> None:
        fetched = await consumer.getmany(timeout_ms=200, max_records=STEP_RECORDS)
        batches = []
        for tp, place in places.items():
            records, hi = fetched.get(tp, ()), await consumer.position(tp)
            self._ends[place] = consumer.last_stable_offset(tp) or hi
            if records or hi > self._memory.head(place):
                batches.append(TailBatch(place, self._framers[place.channel].frames(tp, records), hi))
                metrics.EVENTS.labels(place.channel).inc(len(records))
                if records:
                    self._times[place] = records[-1].timestamp
        if batches:
            self._streaming.publish(batches)
            if (exporter := traces.exporter()) is not None:
                for tp, records in fetched.items():
                    spans.delivered(exporter, places[tp].channel, records)
            await asyncio.sleep(0)  # data at hand is returned without a pause: the sockets need their turn

    def _note_progress(
        self, places: dict[TopicPartition, ChannelPartition], goal: dict[TopicPartition, int]
    ) -> None:
        if self.ready.is_set() and self.condition is None:
            return
        if all(self._memory.head(place) >= goal[tp] for tp, place in places.items()):
            self.condition = None
            self.ready.set()

    async def _check_topics(self, lives: Lives) -> None:
        """Check the topics regularly, beside the events; raises TailRestart, and what reading the topics raises."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            now = await self._topics.look()
            for channel in CHANNELS.values():
                if channel.topic is not None and _other(lives[channel.topic.name], now.get(channel.topic.name)):
                    raise TailRestart(f"{self._kafka.name(channel.topic)} was recreated, or has more partitions")


def _place(place: ChannelPartition) -> tuple[str, int]:
    topic = CHANNELS[place.channel].topic
    assert topic is not None  # only channels with a topic have partitions
    return topic.name, place.partition


def _other(before: TopicLife, now: TopicLife | None) -> bool:
    return now is None or (now.epoch, now.partitions) != (before.epoch, before.partitions)


def _condition_of(error: Exception) -> str:
    """For readers of the health page."""
    match error:
        case NotProvisioned() | TailRestart():
            return str(error)
        case SchemaError():
            return f"the topics are not those of this program: {error}"
        case _:
            return f"Kafka does not answer ({type(error).__name__})"


def _check_stall(consumer: AIOKafkaConsumer, partitions: list[TopicPartition], began_ms: int) -> None:
    """Raise TailRestart if no partition at all has been answered for: an idle topic answers twice a second."""
    polled = (consumer.last_poll_timestamp(partition) for partition in partitions)
    newest = max((at for at in polled if at is not None), default=began_ms)
    if now_ms() - newest > STALL_SECONDS * 1_000:
        raise TailRestart(f"no answer from the broker for {STALL_SECONDS:.0f} s")
