"""Where a partition goes on, when a projector takes it up: database, group and log compared. Pure.

The database's position decides, for it was written with the rows. The group's offset carries a mark when it
was ours. One without it was written by Kafka's own reset tool, that is by an operator: it is honoured when it
lies behind, and refused when it lies ahead, for nothing may be skipped. Nothing is ever jumped over: where the
log no longer has what the database wants, that is an alarm.
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
    """What the consumer group has for a partition."""

    next_offset: int
    metadata: str

    @property
    def ours(self) -> bool:
        """True when it carries our mark."""
        return self.metadata.startswith(MARK)


@dataclass(frozen=True, slots=True)
class LogRange:
    """What the log has: offsets from `beginning` to before `end`, in the topic of that epoch."""

    beginning: int
    end: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Nothing was projected yet: begin at `at`, where the log begins."""

    at: int


@dataclass(frozen=True, slots=True)
class GoOn:
    """Go on at the database's position."""

    at: int


@dataclass(frozen=True, slots=True)
class Rewind:
    """An operator moved the group back: the database's position moves there and rows are written again."""

    at: int
    was: int


@dataclass(frozen=True, slots=True)
class RefuseAhead:
    """An operator moved the group ahead to `wanted`: refused, go on at the database's position."""

    at: int
    wanted: int


@dataclass(frozen=True, slots=True)
class OtherEpoch:
    """The topic is another one than the rows were written from."""

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
    """The metadata of an offset of ours."""
    return MARK + epoch


def decide(database: PartitionPosition | None, group: GroupOffset | None, log: LogRange) -> Decision:
    """Where to go on. A rewind to before the log's beginning goes to its beginning: what is gone from the log
    has its rows already."""
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
