"""What can be done about a dead letter. Pure.

A record goes back to where it came from, byte for byte. One of the change log does not: its sequence number has passed, and
the fold has counted its time. What it said is found again by a scan of the root that it was about, as far as its bytes tell
which that is.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from schemas.dead_letters import Letter, Origin
from schemas.topics import RAW, Topic


@dataclass(frozen=True, slots=True)
class WriteBack:
    """The record goes to the topic and partition that it came from."""

    letter: Letter
    origin: Origin


@dataclass(frozen=True, slots=True)
class AskScan:
    """A scan of a root is asked for that tells everything in it again."""

    letter: Letter
    root: str


@dataclass(frozen=True, slots=True)
class NoDeed:
    """Nothing can be done, or nothing is left to do. `is_settled`: the letter needs nothing any more."""

    letter: Letter
    why: str
    is_settled: bool = False


Deed = WriteBack | AskScan | NoDeed

_WORDS = {
    "redriven": "was redriven already",
    "rescan_asked": "a scan was asked for already",
    "discarded": "was discarded already",
}


_AGAIN = {
    "result": "the result of an analysis: `catalogizer analysis request {root}` asks for another one",
    "root_retired": "that root {root} is retired is no observation: `catalogizer roots retire` records it again",
    "analysis_requested": "a request is no observation: `catalogizer analysis request {root}` makes it again",
}
"""By the kind of a record that no scan finds again: what does."""


def settled(letter: Letter) -> NoDeed | None:
    """Why the letter needs nothing any more; None where it may be redriven, as what was discarded may be."""
    if letter.closed is None or letter.closed.how == "discarded":
        return None
    return settled_word(letter)


def settled_word(letter: Letter) -> NoDeed:
    """That a closed letter is closed."""
    how = "" if letter.closed is None else _WORDS[letter.closed.how]
    return NoDeed(letter, how, is_settled=True)


def deed(letter: Letter, topic: Topic, name: str, partitions: int) -> Deed:
    """What redriving a letter with its value means. `topic`, `name`: whose queue it is, here and on the installation;
    `partitions`: how many it has."""
    if topic.name == RAW.name:
        return _scan(letter)
    origin = letter.origin
    if origin is None:
        return NoDeed(letter, "where it came from is not known: it is no dead letter of this program")
    if origin.topic != name or not 0 <= origin.partition < partitions:
        return NoDeed(letter, f"{origin.topic}:{origin.partition} is no place of {name}")
    if letter.is_cut:
        kept = len(letter.value or b"")
        return NoDeed(letter, f"only the first {kept} of its {letter.size} bytes are kept")
    return WriteBack(letter, origin)


def _scan(letter: Letter) -> AskScan | NoDeed:
    try:
        found = msgspec.json.decode(letter.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return NoDeed(letter, "its bytes tell no root: no scan can be asked for")
    kind, root = found.get("kind"), found.get("root")
    if not isinstance(root, str) or not root:
        return NoDeed(letter, "its bytes tell no root: no scan can be asked for")
    again = _AGAIN.get(kind) if isinstance(kind, str) else None
    return AskScan(letter, root) if again is None else NoDeed(letter, again.format(root=root))
