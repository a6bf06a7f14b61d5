"""The state of the platform as values: what its processes and roots report, and the lag of each reader of the log.

It reads only Kafka, and changes nothing. `cli.status` and `cli.top` decide what to show.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence

from aiokafka import TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError
from msgspec import UNSET, Struct

from cli.root_table import LATELY_MS, RootLine, known_roots
from producer.settings import RootSpec
from runtime.dlq.reading import glance
from runtime.kafka import Kafka
from runtime.log_reading import bounds, partitions_of, reader, resolve, stretch
from schemas.codec import Codec
from schemas.errors import SchemaError
from schemas.places import AtTime, Offset
from schemas.system import SOCKETS, VERSION, Heartbeat, Report, Scalar
from schemas.times import Millis, iso
from schemas.topics import RAW, REPORTS, Topic
from streams.library.service import GROUP as FOLD
from streams.projector.assigned import GROUP as PROJECTOR
from streams.projector.plan import TOPICS as PROJECTED
from streams.status.publishing import LatestUpdate, read_states
from streams.status.rules import QUEUE, RATE, REQUESTED, WORKERS

READERS: dict[str, tuple[str, tuple[Topic, ...]]] = {
    "fold": (FOLD, (RAW,)),
    "projector": (PROJECTOR, tuple(PROJECTED)),
}
"""The readers of the log that commit positions: consumer group and topics."""

_reports: Codec[Report] = Codec(Report)


class ComponentLine(Struct, frozen=True):
    """One component, or its work queue. `at`: since when it has this status, ISO 8601."""

    name: str
    status: str
    message: str
    at: str


class ProcessLine(Struct, frozen=True):
    """One process that reported within the last 15 s. `version`: of its program; None if not reported."""

    component: str
    host: str
    pid: int
    version: str | None
    status: str
    at: str
    details: dict[str, Scalar]


class LagLine(Struct, frozen=True):
    """A reader's lag in a partition (for topics with lanes: in a lane). `position`: its next offset, None if it has none
    yet; `end`: the offset of the next record to be written; `lag`: offsets in between, transaction markers included."""

    reader: str
    topic: str
    lane: int
    position: int | None
    end: int
    lag: int


class Jobs(Struct, frozen=True):
    """Analysis: queued jobs, items that operators requested, worker processes, jobs done a minute."""

    queued: int
    requested: int
    workers: int
    per_minute: float


class Overview(Struct, frozen=True):
    """The whole overview. `lag`: None if our principal may not describe the groups; `sockets`: open ones, at all
    gateways."""

    components: list[ComponentLine]
    roots: list[RootLine]
    dead_letters: dict[str, int]
    """Open ones by topic; topics without any are left out."""
    processes: list[ProcessLine]
    lag: list[LagLine] | None
    jobs: Jobs
    sockets: int

    @property
    def versions(self) -> list[str]:
        """The versions of all processes; several during an update."""
        return sorted({process.version or "unknown" for process in self.processes})

    @property
    def is_well(self) -> bool:
        """True if no component is in error and every configured root is available."""
        offline = [
            root for root in self.roots if root.configured and root.state in ("offline", "silent", "unknown")
        ]
        return not offline and all(line.status != "error" for line in self.components)


async def look(kafka: Kafka, specs: Collection[RootSpec]) -> Overview:
    """Read the present state. `specs`: the roots declared here. Raises NotProvisioned, KafkaError, LogSilent."""
    # each has a client of its own, whose start takes longest
    heartbeats, states, roots, dead_letters, lag = await asyncio.gather(
        _heartbeats(kafka), read_states(kafka), known_roots(kafka, specs), glance(kafka), _lag(kafka)
    )
    processes = latest(heartbeats)
    return Overview(
        components=_components(states.values()),
        roots=roots,
        dead_letters=dead_letters,
        processes=processes,
        lag=lag,
        jobs=Jobs(
            queued=round(_sum(processes, QUEUE)),
            requested=round(_sum(processes, REQUESTED)),
            workers=round(_sum(processes, WORKERS)),
            per_minute=_sum(processes, RATE),
        ),
        sockets=round(_sum(processes, SOCKETS)),
    )


def latest(heartbeats: Iterable[Heartbeat]) -> list[ProcessLine]:
    """The processes of these heartbeats (given oldest first), by each one's last; those that have left are omitted."""
    last = {(beat.component, beat.instance): beat for beat in heartbeats}
    return [_line(beat) for _, beat in sorted(last.items()) if not beat.leaving]


def lag_of(reader_name: str, topic: Topic, lane: int, position: int | None, within: tuple[int, int]) -> LagLine:
    """`within`: where the partition begins and ends. A reader without a position begins where the log does."""
    beginning, end = within
    return LagLine(reader_name, topic.name, lane, position, end, max(0, end - max(position or 0, beginning)))


def _line(beat: Heartbeat) -> ProcessLine:
    version = beat.details.get(VERSION)
    return ProcessLine(
        beat.component, beat.host, beat.pid, version if isinstance(version, str) else None, beat.status, beat.at,
        {name: value for name, value in beat.details.items() if name != VERSION},
    )  # fmt: skip


def _sum(processes: Sequence[ProcessLine], key: str) -> float:
    values = (process.details.get(key) for process in processes)
    return sum(value for value in values if isinstance(value, int | float))


async def _heartbeats(kafka: Kafka) -> list[Heartbeat]:
    async with reader(kafka) as consumer:
        within = await bounds(consumer, await partitions_of(consumer, kafka.name(REPORTS)))
        starts = await resolve(consumer, AtTime(Millis(time.time_ns() // 1_000_000 - LATELY_MS)), within)
        found = [_heartbeat(r.value) async for some in stretch(consumer, starts, within.end) for r in some]
    return [beat for beat in found if beat is not None]


def _heartbeat(value: bytes | None) -> Heartbeat | None:
    try:
        report = _reports.decode(value)
    except SchemaError:  # what another version or program reports
        return None
    return report if isinstance(report, Heartbeat) else None


async def _lag(kafka: Kafka) -> list[LagLine] | None:
    admin = kafka.admin()
    await admin.start()
    try:
        positions = {
            name: await admin.list_consumer_group_offsets(kafka.group(group))
            for name, (group, _) in READERS.items()
        }
    except GroupAuthorizationFailedError:
        return None
    finally:
        await admin.close()
    lines: list[LagLine] = []
    async with reader(kafka) as consumer:
        for name, (_, topics) in READERS.items():
            for topic in topics:
                within = await bounds(consumer, await partitions_of(consumer, kafka.name(topic)))
                for place, end in within.end.items():
                    position = _position(positions[name], place)
                    lines.append(lag_of(name, topic, place.partition, position, (within.earliest[place], end)))
    return lines


def _position(positions: Mapping[TopicPartition, object], place: TopicPartition) -> Offset | None:
    offset = getattr(positions.get(place), "offset", -1)
    return Offset(offset) if offset >= 0 else None


def _components(states: Iterable[LatestUpdate]) -> list[ComponentLine]:
    return [
        ComponentLine(state.update.component, state.update.status, _text(state), iso(state.at))
        for state in sorted(states, key=lambda state: state.key)
        if state.update.action != "storage_update"
    ]


def _text(state: LatestUpdate) -> str:
    return "" if state.update.message is UNSET else state.update.message
