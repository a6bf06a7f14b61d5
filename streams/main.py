"""`catalogizer stream`: one stream worker. Composition only: the Faust app with its agents and services, its
health, its heartbeats, and its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aiokafka import AIOKafkaProducer, TopicPartition
from pydantic import ValidationError

from runtime.certificates import Certificates, files_of_kafka
from runtime.dead_letters import DeadLetters
from runtime.errors import NotProvisioned
from runtime.health import Health, HealthServer, Starting
from runtime.kafka import Kafka, stop_client
from runtime.lag import Reached
from runtime.lifecycle import Stop, announce_ready, collect_rarely, end_hard
from runtime.reports import Reporter
from runtime.root_files import table_of
from runtime.topic_watch import Lives, TopicWatch, made_anew
from schemas.system import BEHIND, Scalar
from schemas.topics import ALERTS, ANALYSIS_JOBS, CHANGES, RAW, REPORTS, REQUESTED_JOBS, Topic
from storage.share import Share
from streams.alerts.delivery import Delivery
from streams.alerts.service import AlertingService
from streams.alerts.settings import AlertSettings, limits_of
from streams.alerts.targets import targets_of, wanted_of
from streams.analysis.agent import AnalysisAgent
from streams.analysis.analyst import Analyst, Place
from streams.analysis.children import Children
from streams.analysis.on_request import RequestedJobs
from streams.app import AgentBody, StreamApp, crashed, create_app, progress_of
from streams.confirmed import Confirmed
from streams.errors import TopicMadeAnew
from streams.group_offsets import GroupOffsets
from streams.guard import Guard
from streams.lag import ReadersLag, Stand, of_topic, reached
from streams.library.service import LibraryService
from streams.member import GroupMember
from streams.settings import StreamsSettings
from streams.slot import Slot, slot_held
from streams.status.agent import StatusAgent
from streams.status.gaps import GapService
from streams.status.rules import QUEUE, RATE, REQUESTED, WORKER, WORKERS
from streams.uncovered import cover
from streams.watch import AgentWatch

JOBS_PER_CHILD = 6
"""Jobs in work per probing child: while one is probed, others are opened, and covers and results are written and
confirmed. With 3 a tenth fewer files per second are read, with 8 no more than with this (`python -m
bench.analysis`)."""
DRAIN_SECONDS = 9.0
"""Containers have 15 s."""
LEAVE_SECONDS = 2.0
POSITIONED = (RAW, CHANGES, ANALYSIS_JOBS, REQUESTED_JOBS, REPORTS)
"""Topics in which a worker has a position, which means other records if the topic was recreated."""


async def stream(
    kafka: Kafka, settings: StreamsSettings, state_dir: Path, stop: Stop, alerts: AlertSettings | None = None
) -> None:
    """Run until a stop is requested. Raises NotProvisioned, KafkaError, NoChild and OSError at the start, NotAllowed
    then and later; any other later failure that could lose or repeat something ends the process."""
    for noisy in ("faust", "mode"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    collect_rarely()
    health = Health()
    named = () if alerts is None or alerts.cafile is None else (alerts.cafile,)
    health.measures.append(Certificates((*files_of_kafka(kafka.settings), *named)).show)
    with slot_held(state_dir) as slot:
        ends = {"streams.": settings.site, "requested.": settings.site, "library.": "0"}
        topics = TopicWatch(kafka, "stream", ends)
        lives = await _provisioned(kafka, topics)
        async with _serving(settings, health), _children(settings) as children, _producer(kafka) as producer:
            parts = _Parts(children, producer, health, topics, lives, state_dir, alerts or AlertSettings())
            worker = _compose(kafka, settings, slot, parts=parts)
            await _run(worker, stop)


async def _provisioned(kafka: Kafka, topics: TopicWatch) -> Lives:
    """Check the topics, because Faust waits silently for missing topics and permissions. Raises NotProvisioned,
    NotAllowed."""
    lives = await topics.look_and_require()
    for topic in (ANALYSIS_JOBS, REQUESTED_JOBS, REPORTS):
        if topic.name not in lives:
            raise NotProvisioned(kafka.name(topic))
    return lives


@dataclass(frozen=True, slots=True)
class _Parts:
    children: Children
    producer: AIOKafkaProducer
    health: Health
    topics: TopicWatch
    lives: Lives
    state_dir: Path
    alerts: AlertSettings


Member = StreamApp | LibraryService | RequestedJobs | GroupMember


@dataclass(frozen=True, slots=True)
class _Worker:
    kafka: Kafka
    app: StreamApp
    library: LibraryService
    watch: AgentWatch
    reporter: Reporter
    health: Health
    analysis: AnalysisAgent
    children: int
    topics: TopicWatch
    lives: Lives
    members: Sequence[Member]

    def details(self) -> dict[str, Scalar]:
        """The heartbeat's details: those from which the status agent computes the backlog, and how far behind the fold
        is."""
        now = time.time()
        behind = (progress.behind_seconds(now) for progress in self.library.progress.values())
        return {
            BEHIND: round(max(behind, default=0.0), 1),
            QUEUE: self.watch.queue(ANALYSIS_JOBS),
            REQUESTED: sum(progress.requested for progress in self.library.progress.values()),
            WORKERS: self.children,
            RATE: round(self.watch.per_minute(), 1),
        }


def place_of(settings: StreamsSettings, root: str) -> Place | None:
    """Where the root's files are at this site; a file in the roots folder may define it at any time."""
    analysis = settings.analysis
    if (named := analysis.roots.get(root) or analysis.shares.get(root)) is not None:
        return named
    table = None if analysis.roots_folder is None else table_of(analysis.roots_folder, root, settings.site)
    if table is None:
        return None
    if table.get("protocol") != "smb":
        return Path(table["path"]) if isinstance(table.get("path"), str) else None
    try:
        return Share.model_validate({name: table[name] for name in Share.model_fields if name in table})
    except ValidationError:  # the producer that watches the root reports the error
        return None


def _compose(kafka: Kafka, settings: StreamsSettings, slot: Slot, *, parts: _Parts) -> _Worker:
    confirmed = Confirmed(kafka, parts.producer)
    offsets = GroupOffsets(kafka, parts.lives)
    guard = Guard(DeadLetters(kafka, parts.producer))
    analysis = AnalysisAgent(
        kafka,
        site=settings.site,
        analyst=Analyst(partial(place_of, settings), parts.children, places=settings.analysis.places),
        confirmed=confirmed,
        guard=guard,
        window=settings.analysis.workers * JOBS_PER_CHILD,
        first_seconds=settings.analysis.first_seconds,
    )
    agents: list[tuple[Topic, AgentBody]] = [(ANALYSIS_JOBS, analysis.run)]
    topics = parts.topics
    library = LibraryService(
        kafka=kafka,
        instance=slot.member,
        health=parts.health,
        refused=topics.look_soon,
        taken=slot.give_up_name,
    )
    topics.covered = library.covered
    requested = RequestedJobs(
        kafka,
        site=settings.site,
        instance=slot.member,
        agent=analysis,
        guard=guard,
        children=settings.analysis.workers,
        offsets=offsets,
    )
    beside: list[GroupMember] = []
    gaps: list[GapService] = []
    if settings.status:
        agents.append((REPORTS, StatusAgent(kafka, confirmed=confirmed, guard=guard).run))
        gaps.append(GapService(kafka, instance=slot.member, confirmed=confirmed, guard=guard, offsets=offsets))
        limits = limits_of(parts.alerts)
        beside.append(
            AlertingService(kafka, instance=slot.member, confirmed=confirmed, limits=limits, offsets=offsets)
        )
    if targets := targets_of(parts.alerts):
        letters = DeadLetters(kafka, parts.producer)
        wanted = wanted_of(parts.alerts)
        life = parts.lives.get(ALERTS.name)
        epoch = "" if life is None else life.epoch
        beside.append(
            Delivery(kafka, instance=slot.member, epoch=epoch, targets=targets, wanted=wanted, letters=letters)
        )
    beside += gaps
    app = create_app(kafka, settings, slot, offsets=offsets, agents=agents, services=[library, requested, *beside])
    members: list[Member] = [app, library, requested, *beside]
    lag = ReadersLag(kafka, _readers(kafka, app, guard, library=library, requested=requested, gaps=gaps))
    watch = AgentWatch(kafka, app, [topic for topic, _ in agents], lambda: analysis.ended, lag)
    parts.health.add("agents", watch.problem)
    parts.health.add("topics", topics.problem, warning=True)
    parts.health.add("needs", topics.unmet)
    reporter = Reporter(kafka, parts.producer, WORKER, state_dir=parts.state_dir)
    return _Worker(
        kafka,
        app,
        library,
        watch,
        reporter,
        parts.health,
        analysis,
        settings.analysis.workers,
        topics,
        parts.lives,
        members,
    )


def _readers(
    kafka: Kafka,
    app: StreamApp,
    guard: Guard,
    *,
    library: LibraryService,
    requested: RequestedJobs,
    gaps: list[GapService],
) -> dict[str, Stand]:
    """The readers of the log in this worker, by their names in metrics."""

    def agents() -> dict[TopicPartition, Reached]:
        return reached(progress_of(app).reached, guard.times)

    readers: dict[str, Stand] = {
        "fold": library.stand,
        "analysis": of_topic(agents, kafka.name(ANALYSIS_JOBS)),
        "requested": requested.stand,
    }
    for service in gaps:  # one, or none if this worker does not publish status
        readers |= {"status": of_topic(agents, kafka.name(REPORTS)), "gaps": service.stand}
    return readers


async def _run(worker: _Worker, stop: Stop) -> None:
    stopping = asyncio.create_task(stop.wait())
    start = asyncio.create_task(_start(worker))
    topics = asyncio.create_task(worker.topics.run(partial(_looked, worker), demanding=True))
    try:
        await asyncio.wait({stopping, start, topics}, return_when=asyncio.FIRST_COMPLETED)
        if topics.done():
            topics.result()
        if start.done():
            start.result()
            announce_ready()
            await _work(worker, stopping, topics)
    except TopicMadeAnew as error:
        leaving = [asyncio.ensure_future(member.leave()) for member in worker.members]
        await asyncio.wait(leaving, timeout=LEAVE_SECONDS)
        end_hard(str(error))
    finally:
        has_started = start.done() and not start.cancelled() and start.exception() is None
        start.cancel()
        stopping.cancel()
        topics.cancel()
        await _end(worker, has_started)


def _looked(worker: _Worker, lives: Lives) -> None:
    """The topics were checked. A recreated topic is not read any further: the process ends, and after its restart it
    begins in the new topic, or reports that its position is of another one."""
    if (other := made_anew(worker.lives, lives, POSITIONED)) is not None:
        raise TopicMadeAnew(*other)


async def _start(worker: _Worker) -> None:
    crash = asyncio.create_task(crashed(worker.app))
    ready = asyncio.create_task(_ready(worker))
    try:
        await asyncio.wait({crash, ready}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            ready.result()
        else:
            end_hard(f"the stream app crashed at its start: {crash.result()}")
    finally:
        crash.cancel()
        ready.cancel()


async def _ready(worker: _Worker) -> None:
    worker.health.add("start", lambda: Starting("the lanes are being folded"))
    await worker.app.start()
    await worker.library.wait_ready()
    await cover(worker.kafka, {member.group: member.rejoin for member in worker.members})
    worker.health.add("start", lambda: None)


async def _work(worker: _Worker, stopping: asyncio.Task[bool], topics: asyncio.Task[None]) -> None:
    crash = asyncio.create_task(crashed(worker.app))
    watch = asyncio.create_task(worker.watch.run())
    heart = asyncio.create_task(worker.reporter.heartbeats(worker.health, worker.details))
    try:
        await asyncio.wait({stopping, crash, watch, heart, topics}, return_when=asyncio.FIRST_COMPLETED)
        if crash.done():
            end_hard(f"the stream app crashed: {crash.result()}")
        for task in (watch, heart, topics):
            if task.done():
                task.result()
        heart.cancel()
        await worker.reporter.leave()
    finally:
        crash.cancel()
        watch.cancel()
        heart.cancel()


async def _end(worker: _Worker, has_started: bool) -> None:
    """Commit what was left and stop the app. What is still in work is delivered again. If other workers can continue
    with it, leave the groups."""
    if worker.library.has_company:
        for member in worker.members:
            member.leave_at_stop()
    # at once, as without a broker each client takes its whole time; while they start, the app knows which have begun
    members = worker.members if has_started else (worker.app,)
    stopping = asyncio.gather(*(member.stop() for member in members))
    await asyncio.wait({stopping}, timeout=DRAIN_SECONDS)
    if not stopping.done():
        end_hard(f"not drained within {DRAIN_SECONDS:g} s")
    stopping.result()


@contextlib.asynccontextmanager
async def _serving(settings: StreamsSettings, health: Health) -> AsyncIterator[None]:
    server = HealthServer(settings.health, health)
    await server.start()
    try:
        yield
    finally:
        await server.stop()


@contextlib.asynccontextmanager
async def _children(settings: StreamsSettings) -> AsyncIterator[Children]:
    children = Children(settings.analysis)
    try:
        await children.start()
        yield children
    finally:
        await children.stop()


@contextlib.asynccontextmanager
async def _producer(kafka: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    producer = kafka.producer()
    try:
        await producer.start()
        yield producer
    finally:
        await stop_client(producer)  # only reports may be unsent, everything else was awaited
