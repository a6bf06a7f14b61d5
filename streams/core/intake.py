"""What may enter the fold: bytes of the change log that are a record, of a known version, with sound paths.

Anything else raises before the fold has seen it, and becomes a dead letter.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.codec import raw_codec
from schemas.errors import Undecodable
from schemas.headers import check_version
from schemas.paths import from_wire, is_inside
from schemas.raw import Fingerprint, GapClosed, GapOpen, Moved, Observed, RawRecord, ScanFinished, ScanStarted

MAX_RAW_BYTES = 65_536
"""A longer record is refused, so that outputs stay below `emit.MAX_OUTPUT_BYTES`."""


def read(value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> RawRecord:
    """Decode a record of the change log. Raises SchemaError (Undecodable, UnknownVersion)."""
    if value is not None and len(value) > MAX_RAW_BYTES:
        raise Undecodable(f"{len(value)} bytes, more than {MAX_RAW_BYTES}")
    if headers:
        check_version(headers)
    record = raw_codec.decode(value)
    match record:
        case Moved():
            path = _path(record.path, record.path_b64)
            source = _path(record.from_path, record.from_path_b64)
            if path != source and (is_inside(path, source) or is_inside(source, path)):
                raise Undecodable("a path cannot move into or out of itself")
        case Observed() | Fingerprint():
            _path(record.path, record.path_b64)
        case GapOpen() | GapClosed() | ScanStarted() | ScanFinished():
            if record.subtree or record.subtree_b64 is not None:
                _path(record.subtree, record.subtree_b64)
        case _:
            pass
    return record


def _path(display: str, b64: str | None) -> str:
    try:
        path = from_wire(display, b64)
    except ValueError as error:
        raise Undecodable(str(error)) from error
    parts = f"/{path}/"
    if "//" in parts or "/./" in parts or "/../" in parts or "\0" in path:
        raise Undecodable(f"not a path relative to a root: {path!r}")
    return path
