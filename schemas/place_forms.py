"""How places in a log are written: as text by commands and tools, as JSON by clients, as either in addresses. Pure.

`TABLE` is the vocabulary for people; documents are generated from it. There are only the three parsers below. For any
input they return a place or raise BadPlace, which contains what is wrong and what is accepted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from schemas.errors import BadPlace
from schemas.ids import MAX_SAFE
from schemas.places import At, AtEach, AtTime, ClientPlace, Earliest, Head, Last, Offset, Place
from schemas.times import Millis, parse_iso

MAX_LAST = 10_000
"""How many of the newest records a client may request; a command may request any number."""
MAX_PARTITIONS = 1_024
MAX_TIME = Millis(253_402_300_800_000)
"""The end of the year 9999: later times cannot be written as ISO 8601."""


class Form(NamedTuple):
    """One row of the vocabulary: how commands write a place, how clients write it in `from` and in `until` (empty: not
    accepted there), and what it means."""

    text: str
    json_from: str
    json_until: str
    meaning: str


TABLE: tuple[Form, ...] = (
    Form("", "absent, `\"live\"`", "", "now"),
    Form("`earliest`", '`"earliest"`', "", "the oldest record kept"),
    Form("`latest`, `head`", "", '`"head"`', "where the log ends when it is asked for"),
    Form("`120`", "", "", "that offset, in every partition"),
    Form(
        "`0:120,3:7`", '`{"offsets":{"0":120}}`', '`{"offsets":{"0":120}}`',
        "partition and offset, each the next one wanted",
    ),
    Form(
        "`2026-11-24T10:30:00Z`", '`{"time":T}`', '`{"time":T}`',
        "the first record appended at that time or later: ISO 8601, without a zone UTC",
    ),
    Form("`last:20`", '`{"last":20}`', "", "the newest so many records over all partitions"),
    Form("", '`{"cursor":"…"}`', "", "where the client was"),
)  # fmt: skip

WORDS = "earliest, latest, head, an offset, partition:offset pairs (0:120,3:7), an ISO 8601 time, or last:N"
TIME = "ISO 8601 or milliseconds since 1970"


# -- as text ---------------------------------------------------------------------------------------------------


def parse(text: str) -> Place:
    """Read a place as commands and tools write it. Raises BadPlace."""
    match text:
        case "earliest":
            return Earliest()
        case "latest" | "head":
            return Head()
    if (number := _number(text)) is not None:
        return At(Offset(number))
    word, colon, rest = text.partition(":")
    if word == "last" and colon:
        return Last(_count(rest, text))
    if (pairs := _pairs(text)) is not None:
        return AtEach(pairs)
    return AtTime(parse_time(text))


def parse_time(text: str) -> Millis:
    """Read a time: ISO 8601, without a zone UTC, from 1970 on. Raises BadPlace."""
    try:
        at = parse_iso(text)
    except (ValueError, OverflowError):
        raise BadPlace(f"{_shown(text)} is no place in a log", WORDS) from None
    if not 0 <= at < MAX_TIME:
        raise BadPlace(f"{_shown(text)} is before 1970, when no log began", WORDS)
    return at


def _count(text: str, whole: str) -> int:
    count = _number(text)
    if not count:
        raise BadPlace(f"{_shown(whole)} is no place in a log", WORDS)
    return count


def _pairs(text: str) -> dict[int, Offset] | None:
    pairs: dict[int, Offset] = {}
    for part in text.split(","):
        left, _, right = part.partition(":")
        partition, offset = _number(left), _number(right)
        if partition is None or offset is None:
            return None
        if partition in pairs:
            raise BadPlace(f"partition {partition} is named twice", WORDS)
        pairs[partition] = Offset(offset)
    return pairs


def _number(text: str) -> int | None:
    """A whole number from 0 to below 2^53, the range that every JSON parser represents exactly."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        return None
    number = int(text)
    return number if number < MAX_SAFE else None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")


# -- in an address ---------------------------------------------------------------------------------------------


def read_query(text: str, grammar: Grammar) -> ClientPlace | Own:
    """Read a place from a query parameter of a URL: a word of the grammar; `last:20`; if it begins with a digit, a time
    (ISO 8601, or milliseconds since 1970) or offsets (`0:120,3:7`); the JSON of a message's member; else the text of a
    cursor (no cursor begins with a digit or `{`). Raises BadPlace."""
    if text in grammar.words:
        return grammar.words[text]
    if text.startswith("{"):
        return read_json(_json(text, grammar), grammar)
    if text[:1].isdigit():
        number, pairs = _number(text), _pairs(text) if ":" in text and "-" not in text else None
        key, value = ("offsets", dict(_texts(pairs))) if pairs else ("time", text if number is None else number)
        return read_json({key: value}, grammar)
    if text.startswith("last:"):
        return read_json({"last": _number(text[5:])}, grammar)
    return read_json({"cursor": text}, grammar)


def _json(text: str, grammar: Grammar) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadPlace(grammar.allowed) from None


def _texts(pairs: Mapping[int, Offset]) -> Iterator[tuple[str, int]]:
    return ((str(partition), offset) for partition, offset in pairs.items())


# -- as JSON ---------------------------------------------------------------------------------------------------


_VALUES = {"last": "n", "time": "…", "offsets": "{…}", "cursor": '"…"'}


@dataclass(frozen=True, slots=True)
class Grammar:
    """Which forms a member of a message may have: `words` that stand for places, the `keys` of an object that names a
    place, and the caller's `own` keys, whose value the caller reads."""

    words: Mapping[str, ClientPlace]
    keys: tuple[str, ...]
    own: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What is accepted, as text."""
        objects = [f'{{"{key}":{_VALUES[key]}}}' for key in (*self.keys, *self.own)]
        forms = [f'"{word}"' for word in self.words] + objects
        return f"one of {', '.join(forms[:-1])} or {forms[-1]}"


FROM = Grammar({"live": Head(), "earliest": Earliest()}, ("last", "time", "offsets"), own=("cursor",))
UNTIL = Grammar({"head": Head()}, ("time", "offsets"))


class Own(NamedTuple):
    """A key of the caller's own, and its value as received."""

    key: str
    value: object


def read_json(value: object, grammar: Grammar) -> ClientPlace | Own:
    """Read a place as clients write it: any decoded JSON value. Raises BadPlace."""
    if isinstance(value, str) and value in grammar.words:
        return grammar.words[value]
    if not isinstance(value, dict) or not value:
        raise BadPlace(grammar.allowed)
    keys = list(value)
    if strange := [key for key in keys if key not in grammar.keys and key not in grammar.own]:
        raise BadPlace(f"{_shown(str(strange[0]))} is unknown", grammar.allowed)
    if len(keys) > 1:
        raise BadPlace(f"{' and '.join(map(repr, keys))} name two places", grammar.allowed)
    return _from_object(keys[0], value[keys[0]])


def _from_object(key: str, value: object) -> ClientPlace | Own:
    match key:
        case "last":
            return Last(_json_count(value))
        case "time":
            return AtTime(_json_time(value))
        case "offsets":
            return AtEach(_json_offsets(value))
        case _:
            return Own(key, value)


def _whole(value: object, below: int) -> int | None:
    """A whole number from 0 to before `below`; JSON's true and 1.0 are not whole numbers here."""
    return value if type(value) is int and 0 <= value < below else None


def _json_count(value: object) -> int:
    count = _whole(value, MAX_LAST + 1)
    if not count:
        raise BadPlace(f"1 to {MAX_LAST}", at=".last")
    return count


def _json_time(value: object) -> Millis:
    if isinstance(value, str):
        try:
            return parse_time(value)
        except BadPlace:
            raise BadPlace(TIME, at=".time") from None
    at = _whole(value, MAX_TIME)
    if at is None:
        raise BadPlace(TIME, at=".time")
    return Millis(at)


def _json_offsets(value: object) -> dict[int, Offset]:
    if not isinstance(value, dict) or not 1 <= len(value) <= MAX_PARTITIONS:
        raise BadPlace("an object of partition to next offset", at=".offsets")
    found: dict[int, Offset] = {}
    for key, wanted in value.items():
        partition, offset = _number(key), _whole(wanted, MAX_SAFE)
        if partition is None or len(key) > 6:
            raise BadPlace(f"{_shown(key)} is not a partition", at=".offsets")
        if partition in found:
            raise BadPlace(f"partition {partition} is named twice", at=".offsets")
        if offset is None:
            raise BadPlace("an offset is a whole number from 0 to below 2^53", at=f".offsets.{partition}")
        found[partition] = Offset(offset)
    return found
