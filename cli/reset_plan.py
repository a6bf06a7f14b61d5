"""Computes where the standard reset flags move a position. Pure: from target, log and positions to the moves.

Flags and file format are those of Kafka's own `kafka-consumer-groups`; as there, a target outside the log becomes the
log's nearest end.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from cli.errors import BadArgument
from schemas.places import At, AtTime, Earliest, Head, Offset, offset_in

Partition: TypeAlias = tuple[str, int]
"""(Topic's declared name, partition)."""


@dataclass(frozen=True, slots=True)
class ToCurrent:
    """`--to-current`"""


@dataclass(frozen=True, slots=True)
class ShiftBy:
    """`--shift-by`; negative is back."""

    count: int


@dataclass(frozen=True, slots=True)
class FromFile:
    """`--from-file`: a target per partition; partitions not named stay."""

    targets: Mapping[Partition, Offset]


Target = Earliest | Head | At | AtTime | ToCurrent | ShiftBy | FromFile
"""`--to-earliest`, `--to-latest`, `--to-offset` and `--to-datetime` or `--by-duration` are places (`schemas.places`)."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A partition's present state. `current`: the projector's next offset; `at_time`: the log's offset for `AtTime`."""

    beginning: Offset
    head: Offset
    current: Offset
    at_time: Offset | None = None


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """The move of one partition. `count`: offsets that will be read again; negative: that would be skipped."""

    topic: str
    partition: int
    current: Offset
    target: Offset

    @property
    def count(self) -> int:
        """Offsets between target and present position."""
        return self.current - self.target


def moves(target: Target, stands: Mapping[Partition, Stand]) -> list[Move]:
    """One move per partition, including those that stay."""
    return sorted(
        Move(topic, number, stand.current, _target(target, (topic, number), stand))
        for (topic, number), stand in stands.items()
    )


def _target(target: Target, partition: Partition, stand: Stand) -> Offset:
    place = (
        At(_counted(target, partition, stand)) if isinstance(target, ToCurrent | ShiftBy | FromFile) else target
    )
    # None of the targets is a place that leaves the partition out.
    found = offset_in(place, partition[1], stand.beginning, stand.head, stand.at_time)
    return stand.current if found is None else found


def _counted(target: ToCurrent | ShiftBy | FromFile, partition: Partition, stand: Stand) -> Offset:
    match target:
        case ToCurrent():
            return stand.current
        case ShiftBy(count):
            return Offset(stand.current + count)
        case FromFile(targets):
            return targets.get(partition, stand.current)
        case _:
            assert_never(target)


def parse_topics(words: Iterable[str], known: Mapping[str, int], prefix: str) -> set[Partition]:
    """The partitions named by `--topic` (`name` or `name:0,1`); without any, all. `known`: partitions per topic that the
    projector reads. Raises BadArgument."""
    chosen: set[Partition] = set()
    for word in words:
        name, _, numbers = word.partition(":")
        topic = name.removeprefix(prefix)
        if topic not in known:
            raise BadArgument("--topic", f"{name!r} is not read by the projector: {', '.join(known)}")
        for text in numbers.split(",") if numbers else map(str, range(known[topic])):
            if not text.isdecimal() or int(text) >= known[topic]:
                raise BadArgument("--topic", f"{topic} has no partition {text!r}")
            chosen.add((topic, int(text)))
    return chosen or {(topic, number) for topic, count in known.items() for number in range(count)}


def parse_file(text: str, prefix: str) -> FromFile:
    """CSV lines of topic, partition, offset. Raises BadArgument."""
    targets: dict[Partition, Offset] = {}
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not row:
            continue
        if len(row) != 3 or not (row[1].strip().isdecimal() and row[2].strip().isdecimal()):
            raise BadArgument("--from-file", f"line {number} is not topic,partition,offset")
        targets[row[0].strip().removeprefix(prefix), int(row[1])] = Offset(int(row[2]))
    return FromFile(targets)


def write_file(planned: Iterable[Move], prefix: str) -> str:
    """The targets as CSV that `--from-file` and Kafka's own tool read."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows((prefix + move.topic, move.partition, move.target) for move in planned)
    return out.getvalue()
