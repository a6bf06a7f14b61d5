"""Orders of a search, and cursors: where in an order a page ended. Pure.

A cursor names the last item by the values that the order uses and by its id, so the next page is found whatever was added,
deleted or moved meanwhile. It grants nothing: rights and filters are applied anew. It is valid only for the search that it
came from.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, LiteralString

import msgspec
from msgspec import Struct
from psycopg import sql

from gateway.errors import GatewayError
from gateway.tables.wanted import Search, SortBy

Value = int | float | str | datetime | None
Way = Literal["plain", "ranked", "beginning", "others"]
"""`plain`: by `sort_by`. By relevance: `ranked`, if few items match; `beginning` and then `others` if many do."""


class BadCursor(GatewayError):
    """A cursor that is not one of ours, or of another search."""


@dataclass(frozen=True, slots=True)
class Key:
    """The first, second, … key of an order: an expression over `m`. `last`: unknown values come last."""

    of: LiteralString
    type: LiteralString
    descending: bool = False
    last: bool = False
    using: LiteralString = ""

    @property
    def ordered(self) -> LiteralString:
        """For ORDER BY."""
        way: LiteralString = self.using or (" DESC" if self.descending else " ASC")
        return self.of + way + (" NULLS LAST" if self.last else "")


ID = Key("m.id", "bigint")
_UPDATED = Key("m.updated_at", "timestamptz", descending=True)
_SORT: Mapping[SortBy, tuple[LiteralString, LiteralString, bool]] = {
    "updated_at": ("m.updated_at", "timestamptz", False),
    "created_at": ("m.created_at", "timestamptz", False),
    "title": ("left(lower(m.title), 200)", "text", False),
    "year": ("m.year", "integer", True),
    "rating": ("m.rating", "double precision", True),
    "file_size": ("m.file_size", "bigint", False),
}
"""Expression, type, and whether it may be unknown: as in the indexes of `schemas/sql`. NULLS LAST on a column without
unknown values would prevent the use of an index."""
BEGINNING: LiteralString = "left(m.title_words, 100)"


def keys_of(way: Way, wanted: Search) -> tuple[Key, ...]:
    """The order of a page; `h.rank` is a column of the caller's query."""
    match way:
        case "ranked":
            return (Key("h.rank", "integer"), _UPDATED, ID)
        case "beginning":
            return (Key(BEGINNING, "text", using=" USING ~<~"), ID)
        case "others":
            return (_UPDATED, ID)
        case "plain":
            by: SortBy = "updated_at" if wanted.sort_by == "relevance" else wanted.sort_by
            of, type_, last = _SORT[by]
            return (Key(of, type_, wanted.sort_order == "desc" or wanted.sort_by == "relevance", last), ID)


def ordered(keys: Sequence[Key]) -> sql.Composed:
    """ORDER BY."""
    return sql.SQL(" ORDER BY ") + sql.SQL(", ").join([sql.SQL(key.ordered) for key in keys])


def after(keys: Sequence[Key], values: Sequence[Value]) -> tuple[sql.Composed, dict[str, Value]]:
    """Rows after these values, for WHERE. A condition on the first key alone comes first: an index scan can begin there."""
    clause: sql.Composable = sql.SQL("false")
    for n in reversed(range(len(keys))):
        beyond, same = _beyond(keys[n], n, values[n]), _same(keys[n], n, values[n])
        clause = sql.SQL("({} OR ({} AND {}))").format(beyond, same, clause)
    bound: sql.Composable = sql.SQL("true")
    if values[0] is not None and not keys[0].last:
        bound = sql.SQL(keys[0].of + _sign(keys[0]) + "=" + _tail(keys[0])) + _value(keys[0], 0)
    return sql.SQL("{} AND {}").format(bound, clause), {f"after_{n}": value for n, value in enumerate(values)}


def _sign(key: Key) -> LiteralString:
    if key.using:
        return " ~>"
    return " <" if key.descending else " >"


def _tail(key: Key) -> LiteralString:
    return "~ " if key.using else " "


def _beyond(key: Key, n: int, value: Value) -> sql.Composable:
    if value is None:
        return sql.SQL("false")
    beyond = sql.SQL(key.of + _sign(key) + _tail(key)) + _value(key, n)
    return sql.SQL("({} OR {} IS NULL)").format(beyond, sql.SQL(key.of)) if key.last else beyond


def _same(key: Key, n: int, value: Value) -> sql.Composable:
    if value is None:
        return sql.SQL(key.of + " IS NULL")
    return sql.SQL(key.of + " = ") + _value(key, n)


def _value(key: Key, n: int) -> sql.Composed:
    return sql.SQL("{}::" + key.type).format(sql.Placeholder(f"after_{n}"))


class _Written(Struct, frozen=True, array_like=True):
    way: Way
    near: bool
    search: str
    values: tuple[int | float | str | None, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended. `near`: near words were accepted too."""

    way: Way
    near: bool
    values: tuple[Value, ...]

    def text(self, wanted: Search) -> str:
        """In the form that clients send back."""
        values = tuple(v.astimezone(UTC).isoformat() if isinstance(v, datetime) else v for v in self.values)
        written = msgspec.json.encode(_Written(self.way, self.near, _search(wanted), values))
        return base64.urlsafe_b64encode(written).decode().rstrip("=")


def cursor_of(wanted: Search) -> Cursor | None:
    """The cursor of a request. Raises BadCursor."""
    if wanted.cursor is None:
        return None
    try:
        text = wanted.cursor.encode("ascii")
        written = msgspec.json.decode(base64.b64decode(text + b"=" * (-len(text) % 4), b"-_", True), type=_Written)
        keys = keys_of(written.way, wanted)
        if written.search != _search(wanted) or len(written.values) != len(keys):
            raise BadCursor("of another search")
        values = tuple(_read(key, value) for key, value in zip(keys, written.values, strict=True))
    except (ValueError, OverflowError, binascii.Error, msgspec.MsgspecError) as error:
        raise BadCursor("not one of ours") from error
    return Cursor(written.way, written.near, values)


def _read(key: Key, value: int | float | str | None) -> Value:
    match key.type, value:
        case _, None if key.last:
            return None
        case "timestamptz", str(text):
            at = datetime.fromisoformat(text)
            if at.tzinfo is None:
                raise ValueError(text)
            return at
        case "text", str(text) if "\0" not in text:
            return text
        case "integer", int() if abs(value) < 2**31:
            return value
        case "bigint", int() if abs(value) < 2**63:
            return value
        case "double precision", int() | float():
            return float(value)
        case _:
            raise ValueError(value)


def _search(wanted: Search) -> str:
    """A digest of everything that decides which items are found and in what order."""
    parameters = wanted.model_dump_json(exclude={"limit", "offset", "cursor", "facets"})
    return hashlib.blake2b(parameters.encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()
