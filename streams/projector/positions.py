"""Where a partition continues when a projector takes it over: database, group and log compared. Pure.

The database's position decides, because it was written with the rows. The group's offset has a mark if we committed it. One
without the mark was written by Kafka's own reset tool, that is by an operator: it is applied when it is behind the position,
and refused when it is ahead, because nothing may be skipped. If the log no longer has what the database needs next, that is
an alarm.
"""

from __future__ import annotations

from dataclasses import dataclass

MARK = "catalogizer:1:"
"""Begins the metadata of the offsets that we commit; the topic's epoch follows. Kafka's tools write none."""


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One partition of a topic, by the topic's declared name."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.number}"


@dataclass(frozen=True, slots=True)
class PartitionPosition:
    """How far a partition was projected: the next offset wanted, in the topic of that epoch."""

    next_offset: int
    epoch: str


@dataclass(frozen=True, slots=True)
class GroupOffset:
    """The consumer group's offset for a partition."""

    next_offset: int
    metadata: str

    @property
    def ours(self) -> bool:
        """True when it has our mark."""
        return self.metadata.startswith(MARK)


@dataclass(frozen=True, slots=True)
class LogRange:
    """The log's offsets: from `beginning` to before `end`, in the topic of that epoch."""

    beginning: int
    end: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Nothing was projected yet: begin at `at`, where the log begins."""

    at: int


@dataclass(frozen=True, slots=True)
class GoOn:
    """Continue at the database's position."""

    at: int


@dataclass(frozen=True, slots=True)
class Rewind:
    """An operator moved the group back: the database's position moves there and rows are written again."""

    at: int
    was: int


@dataclass(frozen=True, slots=True)
class RefuseAhead:
    """An operator moved the group ahead to `wanted`: refused, continue at the database's position."""

    at: int
    wanted: int


@dataclass(frozen=True, slots=True)
class OtherEpoch:
    """The rows were written from another topic of the same name."""

    kept: str


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The log begins after the position."""

    position: int


@dataclass(frozen=True, slots=True)
class Shorter:
    """The log ends before the position."""

    position: int


Decision = Begin | GoOn | Rewind | RefuseAhead | OtherEpoch | Overtaken | Shorter


def mark(epoch: str) -> str:
    """The metadata of an offset that we commit."""
    return MARK + epoch


def decide(database: PartitionPosition | None, group: GroupOffset | None, log: LogRange) -> Decision:
    """Where to continue. A rewind to before the log's beginning goes to its beginning: records that are gone from the
    log have their rows already."""
    if database is None:
        return Begin(log.beginning)
    at = database.next_offset
    if database.epoch != log.epoch:
        return OtherEpoch(database.epoch)
    if at > log.end:
        return Shorter(at)
    if group is not None and not group.ours and group.next_offset < at:
        target = max(group.next_offset, log.beginning)
        if target < at:
            return Rewind(target, at)
    if at < log.beginning:
        return Overtaken(at)
    if group is not None and not group.ours and group.next_offset > at:
        return RefuseAhead(at, group.next_offset)
    return GoOn(at)
