"""The contents of a dead letter queue: letters, and marks that close them. Pure.

A letter is a record that a stage could not process, complete except for what `schemas.headers.dead_value` cuts off. A mark
closes a letter: it names the letter and the record in it. If the record was handled (redriven, or its root rescanned),
every letter of that record is closed, also one that a stage writes later because it reads the old offset again; if it
was discarded, only the letters that existed by then. Letters expire with the queue's retention. A mark is always after
the letters that it closes, so it never expires before them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from msgspec import Struct

from schemas.codec import Codec
from schemas.errors import SchemaError
from schemas.headers import (
    X_ATTEMPT,
    X_EXCEPTION_MESSAGE,
    X_EXCEPTION_TYPE,
    X_LETTER,
    X_ORIGINAL_OFFSET,
    X_ORIGINAL_PARTITION,
    X_ORIGINAL_SIZE,
    X_ORIGINAL_TIMESTAMP,
    X_ORIGINAL_TOPIC,
    Headers,
    split_dead,
)
from schemas.log_record import LogRecord

FOREIGN = "foreign"
"""Error class of records in a queue that are not our letters."""

K = TypeVar("K")
How = Literal["redriven", "rescan_asked", "discarded"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a letter's record was. `topic`: its name on the installation; `timestamp`: append time there, ms, which
    distinguishes it from a record at the same offset in a recreated topic."""

    topic: str
    partition: int
    offset: int
    timestamp: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


class LetterClosed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A mark: the letter at offset `letter` of the queue is closed. `topic`, `partition`, `offset`, `timestamp`: the
    origin of its record, if it had one; `by`: who closed it; `at`: their clock, ISO 8601."""

    letter: int
    how: How
    by: str
    at: str
    reason: str = ""
    topic: str = ""
    partition: int = -1
    offset: int = -1
    timestamp: int = -1

    @property
    def origin(self) -> Origin | None:
        """The origin of the letter's record, if it had one."""
        return Origin(self.topic, self.partition, self.offset, self.timestamp) if self.topic else None


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter. `offset`, `at`: its own, in the queue; `origin` None: it was written by another program, and only
    its bytes are known; `size`: bytes of the original's value; `value` is only the beginning of it if it `is_cut`."""

    offset: int
    at: int
    origin: Origin | None
    error_type: str
    error: str
    attempts: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    size: int
    is_cut: bool = False
    closed: LetterClosed | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in a queue, at `offset` there."""

    offset: int
    closed: LetterClosed


_marks: Codec[LetterClosed] = Codec(LetterClosed)


def mark_headers(letter: int) -> Headers:
    """The headers of the mark that closes the letter at this offset."""
    return [(X_LETTER, b"%d" % letter)]


def parse(record: LogRecord) -> Letter | Mark:
    """Read a record of a dead letter queue. A record that is neither our letter nor our mark becomes a letter without
    origin."""
    if record.headers and record.headers[0][0] == X_LETTER:
        try:
            return Mark(record.offset, _marks.decode(record.value))
        except SchemaError:
            return _foreign(record)
    split = split_dead(record.headers, record.value)
    if split is None:
        return _foreign(record)
    own, headers = split
    try:
        origin = Origin(
            own[X_ORIGINAL_TOPIC].decode(), int(own[X_ORIGINAL_PARTITION]), int(own[X_ORIGINAL_OFFSET]),
            int(own[X_ORIGINAL_TIMESTAMP]),
        )  # fmt: skip
        attempts = int(own[X_ATTEMPT])
        size = int(own.get(X_ORIGINAL_SIZE, b"%d" % len(record.value or b"")))
    except ValueError:
        return _foreign(record)
    return Letter(
        offset=record.offset,
        at=record.timestamp,
        origin=origin,
        error_type=own[X_EXCEPTION_TYPE].decode("utf-8", "replace"),
        error=own[X_EXCEPTION_MESSAGE].decode("utf-8", "replace"),
        attempts=attempts,
        key=record.key,
        value=record.value,
        headers=headers,
        size=size,
        is_cut=size != len(record.value or b""),
    )


def _foreign(record: LogRecord) -> Letter:
    return Letter(
        offset=record.offset,
        at=record.timestamp,
        origin=None,
        error_type=FOREIGN,
        error="no dead letter of this program",
        attempts=0,
        key=record.key,
        value=record.value,
        headers=list(record.headers),
        size=len(record.value or b""),
    )


def closed(letters: Iterable[Letter], marks: Iterable[Mark]) -> list[Letter]:
    """The letters, each with the mark that closes it; if several do, one that handled the record rather than discarded
    it."""
    by_letter: dict[int, Mark] = {}
    by_origin: dict[Origin, Mark] = {}
    for mark in marks:
        _keep(by_letter, mark.closed.letter, mark)
        if (origin := mark.closed.origin) is not None:
            _keep(by_origin, origin, mark)
    return [_closed(letter, by_letter, by_origin) for letter in letters]


def _keep(found: dict[K, Mark], key: K, mark: Mark) -> None:
    before = found.get(key)
    if before is None or before.closed.how == "discarded":
        found[key] = mark


def _closed(letter: Letter, by_letter: dict[int, Mark], by_origin: dict[Origin, Mark]) -> Letter:
    mark = by_letter.get(letter.offset)
    other = None if letter.origin is None else by_origin.get(letter.origin)
    is_given_back = mark is not None and mark.closed.how != "discarded"
    if (
        other is not None
        and not is_given_back
        and (other.closed.how != "discarded" or letter.offset < other.offset)
    ):
        mark = other
    return letter if mark is None else replace(letter, closed=mark.closed)
