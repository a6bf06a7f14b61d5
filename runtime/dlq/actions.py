"""What can be done about a dead letter. Pure.

A record is written back to its topic and partition, byte for byte. A record of the change log is not: later sequence numbers
have been processed, and the fold has already counted its time. A scan of its root observes the same facts again, provided
that the root can be read from the record's bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from schemas.dead_letters import Letter, Origin
from schemas.topics import RAW, Topic


@dataclass(frozen=True, slots=True)
class WriteBack:
    """The record is written to the topic and partition that it came from."""

    letter: Letter
    origin: Origin


@dataclass(frozen=True, slots=True)
class RequestScan:
    """A scan of the root is requested that publishes everything in it again."""

    letter: Letter
    root: str


@dataclass(frozen=True, slots=True)
class NoAction:
    """Nothing can be done, or nothing is left to do. `is_settled`: the letter needs no further action."""

    letter: Letter
    why: str
    is_settled: bool = False


Action = WriteBack | RequestScan | NoAction

_CLOSED_REASONS = {
    "redriven": "was redriven already",
    "rescan_asked": "a scan was requested already",
    "discarded": "was discarded already",
}


_AGAIN = {
    "result": "the result of an analysis: `catalogizer analysis request {root}` requests another one",
    "root_retired": "that root {root} is retired is no observation: `catalogizer roots retire` records it again",
    "analysis_requested": "a request is no observation: `catalogizer analysis request {root}` makes it again",
}
"""For kinds of records that no scan can restore: the command that does, by kind."""


def settled(letter: Letter) -> NoAction | None:
    """Why the letter needs no action any more; None if it may be redriven. Discarded letters may be redriven."""
    if letter.closed is None or letter.closed.how == "discarded":
        return None
    return already_closed(letter)


def already_closed(letter: Letter) -> NoAction:
    """The result for a letter that is closed already."""
    how = "" if letter.closed is None else _CLOSED_REASONS[letter.closed.how]
    return NoAction(letter, how, is_settled=True)


def action_of(letter: Letter, topic: Topic, name: str, partitions: int) -> Action:
    """What redriving a letter means; the letter includes its value. `topic`, `name`: the topic that the queue belongs to, as
    declared and on this installation; `partitions`: how many it has."""
    if topic.name == RAW.name:
        return _scan(letter)
    origin = letter.origin
    if origin is None:
        return NoAction(letter, "where it came from is not known: it is no dead letter of this program")
    if origin.topic != name or not 0 <= origin.partition < partitions:
        return NoAction(letter, f"{origin.topic}:{origin.partition} is no place of {name}")
    if letter.is_cut:
        kept = len(letter.value or b"")
        return NoAction(letter, f"only the first {kept} of its {letter.size} bytes are kept")
    return WriteBack(letter, origin)


def _scan(letter: Letter) -> RequestScan | NoAction:
    try:
        found = msgspec.json.decode(letter.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return NoAction(letter, "its bytes name no root: no scan can be requested")
    kind, root = found.get("kind"), found.get("root")
    if not isinstance(root, str) or not root:
        return NoAction(letter, "its bytes name no root: no scan can be requested")
    again = _AGAIN.get(kind) if isinstance(kind, str) else None
    return RequestScan(letter, root) if again is None else NoAction(letter, again.format(root=root))
