"""What any reader of a record needs: its JSON in a form that PostgreSQL can store, its id, its times. Pure."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from msgspec import Raw

from schemas import headers as h
from schemas import paths
from schemas.codec import encode
from schemas.errors import Undecodable
from schemas.log_record import LogRecord
from schemas.times import iso

_ESCAPES = re.compile(rb"\\\\|\\u0000")


def storable(value: bytes | None) -> bytes | None:
    r"""The JSON with every NUL character replaced by the six characters `\u0000`: PostgreSQL keeps no NUL in
    text or jsonb, and tags inside files have them."""
    if value is None or b"\\u0000" not in value:
        return value
    return _ESCAPES.sub(lambda found: found[0] if found[0] == b"\\\\" else b"\\" + found[0], value)


def place(path: str, path_b64: str | None) -> bytes:
    """The key of a path below its root: BLAKE2b-128 of its exact bytes (paths outgrow a btree's entries).
    Raises Undecodable when `path_b64` is not base64."""
    try:
        exact = paths.from_wire(path, path_b64)
    except ValueError as error:
        raise Undecodable(str(error)) from error
    return hashlib.blake2b(exact.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def time(at: str) -> datetime:
    """Parse a time of a record, to whole milliseconds; a time without a zone is UTC. Raises Undecodable."""
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is not UTC:
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Undecodable(f"not a time: {at[:40]!r}") from error
    beyond = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - beyond) if beyond else moment


def event_time(record: LogRecord) -> datetime:
    """The event's own time; if the record has none, its append time."""
    value = h.find(record.headers, h.CE_TIME)
    return time(iso(record.timestamp) if value is None else value.decode("ascii", "replace"))


def event_id(record: LogRecord) -> UUID:
    """The event's id. Raises Undecodable if it is missing or not a UUID."""
    value = h.find(record.headers, h.CE_ID) or b""
    try:
        return msgspec.convert(value.decode("ascii"), UUID)
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Undecodable(f"{h.CE_ID} is not a UUID: {value[:40]!r}") from error


def dense_number(record: LogRecord) -> int:
    """The record's `x-n`. Raises Undecodable."""
    value = h.find(record.headers, h.X_N) or b""
    if not value.isdigit():
        raise Undecodable(f"{h.X_N} is not a number: {value[:40]!r}")
    return int(value)


def raw(value: bytes | Raw | None) -> Raw:
    """A record's JSON as it was written. Raises Undecodable when a part that was not decoded before is not UTF-8."""
    try:
        str(value or b"", "utf-8")
    except UnicodeDecodeError as error:
        raise Undecodable(str(error)) from error
    return value.copy() if isinstance(value, Raw) else Raw(value or b"")


def part(value: object) -> Raw | None:
    """A part of a record as JSON; None if it is absent."""
    return None if value is None else Raw(encode(value))
