"""Places in a log: one vocabulary for clients, commands and tools, and which offset each is. Pure.

It knows no Kafka client and reads nothing: who asks brings what the log has (`Bounds`, and for a time what the log
answered). How places are written is in `schemas.place_forms`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, NewType, TypeAlias, TypeVar, assert_never

from schemas.times import Millis

Offset = NewType("Offset", int)
"""A place between two records of a partition: the next offset wanted. Records at it and after it come, none before."""

K = TypeVar("K")


def next_offset(of_record: int) -> Offset:
    """The next offset wanted by who has had the record at this one."""
    return Offset(of_record + 1)


def offsets(numbers: Mapping[K, int]) -> dict[K, Offset]:
    """Numbers that a client, a file or a database gave, as offsets."""
    return {key: Offset(number) for key, number in numbers.items()}


@dataclass(frozen=True, slots=True)
class Earliest:
    """Where the log begins."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends at the moment of asking."""


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
    """The first record appended at that time or later; where none is yet, the head."""

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
    """What the log has, by partition: offsets from `earliest` to before `end`."""

    earliest: Mapping[K, Offset]
    end: Mapping[K, Offset]


def offset_in(
    place: Place, partition: int, earliest: Offset, end: Offset, at_time: Offset | None
) -> Offset | None:
    """The offset of a place in one partition, within what the log has; None where the place leaves the partition
    out. `at_time`: the log's answer for `AtTime`. Of `Last` it is a place so far back that at least so many would
    fit if every offset were a record."""
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
    """The offsets of a place, within what the log has; partitions that it leaves out are not in the answer.
    `number`: of a partition; `at_time`: the log's answers for `AtTime`."""
    times = at_time or {}
    found = {
        key: offset_in(place, number(key), bounds.earliest[key], end, times.get(key))
        for key, end in bounds.end.items()
    }
    return {key: offset for key, offset in found.items() if offset is not None}


class OutOfRange(NamedTuple):
    """Something that a place names and the log has not. `gone`: it was before `limit`, where the log begins now;
    `beyond`: it is after `limit`, where the log ends; `absent`: there is no such partition (`limit`: how many)."""

    kind: Literal["gone", "beyond", "absent"]
    partition: int
    wanted: Offset
    limit: int


def out_of_range(place: Place, bounds: Bounds[K], number: Callable[[K], int]) -> Iterator[OutOfRange]:
    """What of a place the log has not; only offsets can be missing."""
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
