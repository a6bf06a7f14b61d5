"""Whether the agents make progress: measured from outside, because Faust can stop consuming while it looks alive.

Every few seconds a consumer of our own requests from Kafka the ends of the partitions that the agents read, and compares
them with Faust's positions. If there is work but no progress for a minute, the process ends, and its supervisor starts a new
one. While Kafka itself does not answer, nothing is concluded.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime import log
from runtime.kafka import Kafka, stop_client
from runtime.lifecycle import end_hard
from schemas.topics import Topic
from streams.app import FaustProgress, StreamApp, progress_of
from streams.lag import ReadersLag

EVERY_SECONDS = 5.0
STALL_SECONDS = 60.0
RATE_SECONDS = 60.0

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Movement:
    """`queues`: records not left yet, by topic (fetched ones and later ones); `stands`: all positions that move with
    progress."""

    queues: dict[str, int]
    stands: tuple[int, int]

    @property
    def work(self) -> bool:
        """True if there is something to do."""
        return any(self.queues.values())


class Stillness:
    """How long there has been work without progress, from one measurement to the next. Times: monotonic, s."""

    def __init__(self, now: float) -> None:
        self._moved_at = now
        self._last: Movement | None = None

    def note(self, movement: Movement | None, now: float) -> float:
        """Add a measurement; returns the seconds without progress. None: Kafka did not answer, so nothing is known and
        the count restarts."""
        if movement is None or not movement.work or self._last is None or movement.stands != self._last.stands:
            self._moved_at = now
        self._last = movement
        return now - self._moved_at


class AgentWatch:
    """Measures the agents of an app, and the lag of these and of the worker's other readers (`lag`). `ended`: how many
    jobs have ended so far."""

    def __init__(
        self, kafka: Kafka, app: StreamApp, topics: Iterable[Topic], ended: Callable[[], int], lag: ReadersLag
    ) -> None:
        self._kafka = kafka
        self._lag = lag
        self._app = app
        self._topics = {kafka.name(topic): topic for topic in topics}
        self._ended = ended
        self._stillness = Stillness(time.monotonic())
        self._still_seconds = 0.0
        self._last: Movement | None = None
        self._ends: deque[tuple[float, int]] = deque()

    def queue(self, topic: Topic) -> int:
        """Records of a topic not left yet, as last measured; those of this worker's partitions."""
        return 0 if self._last is None else self._last.queues.get(topic.name, 0)

    def per_minute(self) -> float:
        """Jobs ended in the last minute, extrapolated in the first."""
        if len(self._ends) < 2:
            return 0.0
        (since, before), (now, after) = self._ends[0], self._ends[-1]
        return (after - before) * 60.0 / (now - since) if now > since else 0.0

    def problem(self) -> str | None:
        """For the health page: work without progress."""
        if self._still_seconds > STALL_SECONDS / 2:
            return f"agents have not moved for {self._still_seconds:.0f} s"
        return None

    async def run(self) -> None:
        """Measure forever; end the process when the agents make no progress."""
        consumer = self._kafka.tail_consumer()
        try:
            await consumer.start()
            while True:
                await asyncio.sleep(EVERY_SECONDS)
                await self._measure(consumer)
        finally:
            await stop_client(consumer)

    async def _measure(self, consumer: AIOKafkaConsumer) -> None:
        now = time.monotonic()
        self._ends.append((now, self._ended()))
        while now - self._ends[0][0] > RATE_SECONDS:
            self._ends.popleft()
        movement = await self._now(consumer)
        self._still_seconds = self._stillness.note(movement, now)
        if movement is None:
            return
        self._last = movement
        if self._still_seconds > STALL_SECONDS:
            end_hard(f"agents have not moved for {STALL_SECONDS:.0f} s although there is work: {movement.queues}")

    async def _now(self, consumer: AIOKafkaConsumer) -> Movement | None:
        stand = progress_of(self._app)
        try:
            async with asyncio.timeout(EVERY_SECONDS):
                ends = await consumer.end_offsets([*(stand.positions.keys() | self._lag.partitions())])
        except (KafkaError, TimeoutError) as error:
            _log.warning("ends of topics not known", error=repr(error))
            return None
        self._lag.show(ends)
        return self._movement(stand, {at: end for at, end in ends.items() if at in stand.positions})

    def _movement(self, stand: FaustProgress, ends: dict[TopicPartition, int]) -> Movement:
        queues = dict.fromkeys((topic.name for topic in self._topics.values()), 0)
        for partition, end in ends.items():
            topic = self._topics.get(partition.topic)
            if topic is not None:
                queues[topic.name] += max(0, end - stand.positions[partition])
        for name, count in stand.in_work.items():
            if name in self._topics:
                queues[self._topics[name].name] += count
        return Movement(queues, (sum(stand.positions.values()), stand.left))
