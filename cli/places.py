"""Places in a log, as people write them: one vocabulary for every command that reads or replays. Pure.

`earliest` · `latest` or `head` · an offset (of every partition) · `0:120,3:7` (partition:offset pairs, others
not read) · an ISO 8601 time (append time; without a zone UTC) · `last:20` (the newest so many).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from cli.errors import BadArgument
from schemas.times import Millis, parse_iso

WORDS = "earliest, latest, head, an offset, partition:offset pairs (0:120,3:7), an ISO 8601 time, or last:N"


@dataclass(frozen=True, slots=True)
class Earliest:
    """Where the log begins."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends, as it was at the start of the command."""


@dataclass(frozen=True, slots=True)
class At:
    """The next offset wanted, in every partition."""

    offset: int


@dataclass(frozen=True, slots=True)
class AtEach:
    """The next offset wanted, per partition; partitions not named are left out."""

    offsets: dict[int, int]


@dataclass(frozen=True, slots=True)
class AtTime:
    """The first record appended at that time or later."""

    at: Millis


@dataclass(frozen=True, slots=True)
class Last:
    """The newest so many records over all partitions."""

    count: int


Place = Earliest | Head | At | AtEach | AtTime | Last


def parse_place(text: str, argument: str = "--from") -> Place:
    """Read a place. Raises BadArgument, naming what may be written."""
    match text:
        case "earliest":
            return Earliest()
        case "latest" | "head":
            return Head()
    if text.isdecimal():
        return At(int(text))
    if text.startswith("last:") and text[5:].isdecimal() and int(text[5:]) > 0:
        return Last(int(text[5:]))
    if (pairs := _pairs(text)) is not None:
        return AtEach(pairs)
    try:
        return AtTime(parse_iso(text))
    except ValueError:
        raise BadArgument(argument, f"{text!r} is no place in a log: {WORDS}") from None


def _pairs(text: str) -> dict[int, int] | None:
    pairs: dict[int, int] = {}
    for part in text.split(","):
        partition, colon, offset = part.partition(":")
        if not (colon and partition.isdecimal() and offset.isdecimal()):
            return None
        pairs[int(partition)] = int(offset)
    return pairs


_NUMBER = r"(\d+(?:\.\d+)?)"
_DURATION = re.compile(rf"P(?:{_NUMBER}D)?(?:T(?=\d)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?", re.ASCII)


def parse_duration(text: str, argument: str) -> timedelta:
    """Read an ISO 8601 duration as Kafka's own tool does: `P1DT2H30M`, `PT90S`. Raises BadArgument."""
    parts = _DURATION.fullmatch(text)
    if parts is None or not any(parts.groups()):
        raise BadArgument(argument, f"{text!r} is no ISO 8601 duration such as PT2H30M or P1D")
    days, hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
