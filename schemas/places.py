"""Places in a log: one vocabulary for clients, commands and tools, and how each is resolved to offsets. Pure.

It knows no Kafka client and reads nothing: the caller provides the log's offsets (`Bounds`, and for a time the offsets
that Kafka returned). The written forms of places are in `schemas.place_forms`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, NewType, TypeAlias, TypeVar, assert_never

from schemas.times import Millis

Offset = NewType("Offset", int)
"""A position between two records of a partition: the offset of the next record wanted. Records from it on are read."""

K = TypeVar("K")


def next_offset(of_record: int) -> Offset:
    """The next offset wanted after the record at this offset."""
    return Offset(of_record + 1)


def offsets(numbers: Mapping[K, int]) -> dict[K, Offset]:
    """Numbers from a client, a file or a database, as offsets."""
    return {key: Offset(number) for key, number in numbers.items()}


@dataclass(frozen=True, slots=True)
class Earliest:
    """Where the log begins."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends at the moment of the request."""


@dataclass(frozen=True, slots=True)
class At:
    """The next offset wanted, in every partition."""

    offset: Offset


@dataclass(frozen=True, slots=True)
class AtEach:
    """The next offset wanted, by partition."""

    offsets: Mapping[int, Offset]


@dataclass(frozen=True, slots=True)
class AtTime:
    """The first record appended at that time or later; if there is none yet, the head."""

    at: Millis


@dataclass(frozen=True, slots=True)
class Last:
    """The newest so many records over all partitions."""

    count: int


ClientPlace: TypeAlias = Earliest | Head | AtEach | AtTime | Last
"""What clients can write; an offset for every partition is for people only."""

Place: TypeAlias = ClientPlace | At


@dataclass(frozen=True, slots=True)
class Bounds(Generic[K]):
    """The offsets in the log, by partition: from `earliest` to before `end`."""

    earliest: Mapping[K, Offset]
    end: Mapping[K, Offset]


def offset_in(
    place: Place, partition: int, earliest: Offset, end: Offset, at_time: Offset | None
) -> Offset | None:
    """The offset of a place in one partition, limited to the offsets in the log; None if the place does not include the
    partition. `at_time`: the offset that Kafka returned for `AtTime`. For `Last` it is the end less the count: so many
    records would fit if every offset were a record."""
    match place:
        case Earliest():
            wanted = earliest
        case Head():
            wanted = end
        case At(offset):
            wanted = offset
        case AtEach(named):
            if partition not in named:
                return None
            wanted = named[partition]
        case AtTime():
            wanted = end if at_time is None else at_time
        case Last(count):
            wanted = Offset(end - count)
        case _:
            assert_never(place)
    return min(max(wanted, earliest), end)


def resolve(
    place: Place, bounds: Bounds[K], number: Callable[[K], int], at_time: Mapping[K, Offset | None] | None = None
) -> dict[K, Offset]:
    """The offsets of a place, limited to the offsets in the log; partitions that the place does not include are left
    out. `number`: of a partition; `at_time`: the offsets that Kafka returned for `AtTime`."""
    times = at_time or {}
    found = {
        key: offset_in(place, number(key), bounds.earliest[key], end, times.get(key))
        for key, end in bounds.end.items()
    }
    return {key: offset for key, offset in found.items() if offset is not None}


class OutOfRange(NamedTuple):
    """An offset of a place that is not in the log. `gone`: it is before `limit`, where the log begins now; `beyond`: it
    is after `limit`, where the log ends; `absent`: there is no such partition (`limit`: how many there are)."""

    kind: Literal["gone", "beyond", "absent"]
    partition: int
    wanted: Offset
    limit: int


def out_of_range(place: Place, bounds: Bounds[K], number: Callable[[K], int]) -> Iterator[OutOfRange]:
    """The offsets of a place that are not in the log; other places are always in it."""
    keys = {number(key): key for key in bounds.end}
    match place:
        case At(offset):
            wanted: Mapping[int, Offset] = dict.fromkeys(keys, offset)
        case AtEach(named):
            wanted = named
        case _:
            return
    for partition, offset in sorted(wanted.items()):
        if partition not in keys:
            yield OutOfRange("absent", partition, offset, len(keys))
        elif offset > (end := bounds.end[keys[partition]]):
            yield OutOfRange("beyond", partition, offset, end)
        elif offset < (earliest := bounds.earliest[keys[partition]]):
            yield OutOfRange("gone", partition, offset, earliest)
