"""Runs of the projector on a real broker and database, and the verdict on what it wrote.

The verdict reads the topics by a reader of its own, writes record by record into the store's fake, and compares
every table with the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Literal, Self

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

from cli.rebuilding import rebuild
from runtime.kafka import Kafka
from runtime.lifecycle import Stop
from runtime.settings import KafkaSettings
from schemas import topics
from schemas.analysis import Cover
from schemas.errors import SchemaError
from schemas.media import AnalysisComplete
from schemas.topics import Topic
from streams.projector.main import project
from streams.projector.plan import TOPICS, rows_of
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.replay import positions
from streams.projector.store import Batch, Point, no_point
from streams.settings import StreamsSettings
from tests.fakes.projector_store import FakeStore, Tables
from tests.support import prepared
from tests.support.projector_histories import PATHS, Library
from tests.support.projector_log import Log, Logged
from tests.support.projector_tables import plain
from tests.support.revealed import as_json

SESSION_MS = 3_000
MARKERS_SECONDS = 60.0
"""Kafka looks every 10 s for transactions that are open for longer than their time-out (10 s), on machines that have little
time for it."""


def history(seed: int, acts: int) -> Log:
    """A long history of one library, covers and batches of analyses in it too."""
    draw = random.Random(seed)
    library = Library(tuple(f"dir {i % 5}/film {i}.mkv" for i in range(40)) + PATHS)
    names = ("write", "write", "write", "delete", "move", "analyse", "lose", "status", "scan", "gap")
    for number in range(acts):
        library.act(draw.choice(names), draw.choice(library.paths))
        if number % 20 == 0:
            cover = Cover(hash=f"h{number % 7}", mime="image/png", width=1, height=1, data=bytes([number % 7]))
            library.log.append(topics.COVERS, cover, key=cover.hash)
            done = AnalysisComplete(items_processed=number, items_identified=0, items_failed=0, duration_ms=1)
            library.log.append(topics.ANALYSIS_UPDATES, done)
    return library.log


class Writer:
    """Writes a log's records as the fold does: in transactions, so that offsets have holes."""

    def __init__(self, kafka: Kafka, lane: int = 0) -> None:
        self._kafka = kafka
        self._lane = lane

    async def write(
        self,
        records: Iterable[Logged],
        *,
        per_transaction: int = 50,
        between: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """All of them, in order; `between` is awaited after each transaction."""
        wanted = list(records)
        producer = self._kafka.transactional_producer(f"test-writer-{self._lane}")
        await producer.start()
        try:
            for start in range(0, len(wanted), per_transaction):
                async with producer.transaction():
                    for record in wanted[start : start + per_transaction]:
                        lane = self._lane if record.of.partitions is None else 0
                        await producer.send(
                            self._kafka.name(record.of),
                            value=record.value,
                            key=record.key,
                            partition=lane,
                            headers=list(record.headers),
                        )
                    await producer.flush()
                if between is not None:
                    await between()
        finally:
            await producer.stop()


async def feed(kafka: Kafka, url: str, records: list[Logged], *, per_transaction: int = 10) -> None:
    """Write as fast as the projector follows, so that there is work in flight until the end of it."""
    before = await positions(url)

    async def followed() -> None:
        nonlocal before
        await moved_beyond(url, before)
        before = await positions(url)

    await Writer(kafka).write(records, per_transaction=per_transaction, between=followed)


async def joined(kafka: Kafka, members: int) -> None:
    """Wait until the group is settled with that many members."""
    admin = kafka.admin()
    await admin.start()

    async def settled() -> bool:
        try:
            (response,) = await admin.describe_consumer_groups([kafka.group("projector")])
        except GroupCoordinatorNotAvailableError:  # a broker's first group: its offsets topic is being made
            return False
        (group,) = response.groups
        return group[2] == "Stable" and len(group[5]) == members

    try:
        await until(settled, 30, f"{members} members in the group")
    finally:
        await admin.close()


async def moved_beyond(url: str, before: dict[tuple[str, int], int]) -> None:
    """Wait until some position is not what it was."""

    async def further() -> bool:
        return await positions(url) != before

    await until(further, 30, "a position to move")


async def read_all(kafka: Kafka, topic: Topic) -> list[ConsumerRecord]:
    """Everything that stands in a topic, partition by partition."""
    consumer = kafka.tail_consumer()
    await consumer.start()
    found: list[ConsumerRecord] = []
    try:
        for number in range(topic.partition_count(kafka.lanes)):
            place = TopicPartition(kafka.name(topic), number)
            consumer.assign([place])
            consumer.seek(place, (await consumer.beginning_offsets([place]))[place])
            end = (await consumer.end_offsets([place]))[place]
            while await consumer.position(place) < end:
                for records in (await consumer.getmany(place, timeout_ms=500)).values():
                    found += records
    finally:
        await consumer.stop()
    return found


async def expected(kafka: Kafka) -> Tables:
    """What the database must hold: each record of the log by itself, in order, through the fake."""
    store = FakeStore()
    for topic in TOPICS:
        for record in await read_all(kafka, topic):
            partition = Partition(topic.name, record.partition)
            with contextlib.suppress(SchemaError):
                rows = tuple(rows_of(topic, record))
                await store.begin(partition, PartitionPosition(0, "e"))
                at = store.kept[partition].next_offset
                await store.apply(Batch(partition, at, record.offset + 1, rows))
    return plain(store.tables)


async def ends(kafka: Kafka) -> dict[tuple[str, int], int]:
    """Where the log ends, per partition, once every transaction is decided: a broker that was killed writes the markers of
    those that were committed when it is back, and until then readers see an earlier end."""
    deadline = time.monotonic() + MARKERS_SECONDS
    while True:
        committed, written = [
            await _ends(kafka, isolation_level=level) for level in ("read_committed", "read_uncommitted")
        ]
        if committed == written:
            return committed
        assert time.monotonic() < deadline, f"transactions stay open: {committed} of {written}"
        await asyncio.sleep(0.05)


async def _ends(kafka: Kafka, **reading: str) -> dict[tuple[str, int], int]:
    consumer = kafka.tail_consumer(**reading)
    await consumer.start()
    try:
        places = {
            TopicPartition(kafka.name(topic), number): (topic.name, number)
            for topic in TOPICS
            for number in range(topic.partition_count(kafka.lanes))
        }
        found = await consumer.end_offsets(list(places))
    finally:
        await consumer.stop()
    return {places[place]: end for place, end in found.items()}


async def until(holds: Callable[[], Awaitable[bool]], seconds: float, what: str) -> None:
    """Wait until it holds. Raises TimeoutError naming what was waited for."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not await holds():
        if loop.time() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        await asyncio.sleep(0.02)


async def caught_up(kafka: Kafka, url: str, seconds: float = 30) -> None:
    """Wait until the database's positions are the ends of the log: nothing is left, markers included."""
    wanted = await ends(kafka)

    async def there() -> bool:
        return await positions(url) == wanted

    await until(there, seconds, "the projector to catch up")


_states = tempfile.TemporaryDirectory(prefix="catalogizer-projectors-")


def _state(kafka: Kafka, slot: str) -> Path:
    """The state folder of one of the projectors of a log: each alone in its own, as on machines of their own."""
    return Path(_states.name) / kafka.settings.topic_prefix / slot


@contextlib.asynccontextmanager
async def projecting(
    kafka: Kafka, url: str, *, slot: str = "0", points: Point = no_point
) -> AsyncIterator[asyncio.Task[None]]:
    """A projector in this process; stopped at the end, and what it raised is raised."""
    stop = Stop()
    task = asyncio.create_task(
        project(kafka, url, StreamsSettings(), state_dir=_state(kafka, slot), stop=stop, points=points)
    )
    try:
        yield task
    finally:
        stop.request("test")
        await asyncio.wait_for(task, 15)


class Process:
    """A projector in a process of its own, or a rebuild beside it; at the given hit of a point it sends itself a signal."""

    def __init__(
        self,
        kafka: Kafka,
        url: str,
        *,
        slot: str = "0",
        point: str = "",
        hit: int = 0,
        itself: signal.Signals = signal.SIGKILL,
        work: Literal["project", "rebuild"] = "project",
    ) -> None:
        settings = kafka.settings
        environment = os.environ | {
            "TEST_KAFKA": as_json(settings.model_copy(update={"session_timeout_ms": SESSION_MS})),
            "TEST_DATABASE": url,
            "TEST_STATE": str(_state(kafka, slot)),
            "TEST_POINT": point,
            "TEST_HIT": str(hit),
            "TEST_SIGNAL": str(int(itself)),
            "TEST_WORK": work,
        }
        self._process = prepared.start("tests.support.projector_run", env=environment, new_session=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever the test found, nothing stays behind."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def wait(self, seconds: float) -> int:
        """Wait for its end; the exit code."""
        return self._process.wait(seconds)

    @property
    def stopped(self) -> bool:
        """True while it is stopped by a signal."""
        return Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"

    @property
    def died(self) -> int | None:
        """Its exit code, negative for a signal."""
        return self._process.poll()

    def end(self) -> int:
        """Ask it to stop; its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
        return self._process.wait(15)


def _signalling(point: str, hit: int, number: int) -> Point:
    hits = 0

    def reached(name: str) -> None:
        nonlocal hits
        hits += name == point
        if hits == hit and name == point:
            os.kill(os.getpid(), number)

    return reached


def _main() -> None:
    from runtime import log
    from runtime.lifecycle import run
    from runtime.settings import LogSettings

    log.configure(LogSettings(level="WARNING", format="text"), "project")
    environment = os.environ
    settings = KafkaSettings.model_validate_json(environment["TEST_KAFKA"])
    points = _signalling(environment["TEST_POINT"], int(environment["TEST_HIT"]), int(environment["TEST_SIGNAL"]))
    kafka, url = Kafka(settings, "project"), environment["TEST_DATABASE"]
    if environment["TEST_WORK"] == "rebuild":
        asyncio.run(rebuild(kafka, url, points=points))
        return
    state = Path(environment["TEST_STATE"])
    run(lambda stop: project(kafka, url, StreamsSettings(), state_dir=state, stop=stop, points=points))


if __name__ == "__main__":
    _main()
