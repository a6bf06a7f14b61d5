"""A change as one line for people, and as one JSON object. Pure.

The object is the change as it is in the log, with its partition and offset; the line shows when, what, where, from where,
the item and why.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from cli.printable import printable
from schemas.changes import (
    AnalysisRequestChanged,
    Change,
    Created,
    Deleted,
    GapChanged,
    Modified,
    Renamed,
    RootChanged,
    ScanChanged,
    TreeRenamed,
)
from schemas.log_record import LogRecord
from schemas.paths import from_wire


def change_object(record: LogRecord, change: Change) -> dict[str, object]:
    """The change with `partition` and `offset`."""
    fields: dict[str, object] = msgspec.to_builtins(change)
    return fields | {"partition": record.partition, "offset": record.offset}


def change_line(change: Change) -> str:
    """One line."""
    return printable(f"{change.at}  {change.__struct_config__.tag!s:<12} {_what(change)}")


def _what(change: Change) -> str:
    match change:
        case Created() | Modified() | Deleted():
            return f"{change.root}/{from_wire(change.path, change.path_b64)}{_size(change)}{_of(change)}"
        case Renamed():
            source = f"{change.from_root}/{from_wire(change.from_path, change.from_path_b64)}"
            return f"{change.root}/{from_wire(change.path, change.path_b64)}  from {source}{_of(change)}"
        case TreeRenamed():
            source = f"{change.from_root}/{from_wire(change.from_path, change.from_path_b64)}"
            place = f"{change.root}/{from_wire(change.path, change.path_b64)}"
            return f"{place}  from {source}  {change.count} below it  cause {change.cause}"
        case RootChanged():
            return f"{change.root}  {change.state}{_cause(change.cause)}"
        case ScanChanged():
            below = f" of {change.subtree}" if change.subtree else ""
            return f"{change.root}  scan {change.scan_id}{below} {change.state} ({change.origin}){_cause(change.cause)}"
        case GapChanged():
            below = f" below {change.subtree}" if change.subtree else ""
            return f"{change.root}  {change.state}{below}{_cause(change.cause)}"
        case AnalysisRequestChanged():
            below = f" below {change.subtree}" if change.subtree else ""
            counts = f"{change.processed} of {change.matched} analysed, {change.failed} failed"
            return f"{change.root}  request {change.request}{below} {change.state} ({change.reason})  {counts}"
        case _:
            assert_never(change)


def _size(change: Created | Modified | Deleted) -> str:
    return "" if change.type == "dir" else f"  {change.size} bytes"


def _of(change: Created | Modified | Deleted | Renamed) -> str:
    item = "" if change.media_id is None else f"  media {change.media_id}"
    scan = "" if change.scan_id is None else f"  scan {change.scan_id}"
    unsettled = "" if change.settled else "  still being written"
    return f"{item}{scan}{_cause(change.cause)}{unsettled}"


def _cause(cause: str | None) -> str:
    return f"  cause {cause}" if cause else ""
