"""`catalogizer project`: the process that keeps PostgreSQL in step with the log. Composition only."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from functools import partial
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from runtime.certificates import Certificates, files_of_kafka
from runtime.database import Address, address_now, files_of_certificates
from runtime.dead_letters import DeadLetters
from runtime.health import HealthServer
from runtime.kafka import Kafka, leave_for_good, rejoin, stop_client
from runtime.lifecycle import Stop, announce_ready
from runtime.reports import Reporter
from runtime.topic_watch import Lives, TopicWatch, made_anew
from schemas.acls import Component
from schemas.system import BEHIND
from streams.projector.assigned import GROUP, epochs_of
from streams.projector.assignment import Assignment
from streams.projector.condition import ProjectorCondition
from streams.projector.errors import LogEpochChanged
from streams.projector.flow import Flow
from streams.projector.plan import TOPICS
from streams.projector.positions import Partition
from streams.projector.store import Point, PostgresStore, no_point
from streams.projector.writing import Writing
from streams.settings import StreamsSettings
from streams.slot import slot_held
from streams.uncovered import cover

COMPONENT: Component = "project"
FETCH_BYTES = 4_194_304
"""Records fetched of one partition at once, and four times that of all: enough for bulk writes, with bounded memory."""


async def project(
    kafka: Kafka,
    database: Address,
    settings: StreamsSettings,
    *,
    state_dir: Path,
    stop: Stop,
    points: Point = no_point,
) -> None:
    """Project until a stop is requested. Raises NotProvisioned, NotAllowed, KafkaError, ProjectorError (alarm, no
    tables, no right). `points` is called at `before_position`, `before_db_commit`, `after_db_commit` and
    `after_group_commit`."""
    condition = ProjectorCondition()
    health = condition.checks()
    certificates = (*files_of_kafka(kafka.settings), *files_of_certificates(address_now(database)))
    health.measures.append(Certificates(certificates).show)
    topics = TopicWatch(kafka, COMPONENT)
    health.add("topics", topics.problem, warning=True)
    health.add("needs", topics.unmet)
    server = HealthServer(settings.projector_health, health)
    store = PostgresStore(database, points)
    await server.start()
    try:
        lives = await topics.look_and_require()
        # If the topics do not exist the group assigns nothing, which would look like having nothing to do.
        await epochs_of(kafka, [topic.name for topic in TOPICS])
        async with (
            _producer(kafka, state_dir) as letters_and_reports,
            _member(kafka, state_dir) as (consumer, assignment),
        ):
            letters, reporter = letters_and_reports
            writing = Writing(
                kafka, store, assignment=assignment, letters=letters, condition=condition, points=points
            )
            covering: list[asyncio.Task[None]] = []

            def ready() -> None:
                announce_ready()
                again = {kafka.group(GROUP): partial(rejoin, consumer)}
                covering.append(asyncio.create_task(cover(kafka, again)))

            flow = Flow(
                kafka,
                consumer,
                assignment=assignment,
                writing=writing,
                condition=condition,
                ready=ready,
                points=points,
            )
            health.measures.append(flow.show)
            heart = asyncio.create_task(
                reporter.heartbeats(health, lambda: condition.details() | {BEHIND: flow.behind_seconds()})
            )
            looking = asyncio.create_task(topics.run(partial(_looked, lives), demanding=True))
            try:
                await _first_of(flow.run(stop), heart, looking)
                heart.cancel()
                await reporter.leave()
                await flow.commit_group()
            finally:
                for task in (heart, looking, *covering):
                    task.cancel()
    finally:
        await store.close()
        await server.stop()


def _looked(before: Lives, now: Lives) -> None:
    """The topics were checked. A deleted topic is removed from the group, so its positions cannot show that it was
    created again. Raises LogEpochChanged."""
    if (other := made_anew(before, now, TOPICS)) is not None:
        name, was, is_ = other
        raise LogEpochChanged(Partition(name, 0), was, is_)


@contextlib.asynccontextmanager
async def _producer(kafka: Kafka, state_dir: Path) -> AsyncIterator[tuple[DeadLetters, Reporter]]:
    producer = kafka.producer()
    await producer.start()
    try:
        yield DeadLetters(kafka, producer), Reporter(kafka, producer, COMPONENT, state_dir=state_dir)
    finally:
        await stop_client(producer)


@contextlib.asynccontextmanager
async def _member(kafka: Kafka, state_dir: Path) -> AsyncIterator[tuple[AIOKafkaConsumer, Assignment]]:
    """A static member of the group: a restart within its session causes no rebalance."""
    with slot_held(state_dir, COMPONENT) as slot:
        consumer = kafka.group_consumer(
            kafka.group(GROUP),
            instance=slot.member,
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_bytes=4 * FETCH_BYTES,
        )
        assignment = Assignment(consumer)
        consumer.subscribe([kafka.name(topic) for topic in TOPICS], listener=assignment)
        await consumer.start()
        try:
            yield consumer, assignment
        finally:
            leave_for_good(consumer)
            await stop_client(consumer)


async def _first_of(work: Coroutine[None, None, None], *beside: asyncio.Task[None]) -> None:
    """Run the work. If one of the tasks beside it, which never end, ends first, this is an error and ends the work
    too."""
    task = asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait({task, *beside}, return_when=asyncio.FIRST_COMPLETED)
        for finished in done:
            finished.result()
    finally:
        task.cancel()
