"""Dead letters as text for people. Pure. Contents are escaped before they reach a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from cli.printable import printable
from runtime.dlq.lines import LetterLine, QueueLine, letter_line
from schemas.dead_letters import Letter

LINE_ERROR = 120
DUMP_BYTES = 16
LETTER_COLUMNS = ("offset", "at", "from", "error", "attempts", "state")
QUEUE_COLUMNS = ("queue", "open", "oldest", "newest", "errors")


def queue_row(line: QueueLine) -> tuple[str, ...]:
    """A row for QUEUE_COLUMNS."""
    errors = ", ".join(f"{printable(name)} {count}" for name, count in line.errors.items())
    return line.queue, str(line.open), line.oldest or "", line.newest or "", errors


def letter_row(letter: Letter) -> tuple[str, ...]:
    """A row for LETTER_COLUMNS."""
    line = letter_line(letter)
    place = "" if letter.origin is None else printable(str(letter.origin))
    error = printable(f"{line.error_type}: {line.error}")
    cut = error if len(error) <= LINE_ERROR else error[: LINE_ERROR - 1] + "…"
    return str(line.offset), line.at, place, cut, str(line.attempts), line.state


def text(letter: Letter) -> Iterator[str]:
    """A whole letter as lines for people."""
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
    """A hex dump: sixteen bytes a line, with their offset and ASCII text."""
    for at in range(0, len(value), DUMP_BYTES):
        part = value[at : at + DUMP_BYTES]
        signs = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        yield f"{at:08x}  {part.hex(' '):<{3 * DUMP_BYTES - 1}}  {signs}"


def _inline(value: bytes | None) -> str:
    return "none" if value is None else printable(value.decode("utf-8", "surrogateescape"))
