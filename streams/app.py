"""The Faust application: agents and services of a stream worker, without Faust's dangerous defaults.

Faust only hosts them. It restarts nothing by itself and publishes nothing: its producer and its web server are not
started, and it declares no topic. Its consumer is made by `runtime.kafka` like every other one, so that it is
`read_committed`, has our security settings, and is a static member of its group.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver
from mode import Service
from mode.supervisors import CrashingSupervisor
from mode.threads import QueueServiceThread, ServiceThread, WorkerThread

from runtime.kafka import Kafka, leave_for_good, leave_now, rejoin, stop_client
from runtime.rights import REFUSED
from runtime.waits import COMMIT
from schemas.places import next_offset
from schemas.topics import Topic
from streams.group_offsets import GroupOffsets
from streams.settings import StreamsSettings
from streams.slot import Slot

AgentBody = Callable[[Any], Coroutine[Any, Any, None]]
"""An agent's body: it is called with Faust's stream and runs forever."""

BUFFER = 64
"""Records buffered per agent in addition to those in work."""
COMMIT_SECONDS = 1.0
COMMIT_POLL_SECONDS = 0.25
COMMIT_PATIENCE_SECONDS = 60.0
LAST_COMMIT_SECONDS = 1.5
"""Time for commits after a stop was requested."""
STOP_SECONDS = 3.0
QUIET_LOOKS = 3
"""Checks, one each COMMIT_SECONDS: an event needs a few milliseconds from being read to reaching an agent, if no other
event delays it."""
QUIET = "debug"
"""The level at which Faust logs that its services start and stop."""


class _Thread(WorkerThread):
    """The thread of Faust's consumer. Faust's own keeps the process alive forever when the app is stopped before its
    consumer has started, and when it is joined it blocks the event loop for as long as Kafka is unavailable."""

    def __init__(self, service: ServiceThread, **options: Any) -> None:
        super().__init__(service, **options)
        self.daemon = True

    def stop(self) -> None:
        """Wait for its end, but not forever; it holds nothing that must be kept."""
        self.is_stopped.wait(STOP_SECONDS)


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer, made by our factory."""

    mundane_level = QUIET
    Worker = _Thread

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        app = cast(StreamApp, self.app)
        # earliest: a new group begins with the first job there is. Offsets beyond retention fall back to the earliest
        # as well, never to the end; the fold requests again the jobs that were lost with them.
        return app.kafka.group_consumer(
            app.conf.id,
            instance=app.instance,
            auto_offset_reset="earliest",
            max_poll_records=BUFFER,
        )

    async def _fetch_records(self, *arguments: Any, **options: Any) -> Any:
        """Fetch records; none if the right to read was revoked, which the worker's check of its rights reports."""
        try:
            return await super()._fetch_records(*arguments, **options)
        except REFUSED:
            await asyncio.sleep(COMMIT.first)
            return {}

    async def on_thread_stop(self) -> None:
        """End the method queue, then the consumer."""
        await QueueServiceThread.on_thread_stop(self)
        if self._consumer is not None:
            await stop_client(self._consumer)

    async def seek_to_committed(self) -> Mapping[Any, int]:
        """Begin at the group's offsets: Faust's own would also begin at those of a former topic."""
        seek, consumer = cast(StreamApp, self.app).offsets.seek, self._ensure_consumer()
        found: Mapping[Any, int] = await self.call_thread(seek, consumer, consumer.assignment())
        return found

    async def _commit(self, offsets: Mapping[Any, int]) -> bool:
        """Commit, with retries for as long as an outage of Kafka lasts; Faust's own crashes at the first error. False
        when the group has assigned the partitions to another member, or the app has ended: then the events are read
        again."""
        deadline = time.monotonic() + COMMIT_PATIENCE_SECONDS
        while True:
            ours, at = self.assignment(), cast(StreamApp, self.app).offsets.at
            wanted = {partition: at(partition, n) for partition, n in offsets.items() if partition in ours}
            try:
                return not wanted or await self._commit_once(wanted)
            except (CommitFailedError, IllegalStateError):
                return False
            except KafkaError as error:
                if self.should_stop:
                    return False
                refused = isinstance(error, REFUSED)
                if (not error.retriable and not refused) or time.monotonic() > deadline:
                    await self.crash(error)
                    return False
            await asyncio.sleep(COMMIT.first)

    async def _commit_once(self, wanted: Mapping[TopicPartition, OffsetAndMetadata]) -> bool:
        """False when the app has ended meanwhile. The time limit is here and not at the caller: after the cancellation
        of one commit Faust would begin another, and aiokafka waits for a broker without limit."""
        app = cast(StreamApp, self.app)
        committing = asyncio.ensure_future(self._ensure_consumer().commit(wanted))
        try:
            while not committing.done():
                if app.ended_for(LAST_COMMIT_SECONDS):
                    return False
                await asyncio.wait({committing}, timeout=COMMIT_POLL_SECONDS)
            committing.result()
            return True
        finally:
            committing.cancel()


class Quiet:
    """Partitions whose positions have not moved for QUIET_LOOKS checks while no agent had anything to do: every event
    read from them has been left. Their positions were last moved by ends of transactions, which agents do not receive;
    these are committed too, so that the group's lag at rest is 0."""

    def __init__(self) -> None:
        self.positions: dict[TopicPartition, int] = {}
        self._looks: Counter[TopicPartition] = Counter()

    def look(self, positions: Mapping[TopicPartition, int], *, has_work: bool) -> None:
        """Check the positions. `positions`: next offsets to be read; `has_work`: an event was read and not left yet."""
        for partition, position in positions.items():
            same = not has_work and self.positions.get(partition) == position
            self._looks[partition] = self._looks[partition] + 1 if same else 0
        self.positions = dict(positions)

    def passed(self, partition: TopicPartition) -> int | None:
        """The next offset to commit of a quiet partition; None if it is not quiet, or if its position is not known."""
        return (self.positions.get(partition) or None) if self._looks[partition] >= QUIET_LOOKS else None


class _Consumer(driver.Consumer):
    """A simpler version of Faust's bookkeeping of what may be committed: agents leave their events in order."""

    mundane_level = QUIET

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._quiet = Quiet()
        super().__init__(*arguments, **options)

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Does nothing. Faust's own takes the time since the start for the time without a commit, and logs an error for
        every idle partition; our health check uses what was read and left (`streams.watch`)."""

    def _new_offset(self, tp: Any) -> int | None:
        """The next offset to commit. Faust's own searches for holes, and stops committing forever when the record at
        offset 0 is followed by several transaction markers."""
        acked = self._acked[tp]
        if not acked:
            return self._quiet.passed(tp)
        highest: int = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        self._gap[tp].clear()
        return next_offset(highest)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[Any]:
        """All assigned partitions: ends of transactions may have to be committed for those without events."""
        self._quiet.look(_positions(self), has_work=bool(self.unacked))
        return iter(self._quiet.positions)


class _Transport(driver.Transport):
    """Exists only to use our consumer."""

    Consumer = _Consumer


class _Boot(BootStrategy):
    """What is started: no producer and no web server."""

    enable_kafka_producer = False
    enable_web = False
    enable_sensors = False


class StreamApp(faust.App):
    """A Faust app with our Kafka configuration. `instance`: the worker's static member name; `offsets`: its group's."""

    BootStrategy = _Boot
    mundane_level = QUIET

    def __init__(
        self, kafka: Kafka, instance: str, services: Sequence[Service], offsets: GroupOffsets, **options: Any
    ) -> None:
        self.kafka = kafka
        self.instance = instance
        self.offsets = offsets
        self._hosted = services
        self._stopping_since: float | None = None
        self._leaves_at_stop = False
        super().__init__(**options)

    async def stop(self) -> None:
        """Commit what the agents have left, if Kafka answers in time, and stop everything."""
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
        client = cast(_Consumer, self.consumer)._thread._consumer if self._leaves_at_stop else None
        if client is not None:
            leave_for_good(client)
        await super().stop()

    def leave_at_stop(self) -> None:
        """Leave the group at the stop, instead of staying a member until the session expires."""
        self._leaves_at_stop = True

    @property
    def group(self) -> str:
        """Its agents' group."""
        name: str = self.conf.id
        return name

    async def rejoin(self) -> None:
        """Join the group again."""
        thread = cast(_Consumer, self.consumer)._thread
        await thread.call_thread(rejoin, thread._ensure_consumer())

    async def leave(self) -> None:
        """Leave the group; the services have memberships of their own."""
        thread = cast(_Consumer, self.consumer)._thread
        await thread.call_thread(leave_now, thread._ensure_consumer())

    def ended_for(self, seconds: float) -> bool:
        """Whether the stop was requested that long ago. Also called from the consumer's thread."""
        since = self._stopping_since
        return since is not None and time.monotonic() - since >= seconds

    async def on_started_init_extra_services(self) -> None:
        """Start our services as children of the app: if one crashes, the app does."""
        for service in self._hosted:
            await self.add_runtime_dependency(service)

    def _new_transport(self) -> _Transport:
        return _Transport(self.conf.broker_consumer, self)


def create_app(
    kafka: Kafka,
    settings: StreamsSettings,
    slot: Slot,
    *,
    offsets: GroupOffsets,
    agents: Iterable[tuple[Topic, AgentBody]],
    services: Sequence[Service] = (),
) -> StreamApp:
    """The app of one worker. `agents`: by the topic that each reads, raw bytes; `services`: started after
    its agents, stopped with the app. Does not connect. Faust needs a folder, the slot's; nothing is kept there."""
    app = StreamApp(
        kafka,
        slot.member,
        services,
        offsets,
        id=kafka.group(f"streams.{settings.site}"),
        broker=[f"aiokafka://{server}" for server in (kafka.settings.bootstrap_servers or "").split(",")],
        store="memory://",
        datadir=slot.folder,
        autodiscover=False,
        origin=__name__.partition(".")[0],
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        reply_create_topic=False,
        agent_supervisor=CrashingSupervisor,
        broker_commit_interval=COMMIT_SECONDS,
        broker_request_timeout=kafka.settings.request_timeout_ms / 1000,
        broker_session_timeout=kafka.settings.session_timeout_ms / 1000,
        broker_heartbeat_interval=max(0.1, kafka.settings.session_timeout_ms / 5000),
        stream_buffer_maxsize=BUFFER,
        stream_wait_empty=False,
        worker_redirect_stdouts=False,
    )
    for topic, body in agents:
        source = app.topic(
            kafka.name(topic), key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )
        app.agent(source, name=f"streams.{topic.name}", concurrency=1)(_named(body, topic))
    return app


def _named(body: AgentBody, topic: Topic) -> AgentBody:
    async def agent(stream: Any) -> None:
        await body(stream)

    agent.__name__ = agent.__qualname__ = topic.name
    return agent


async def crashed(app: StreamApp) -> str:
    """Wait until the app, one of its agents or services crashes; returns the reason."""
    await app._crashed.wait()
    return repr(app.crash_reason)


@dataclass(frozen=True, slots=True)
class FaustProgress:
    """Faust's progress. `positions`: next offset to be fetched, by partition assigned here; `in_work`: records fetched
    and not left, by topic; `left`: how many records its agents have left so far; `reached`: the first offset not
    left."""

    positions: dict[TopicPartition, int]
    in_work: dict[str, int]
    left: int
    reached: dict[TopicPartition, int]


def progress_of(app: StreamApp) -> FaustProgress:
    """Read the progress from the fields of Faust's consumer, which runs in a thread of its own; none of its methods is
    called, because a consumer that hangs would block the caller."""
    consumer = cast(_Consumer, app.consumer)
    positions, unacked = _positions(consumer), list(consumer.unacked)
    reached = dict(positions)
    for message in unacked:
        at = TopicPartition(message.topic, message.partition)
        if at in reached:
            reached[at] = min(reached[at], message.offset)
    in_work = Counter(message.topic for message in unacked)
    return FaustProgress(positions, dict(in_work), consumer._n_acked, reached)


def _positions(consumer: _Consumer) -> dict[TopicPartition, int]:
    thread: _ConsumerThread | None = getattr(consumer, "_thread", None)
    client = None if thread is None else thread._consumer
    subscription = None if client is None else client._subscription.subscription
    assignment = None if subscription is None else subscription.assignment
    positions: dict[TopicPartition, int] = {}
    if assignment is not None:
        for partition in assignment.tps:
            state = assignment.state_value(partition)
            positions[partition] = (state.position if state.has_valid_position else 0) or 0
    return positions
