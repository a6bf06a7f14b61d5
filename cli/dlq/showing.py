"""Dead letters for people and for machines. Pure: no byte of another's reaches a terminal as it is."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import UNSET, Struct, UnsetType

from cli.printable import printable
from schemas.dead_letters import Letter
from schemas.times import iso

LINE_ERROR = 120
DUMP_BYTES = 16
LETTER_COLUMNS = ("offset", "at", "from", "error", "attempts", "state")
QUEUE_COLUMNS = ("queue", "open", "oldest", "newest", "errors")


class QueueLine(Struct, frozen=True):
    """One queue's open letters. `oldest`, `newest`: when they came, ISO 8601; `errors`: how many by error class."""

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
    """A letter with all that is in it. A value null is a tombstone."""

    letter: LetterLine
    key: Bytes | None
    headers: list[tuple[str, Bytes]]
    value: Bytes | None


def queue_line(topic: str, queue: str, letters: Sequence[Letter]) -> QueueLine:
    """What a queue has open."""
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
    """The letter, as JSON has it."""
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
    """The letter with its bytes, as JSON has it."""
    return WholeLetter(
        letter=letter_line(letter),
        key=None if letter.key is None else _bytes(letter.key),
        headers=[(name, _bytes(value)) for name, value in letter.headers],
        value=None if letter.value is None else _bytes(letter.value),
    )


def queue_row(line: QueueLine) -> tuple[str, ...]:
    """Under QUEUE_COLUMNS."""
    errors = ", ".join(f"{printable(name)} {count}" for name, count in line.errors.items())
    return line.queue, str(line.open), line.oldest or "", line.newest or "", errors


def letter_row(letter: Letter) -> tuple[str, ...]:
    """Under LETTER_COLUMNS."""
    line = letter_line(letter)
    place = "" if letter.origin is None else printable(str(letter.origin))
    error = printable(f"{line.error_type}: {line.error}")
    cut = error if len(error) <= LINE_ERROR else error[: LINE_ERROR - 1] + "…"
    return str(line.offset), line.at, place, cut, str(line.attempts), line.state


def text(letter: Letter) -> Iterator[str]:
    """All of a letter in lines for people."""
    line = letter_line(letter)
    yield f"letter     {line.offset}, {line.at}"
    yield f"from       {'not known' if letter.origin is None else printable(str(letter.origin))}"
    if line.original_at is not None:
        yield f"appended   {line.original_at}"
    yield f"error      {printable(line.error_type)}: {printable(line.error)}"
    yield f"attempts   {line.attempts}"
    yield f"state      {_state(line)}"
    yield f"key        {_inline(letter.key)}"
    for name, value in letter.headers:
        yield f"header     {printable(name)}: {_inline(value)}"
    kept = f", the first {len(letter.value or b'')} of them are kept" if letter.is_cut else ""
    if letter.value is None:
        yield "value      none (a tombstone)"
        return
    yield f"value      {line.size} bytes{kept}"
    yield ""
    yield from _contents(letter.value)


def _state(line: LetterLine) -> str:
    if line.closed_at is None:
        return line.state
    reason = f" ({printable(line.reason)})" if line.reason else ""
    return f"{line.state} {printable(line.closed_at)} by {printable(line.closed_by or '')}{reason}"


def _contents(value: bytes) -> Iterator[str]:
    try:
        yield from (printable(line) for line in value.decode().split("\n"))
    except UnicodeDecodeError:
        yield from dump(value)


def dump(value: bytes) -> Iterator[str]:
    """The bytes in hexadecimal, sixteen a line, with where they stand and their ASCII."""
    for at in range(0, len(value), DUMP_BYTES):
        part = value[at : at + DUMP_BYTES]
        signs = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        yield f"{at:08x}  {part.hex(' '):<{3 * DUMP_BYTES - 1}}  {signs}"


def _inline(value: bytes | None) -> str:
    return "none" if value is None else printable(value.decode("utf-8", "surrogateescape"))


def _bytes(value: bytes) -> Bytes:
    try:
        return Bytes(text=value.decode())
    except UnicodeDecodeError:
        return Bytes(b64=base64.b64encode(value).decode())
