"""Changes to rows: the change itself, and its content about a place, a root, a scan or a gap. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec import Raw, Struct

from schemas.changes import (
    AnalysisRequestChanged,
    Change,
    Created,
    Deleted,
    GapChanged,
    Modified,
    PathChange,
    Renamed,
    RootChanged,
    ScanChanged,
    TreeRenamed,
)
from schemas.codec import Codec
from schemas.log_record import LogRecord
from streams.projector import rows as r
from streams.projector.reading import dense_number, event_id, part, place, raw, storable, time
from streams.projector.rows import Row

_changes: Codec[Change] = Codec(Change)


def change_rows(record: LogRecord) -> list[Row]:
    """The rows of a change: its own, and those derived from it. Raises Undecodable."""
    value = storable(record.value)
    change = _changes.decode(value)
    at = time(change.at)
    return [_logged(record, change, at, raw(value)), *_known_from(record, change, at)]


def _known_from(record: LogRecord, change: Change, at: datetime) -> list[Row]:
    match change:
        case Created(settled=False) | Modified(settled=False):  # still being written, and perhaps never kept
            return []
        case Created() | Modified():
            return [_file(record, change)]
        case Deleted():
            return [_file(record, change, deleted_at=at)]
        case Renamed():
            return [*_left(record, change, change, at), _file(record, change)]
        case TreeRenamed():
            tree = _Directory(root=change.root, path=change.path, path_b64=change.path_b64)
            return [*_left(record, change, tree, at), _file(record, tree)]
        case RootChanged():
            return [_root(record, change, at)]
        case ScanChanged():
            return [_scan(record, change, at)]
        case GapChanged():
            return [_gap(record, change, at)]
        case AnalysisRequestChanged():
            return []


class _Directory(Struct, frozen=True, kw_only=True):
    """What the move of a directory contains about it."""

    root: str
    path: str
    path_b64: str | None = None
    media_id: None = None
    type: str = "dir"
    size: int = 0
    mtime_ns: int = 0
    fingerprint: None = None


def _logged(record: LogRecord, change: Change, at: datetime, json: Raw) -> r.ChangeRow:
    of_path = change if isinstance(change, Created | Modified | Deleted | Renamed) else None
    moved = change if isinstance(change, Renamed | TreeRenamed) else None
    placed = of_path or moved
    return r.ChangeRow(
        event_id=event_id(record),
        library=change.library,
        root=change.root,
        kind=str(change.__struct_config__.tag),
        at=at,
        n=dense_number(record),
        record=json,
        path=placed.path if placed else None,
        path_b64=placed.path_b64 if placed else None,
        from_root=moved.from_root if moved else None,
        from_path=moved.from_path if moved else None,
        from_path_b64=moved.from_path_b64 if moved else None,
        media_id=of_path.media_id if of_path else None,
        scan_id=_scan_id(change),
        type=of_path.type if of_path else None,
        size=of_path.size if of_path else None,
        settled=of_path.settled if of_path else None,
        src_partition=record.partition,
        src_offset=record.offset,
    )


def _scan_id(change: Change) -> int | None:
    match change:
        case Created() | Modified() | Deleted() | Renamed() | ScanChanged():
            return change.scan_id
        case _:
            return None


def _file(record: LogRecord, file: PathChange | _Directory, deleted_at: datetime | None = None) -> r.FileRow:
    return r.FileRow(
        root=file.root,
        place=place(file.path, file.path_b64),
        path=file.path,
        path_b64=file.path_b64 or "",
        media_id=file.media_id,
        type=file.type,
        size=file.size,
        mtime_ns=file.mtime_ns,
        fingerprint=file.fingerprint,
        deleted_at=deleted_at,
        src_partition=record.partition,
        src_offset=record.offset,
    )


def _left(
    record: LogRecord, moved: Renamed | TreeRenamed, file: PathChange | _Directory, at: datetime
) -> list[r.FileRow]:
    """The row of the place that a move left, unless what was published there last stays."""
    if moved.from_taken:
        return []
    left = r.FileRow(
        root=moved.from_root,
        place=place(moved.from_path, moved.from_path_b64),
        path=moved.from_path,
        path_b64=moved.from_path_b64 or "",
        media_id=file.media_id,
        type=file.type,
        size=file.size,
        mtime_ns=file.mtime_ns,
        fingerprint=file.fingerprint,
        deleted_at=at,
        src_partition=record.partition,
        src_offset=record.offset,
    )
    return [left]


def _root(record: LogRecord, change: RootChanged, at: datetime) -> Row:
    if change.state == "declared":
        return r.RootDeclaredRow(
            root=change.root,
            library=change.library,
            site=change.site or "",
            protocol=change.protocol or "local",
            location=change.location or "",
            state=change.state,
            cause=change.cause,
            epoch=change.epoch,
            changed_at=at,
            src_partition=record.partition,
            src_offset=record.offset,
        )
    return r.RootStateRow(
        root=change.root,
        library=change.library,
        state=change.state,
        cause=change.cause,
        epoch=change.epoch,
        changed_at=at,
        src_partition=record.partition,
        src_offset=record.offset,
    )


def _scan(record: LogRecord, change: ScanChanged, at: datetime) -> Row:
    if change.state == "started":
        return r.ScanStartedRow(
            scan_id=change.scan_id,
            library=change.library,
            root=change.root,
            state=change.state,
            origin=change.origin,
            cause=change.cause,
            subtree=change.subtree,
            started_at=at,
            src_partition=record.partition,
            src_offset=record.offset,
        )
    return r.ScanEndedRow(
        scan_id=change.scan_id,
        library=change.library,
        root=change.root,
        state=change.state,
        origin=change.origin,
        cause=change.cause,
        subtree=change.subtree,
        total=change.total,
        counts=part(change.counts),
        ended_at=at,
        src_partition=record.partition,
        src_offset=record.offset,
    )


def _gap(record: LogRecord, change: GapChanged, at: datetime) -> Row:
    if change.state == "open":
        return r.GapOpenedRow(
            library=change.library,
            root=change.root,
            subtree=change.subtree,
            cause=change.cause,
            first_seq=change.first_seq,
            last_seq=change.last_seq,
            opened_at=at,
            src_partition=record.partition,
            src_offset=record.offset,
        )
    return r.GapClosedRow(
        root=change.root,
        cause=change.cause,
        subtree=change.subtree,
        closed_at=at,
        counts=part(change.counts),
        src_partition=record.partition,
        src_offset=record.offset,
    )
