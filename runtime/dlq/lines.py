"""Dead letters as JSON, for the command line and for REST. Pure."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from schemas.dead_letters import Letter
from schemas.times import iso


class QueueLine(Struct, frozen=True):
    """One queue's open letters. `oldest`, `newest`: when they were published, ISO 8601; `errors`: counts by error class."""

    topic: str
    queue: str
    open: int
    oldest: str | None
    newest: str | None
    errors: dict[str, int]


class LetterLine(Struct, frozen=True):
    """One letter without its contents. `state`: open, redriven, rescan_asked or discarded."""

    offset: int
    at: str
    topic: str | None
    partition: int | None
    original_offset: int | None
    original_at: str | None
    error_type: str
    error: str
    attempts: int
    size: int
    cut: bool
    state: str
    closed_at: str | None = None
    closed_by: str | None = None
    reason: str | None = None


class Bytes(Struct, frozen=True, omit_defaults=True):
    """Bytes: as text where they are UTF-8, else in base64."""

    text: str | UnsetType = UNSET
    b64: str | UnsetType = UNSET


class WholeLetter(Struct, frozen=True):
    """A letter with its key, headers and value. A null value is a tombstone."""

    letter: LetterLine
    key: Bytes | None
    headers: list[tuple[str, Bytes]]
    value: Bytes | None


def queue_line(topic: str, queue: str, letters: Sequence[Letter]) -> QueueLine:
    """Summary of a queue's open letters."""
    found = [letter for letter in letters if letter.closed is None]
    errors = Counter(letter.error_type for letter in found)
    return QueueLine(
        topic=topic,
        queue=queue,
        open=len(found),
        oldest=iso(found[0].at) if found else None,
        newest=iso(found[-1].at) if found else None,
        errors=dict(errors.most_common()),
    )


def letter_line(letter: Letter) -> LetterLine:
    """The letter as JSON, without its contents."""
    origin, closed = letter.origin, letter.closed
    return LetterLine(
        offset=letter.offset,
        at=iso(letter.at),
        topic=None if origin is None else origin.topic,
        partition=None if origin is None else origin.partition,
        original_offset=None if origin is None else origin.offset,
        original_at=None if origin is None else iso(origin.timestamp),
        error_type=letter.error_type,
        error=letter.error,
        attempts=letter.attempts,
        size=letter.size,
        cut=letter.is_cut,
        state="open" if closed is None else closed.how,
        closed_at=None if closed is None else closed.at,
        closed_by=None if closed is None else closed.by,
        reason=None if closed is None else closed.reason,
    )


def whole_letter(letter: Letter) -> WholeLetter:
    """The letter as JSON, with its contents."""
    return WholeLetter(
        letter=letter_line(letter),
        key=None if letter.key is None else _bytes(letter.key),
        headers=[(name, _bytes(value)) for name, value in letter.headers],
        value=None if letter.value is None else _bytes(letter.value),
    )


def _bytes(value: bytes) -> Bytes:
    try:
        return Bytes(text=value.decode())
    except UnicodeDecodeError:
        return Bytes(b64=base64.b64encode(value).decode())
