"""Adopting other rules: which versions exist, what they would change, and the record that makes the lanes adopt them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from aiokafka import AIOKafkaProducer
from msgspec import Struct

from cli.commanding import caller_name, writer
from cli.errors import BadArgument
from cli.progress import Stages
from runtime.kafka import Kafka
from runtime.reports import now_iso
from schemas import __version__
from schemas.admin import Position
from schemas.codec import encode
from schemas.headers import raw_headers
from schemas.media import MediaItem
from schemas.raw import RulesAdopted
from schemas.topics import RAW
from streams.core.rules import FIRST_VERSION, NEWEST, RULES
from streams.library.at_position import fold_at, positions

POLL_SECONDS = 0.3


class VersionLine(Struct, frozen=True):
    """A version of the rules that this program contains."""

    version: int
    digest: str
    newest: bool


class LaneLine(Struct, frozen=True):
    """The rules by which a lane is folded, from its position. `program`: the version that wrote it; `next_offset`: None if
    nothing was ever folded there."""

    lane: int
    version: int
    program: str
    next_offset: int | None


class Difference(Struct, frozen=True):
    """An item for which other rules give another result."""

    media_id: int
    library: str
    root: str
    path: str
    fields: dict[str, tuple[object, object]]


def versions() -> list[VersionLine]:
    """The versions that this program contains, oldest first."""
    return [
        VersionLine(rules.version, rules.digest, version == NEWEST) for version, rules in sorted(RULES.items())
    ]


async def lanes(kafka: Kafka) -> list[LaneLine]:
    """Every lane. Raises KafkaError."""
    return [_line(lane, position) for lane, position in enumerate(await positions(kafka))]


def check(version: int, found: Sequence[LaneLine]) -> list[LaneLine]:
    """The lanes that would adopt the version. Raises BadArgument if this program does not contain it, or if a lane already
    uses later rules."""
    if version not in RULES:
        known = ", ".join(map(str, sorted(RULES)))
        raise BadArgument("VERSION", f"this program carries no rules of version {version}; it has {known}")
    highest = max(line.version for line in found)
    if version < highest:
        raise BadArgument("VERSION", f"{version} is below the present one ({highest}): rules are never taken back")
    return [line for line in found if line.version < version]


async def differences(kafka: Kafka, version: int, stages: Stages) -> AsyncGenerator[Difference, None]:
    """The known items for which these rules give another result. Raises LogTruncated, RulesUnknown, KafkaError."""
    for position in await positions(kafka):
        if position is None or position.fold_version >= version:
            continue
        with stages.stage(f"lane {position.lane}", position.next_offset) as folded:
            fold = await fold_at(kafka, position, folded=folded)
        for before, after in fold.read_by(RULES[version]):
            yield Difference(before.id, before.library, before.storage_root, before.path, _fields(before, after))


async def adopt_newest(kafka: Kafka) -> None:
    """Make all lanes adopt the newest rules of this program; lanes with later rules keep them. Raises KafkaError."""
    await adopt(kafka, NEWEST, [line for line in await lanes(kafka) if line.version < NEWEST])


async def adopt(kafka: Kafka, version: int, which: Sequence[LaneLine]) -> None:
    """Write the adoption record to the change log of these lanes. Raises KafkaError."""
    if not which:
        return
    record = RulesAdopted(version=version, program=__version__, by=caller_name(), at=now_iso())
    async with writer(kafka) as producer:
        for line in which:
            await _append(producer, kafka, line.lane, record)


async def adopted(kafka: Kafka, version: int, which: Sequence[LaneLine], wait_seconds: float) -> list[LaneLine]:
    """Wait up to `wait_seconds` until these lanes use the version; returns those that do not. Raises KafkaError."""
    wanted = {line.lane for line in which}
    deadline = asyncio.get_running_loop().time() + wait_seconds
    while True:
        late = [line for line in await lanes(kafka) if line.lane in wanted and line.version < version]
        if not late or asyncio.get_running_loop().time() > deadline:
            return late
        await asyncio.sleep(POLL_SECONDS)


async def _append(producer: AIOKafkaProducer, kafka: Kafka, lane: int, record: RulesAdopted) -> None:
    await producer.send_and_wait(
        kafka.name(RAW), encode(record), key=b"", partition=lane, headers=raw_headers("rules_adopted")
    )


def _line(lane: int, position: Position | None) -> LaneLine:
    if position is None:
        return LaneLine(lane, FIRST_VERSION, "", None)
    return LaneLine(lane, position.fold_version, position.program, position.next_offset)


def _fields(before: MediaItem, after: MediaItem) -> dict[str, tuple[object, object]]:
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in before.__struct_fields__)
    return {name: (one, other) for name, one, other in pairs if one != other and name != "updated_at"}
