"""A log record as one JSON object, one CSV row, or one line of text. Pure."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

from cli.errors import BadArgument
from schemas.headers import CE_TYPE, TYPE
from schemas.log_record import LogRecord
from schemas.times import iso


class Format(str, Enum):  # noqa: UP042  Typer reads the values of a str enumeration
    """How records are written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


CSV_COLUMNS = ("topic", "partition", "offset", "timestamp", "key", "type", "value")
LINE_VALUE = 160


class Shown(Struct, frozen=True):
    """One record as JSON. Bytes that are not UTF-8 or not JSON are in base64 in a field of their own; `value` null is
    a tombstone."""

    topic: str
    partition: int
    offset: int
    timestamp: str
    key: str | None
    headers: dict[str, str]
    value: msgspec.Raw | UnsetType | None = UNSET
    key_b64: str | UnsetType = UNSET
    value_b64: str | UnsetType = UNSET


def shown(record: LogRecord) -> Shown:
    """The record as JSON; a value that is JSON is inserted byte for byte."""
    key, key_b64 = _text(record.key)
    value, value_b64 = _json(record.value)
    return Shown(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=iso(record.timestamp),
        key=key,
        headers={name: value.decode("utf-8", "replace") for name, value in record.headers},
        value=value,
        key_b64=key_b64,
        value_b64=value_b64,
    )


def json_line(record: LogRecord) -> bytes:
    """One line of JSON, with its newline."""
    return msgspec.json.encode(shown(record)) + b"\n"


class LogOutput(Protocol):
    """The parts of a fold's output that are printed (`streams.core.emit.Output` has them)."""

    @property
    def partition(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class ShownOutput(Struct, frozen=True):
    """One output as JSON, with the fields of `Shown` except those that only a published record has."""

    topic: str
    partition: int
    key: str | None
    headers: dict[str, str]
    value: msgspec.Raw | UnsetType | None = UNSET
    key_b64: str | UnsetType = UNSET
    value_b64: str | UnsetType = UNSET


def json_output(topic: str, output: LogOutput) -> bytes:
    """One line of JSON, with its newline; `topic` is the name on the installation."""
    key, key_b64 = _text(output.key)
    value, value_b64 = _json(output.value)
    return (
        msgspec.json.encode(
            ShownOutput(
                topic=topic,
                partition=output.partition,
                key=key,
                headers={name: value.decode("utf-8", "replace") for name, value in output.headers},
                value=value,
                key_b64=key_b64,
                value_b64=value_b64,
            )
        )
        + b"\n"
    )


def csv_line(values: Sequence[str]) -> str:
    """One CSV line (RFC 4180 quoting), with its newline."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()


def csv_row(record: LogRecord) -> tuple[str, ...]:
    """The record under CSV_COLUMNS; the value as JSON text, or base64 where it is not JSON."""
    as_shown = shown(record)
    return (
        as_shown.topic,
        str(as_shown.partition),
        str(as_shown.offset),
        as_shown.timestamp,
        as_shown.key if as_shown.key is not None else _or_empty(as_shown.key_b64),
        kind_of(record),
        _value_text(as_shown),
    )


def line(record: LogRecord) -> str:
    """One line for people: without control characters, shortened to fit."""
    as_shown = shown(record)
    value = _value_text(as_shown)
    cut = value if len(value) <= LINE_VALUE else value[: LINE_VALUE - 1] + "…"
    place = f"{as_shown.partition}:{as_shown.offset}"
    text = f"{as_shown.timestamp}  {place:>9}  {kind_of(record):<18} {as_shown.key or ''}  {cut}"
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def kind_of(record: LogRecord) -> str:
    """The record's type from its headers; empty if they name none."""
    for name, value in record.headers:
        if name in (TYPE, CE_TYPE):
            return value.decode("utf-8", "replace")
    return ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Fields that must have these values. A name is a path with dots into the value; a bare name is also looked
    for one level below. `key` is the record's key."""

    wanted: Mapping[str, str]

    def passes(self, record: LogRecord) -> bool:
        """True when every field has its value; values are compared as text."""
        if not self.wanted:
            return True
        try:
            value = msgspec.json.decode(record.value or b"null")
        except msgspec.DecodeError:
            value = None
        return all(
            want in ({_text(record.key)[0]} if name == "key" else _found(value, name))
            for name, want in self.wanted.items()
        )


def parse_filter(text: str) -> Filter:
    """`root=movies,kind=moved`. Raises BadArgument."""
    wanted: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not (equals and name):
            raise BadArgument("--filter", f"{part!r} is not name=value")
        wanted[name] = value
    return Filter(wanted)


def _found(value: Any, name: str) -> set[str]:
    here = _at(value, name.split("."))
    below = []
    if isinstance(value, dict) and "." not in name:
        below = [_at(inner, [name]) for inner in value.values()]
    return {_plain(found) for found in (here, *below) if found is not UNSET}


def _at(value: Any, path: Sequence[str]) -> Any:
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return UNSET
        value = value[part]
    return value


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _text(raw: bytes | None) -> tuple[str | None, str | UnsetType]:
    if raw is None:
        return None, UNSET
    try:
        return raw.decode(), UNSET
    except UnicodeDecodeError:
        return None, base64.b64encode(raw).decode()


def _json(raw: bytes | None) -> tuple[msgspec.Raw | UnsetType | None, str | UnsetType]:
    if raw is None:
        return None, UNSET
    try:
        decoded = msgspec.json.decode(raw)
        raw.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNSET, base64.b64encode(raw).decode()
    # One record is one line: a value with line breaks (from another tool) is encoded again without them.
    return msgspec.Raw(msgspec.json.encode(decoded) if b"\n" in raw or b"\r" in raw else raw), UNSET


def _value_text(as_shown: Shown) -> str:
    match as_shown.value:
        case None:
            return "null"
        case UnsetType():
            return _or_empty(as_shown.value_b64)
        case raw:
            return bytes(raw).decode()


def _or_empty(text: str | UnsetType) -> str:
    return "" if isinstance(text, UnsetType) else text
