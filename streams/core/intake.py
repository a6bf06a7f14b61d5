"""What may enter the fold: bytes of the change log that are a record of a known version with valid paths.

Anything else raises before the fold has seen it, and becomes a dead letter. Paths are decoded here and nowhere
else: in the record that is returned, `path` is the path itself (`schemas.paths`) and the fields with base64 are empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from schemas.codec import raw_codec
from schemas.errors import Undecodable
from schemas.headers import check_version
from schemas.paths import from_wire, is_inside
from schemas.raw import (
    AnalysisRequested,
    Corrected,
    Fingerprint,
    GapClosed,
    GapOpen,
    Moved,
    Observed,
    RawRecord,
    ScanFinished,
    ScanStarted,
    Unseen,
)
from streams.core.rules import Rules


def read(rules: Rules, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> RawRecord:
    """Decode a record of the change log. Raises SchemaError (Undecodable, UnknownVersion)."""
    if value is not None and len(value) > rules.raw_cap_bytes:
        raise Undecodable(f"{len(value)} bytes, more than {rules.raw_cap_bytes}")
    if headers:
        check_version(headers)
    record = _with_paths(raw_codec.decode(value), _sound)
    if isinstance(record, Corrected) and not rules.evidence:
        raise Undecodable("a correction, which the rules of this log do not know yet")
    if isinstance(record, Moved) and record.path != record.from_path:
        path, source = record.path, record.from_path
        if is_inside(path, source) or is_inside(source, path):
            raise Undecodable("a path cannot move into or out of itself")
    return record


def decoded(record: RawRecord) -> RawRecord:
    """A record that was validated before, with its paths decoded. Raises Undecodable for invalid base64."""
    return _with_paths(record, _path)


def _with_paths(record: RawRecord, path: Callable[[str, str | None], str]) -> RawRecord:
    match record:
        case Observed() | Fingerprint() | Corrected():
            at = path(record.path, record.path_b64)
            return record if record.path_b64 is None else replace(record, path=at, path_b64=None)
        case Moved():
            at, source = path(record.path, record.path_b64), path(record.from_path, record.from_path_b64)
            if record.path_b64 is record.from_path_b64 is None:
                return record
            return replace(record, path=at, from_path=source, path_b64=None, from_path_b64=None)
        case GapOpen() | GapClosed() | ScanStarted() | ScanFinished() | AnalysisRequested():
            if record.subtree or record.subtree_b64 is not None:
                record = replace(record, subtree=path(record.subtree, record.subtree_b64), subtree_b64=None)
            if isinstance(record, ScanFinished) and record.unseen:
                record = replace(record, unseen=tuple(Unseen(_path(u.path, u.path_b64)) for u in record.unseen))
            return record
        case _:
            return record


def _path(display: str, b64: str | None) -> str:
    try:
        return from_wire(display, b64)
    except ValueError as error:
        raise Undecodable(str(error)) from error


def _sound(display: str, b64: str | None) -> str:
    path = display if b64 is None else _path(display, b64)
    parts = f"/{path}/"
    if "//" in parts or "/./" in parts or "/../" in parts or "\0" in path:
        raise Undecodable(f"not a path relative to a root: {path!r}")
    return path
