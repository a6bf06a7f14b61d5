"""Records to rows. Pure: one record of the log gives the rows that say the same, wherever and whenever it is read.

It knows what records mean and nothing about what the database holds already: order, repetition and age are
the business of the rows' laws.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from schemas import headers as h
from schemas import paths, topics
from schemas.analysis import Cover
from schemas.changes import (
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
from schemas.codec import Codec, encode
from schemas.errors import Undecodable
from schemas.media import Action, Analysis, AnalysisComplete, GoneItem, MediaItem
from schemas.system import SystemUpdate
from schemas.times import iso, parse_iso
from schemas.topics import Topic
from streams.projector import rows as r
from streams.projector.rows import Row

TOPICS: tuple[Topic, ...] = (
    topics.CHANGES,
    topics.MEDIA_UPDATES,
    topics.ANALYSIS_UPDATES,
    topics.COVERS,
    topics.SYSTEM_UPDATES,
)
"""What the projector reads."""


class LogRecord(Protocol):
    """What is needed of a record (aiokafka's ConsumerRecord has it). `timestamp`: append time, ms."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class _MediaUpdate(Struct, frozen=True, kw_only=True):
    """A media update whose item is decoded by what happened to it, and kept as it was written."""

    action: Action
    media_id: int
    media: msgspec.Raw
    analysis_id: str | UnsetType = UNSET


_changes: Codec[Change] = Codec(Change)
_updates: Codec[_MediaUpdate] = Codec(_MediaUpdate)
_items: Codec[MediaItem] = Codec(MediaItem)
_gone: Codec[GoneItem] = Codec(GoneItem)
_analyses: Codec[AnalysisComplete] = Codec(AnalysisComplete)
_covers: Codec[Cover] = Codec(Cover)
_system: Codec[SystemUpdate] = Codec(SystemUpdate)


def rows_of(topic: Topic, record: LogRecord) -> list[Row]:
    """The rows that a record of `topic` (one of TOPICS) stands for; none where it tells the database nothing.
    Raises SchemaError for a record that is not one of the topic's."""
    h.check_version(record.headers)
    return _READERS[topic.name](record)


def _change_rows(record: LogRecord) -> list[Row]:
    value = storable(record.value)
    change = _changes.decode(value)
    at = _time(change.at)
    return [_logged(record, change, at, _text(value)), *_known_from(record, change, at)]


def _known_from(record: LogRecord, change: Change, at: datetime) -> list[Row]:
    match change:
        case Created() | Modified():
            return [_file(record, change)]
        case Deleted():
            return [_file(record, change, deleted_at=at)]
        case Renamed():
            return [_left(record, change, change, at), _file(record, change)]
        case TreeRenamed():
            tree = _Directory(root=change.root, path=change.path, path_b64=change.path_b64)
            return [_left(record, change, tree, at), _file(record, tree)]
        case RootChanged():
            return [_root(record, change, at)]
        case ScanChanged():
            return [_scan(record, change, at)]
        case GapChanged():
            return [_gap(record, change, at)]


class _Directory(Struct, frozen=True, kw_only=True):
    """A directory as far as its move tells."""

    root: str
    path: str
    path_b64: str | None = None
    media_id: None = None
    type: str = "dir"
    size: int = 0
    mtime_ns: int = 0
    fingerprint: None = None


def _logged(record: LogRecord, change: Change, at: datetime, text: str) -> r.ChangeRow:
    on_path = isinstance(change, PathChange)
    moved = change if isinstance(change, Renamed | TreeRenamed) else None
    at_path = change if isinstance(change, PathChange | TreeRenamed) else None
    return r.ChangeRow(
        event_id=_event_id(record),
        library=change.library,
        root=change.root,
        kind=str(change.__struct_config__.tag),
        at=at,
        n=_dense_number(record),
        record=text,
        path=at_path and at_path.path,
        path_b64=at_path and at_path.path_b64,
        from_root=moved and moved.from_root,
        from_path=moved and moved.from_path,
        from_path_b64=moved and moved.from_path_b64,
        media_id=change.media_id if on_path else None,
        scan_id=change.scan_id if isinstance(change, PathChange | ScanChanged) else None,
        type=change.type if on_path else None,
        size=change.size if on_path else None,
        settled=change.settled if on_path else None,
        src_partition=record.partition,
        src_offset=record.offset,
    )


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
) -> r.FileRow:
    """The place that a move left."""
    return r.FileRow(
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
        counts=_json(change.counts),
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
        counts=_json(change.counts),
        src_partition=record.partition,
        src_offset=record.offset,
    )


def _media_rows(record: LogRecord) -> list[Row]:
    update = _updates.decode(storable(record.value))
    match update.action:
        case "created" | "updated":
            return [_item(record, update)]
        case "analyzed":
            return [_item(record, update), _analysis(record, update)]
        case "deleted":
            return [_gone_item(record, update)]


def _item(record: LogRecord, update: _MediaUpdate) -> r.ItemRow:
    item = _items.decode(bytes(update.media))
    return r.ItemRow(
        id=update.media_id,
        library=item.library,
        storage_root=item.storage_root,
        path=item.path,
        path_b64=item.path_b64,
        title=item.title,
        media_type=item.media_type,
        category=item.category,
        year=item.year,
        quality=item.quality,
        rating=item.rating,
        file_size=item.file_size,
        cover_image=item.cover_image,
        created_at=_time(item.created_at),
        updated_at=_time(item.updated_at),
        item=_text(bytes(update.media)),
        src_partition=record.partition,
        src_offset=record.offset,
    )


def _gone_item(record: LogRecord, update: _MediaUpdate) -> r.GoneItemRow:
    item = _gone.decode(bytes(update.media))
    at = _event_time(record)
    return r.GoneItemRow(
        id=update.media_id,
        deleted_at=at,
        library=(record.key or b"").decode("utf-8", "replace"),
        storage_root=item.storage_root,
        path=item.path,
        path_b64=item.path_b64,
        title=item.title,
        media_type=item.media_type,
        created_at=at,
        updated_at=at,
        item=_text(bytes(update.media)),
        src_partition=record.partition,
        src_offset=record.offset,
    )


def _analysis(record: LogRecord, update: _MediaUpdate) -> r.AnalysisRow:
    at = iso(record.timestamp)
    analysis = _items.decode(bytes(update.media)).analysis or Analysis(status="done", at=at)
    analysis_id = _event_id(record) if update.analysis_id is UNSET else update.analysis_id
    return r.AnalysisRow(
        analysis_id=analysis_id,
        media_id=update.media_id,
        status=analysis.status,
        reason=analysis.reason,
        found=_json(analysis.found),
        at=_time(analysis.at),
        src_partition=record.partition,
        src_offset=record.offset,
    )


def _analysis_batch_rows(record: LogRecord) -> list[Row]:
    batch = _analyses.decode(storable(record.value))
    row = r.AnalysisBatchRow(
        event_id=_event_id(record),
        storage_root=None if batch.storage_root is UNSET else batch.storage_root,
        scan_id=None if batch.scan_id is UNSET else batch.scan_id,
        items_processed=batch.items_processed,
        items_identified=batch.items_identified,
        items_failed=batch.items_failed,
        duration_ms=batch.duration_ms,
        at=_event_time(record),
        src_partition=record.partition,
        src_offset=record.offset,
    )
    return [row]


def _cover_rows(record: LogRecord) -> list[Row]:
    if record.value is None:
        key = (record.key or b"").decode("ascii", "replace").replace("\0", "")
        return [r.CoverGoneRow(hash=key, src_offset=record.offset)]
    cover = _covers.decode(storable(record.value))
    row = r.CoverRow(
        hash=cover.hash,
        mime=cover.mime,
        width=cover.width,
        height=cover.height,
        data=cover.data,
        src_offset=record.offset,
    )
    return [row]


def _status_rows(record: LogRecord) -> list[Row]:
    update = _system.decode(storable(record.value))
    if update.action != "storage_update":
        return []
    at = _event_time(record)
    row = r.RootStatusRow(
        root=update.component,
        status=update.status,
        message=None if update.message is UNSET else update.message,
        details=None if update.details is UNSET else _json(update.details),
        status_at=at,
        status_offset=record.offset,
        changed_at=at,
    )
    return [row]


_READERS: dict[str, Callable[[LogRecord], list[Row]]] = {
    topics.CHANGES.name: _change_rows,
    topics.MEDIA_UPDATES.name: _media_rows,
    topics.ANALYSIS_UPDATES.name: _analysis_batch_rows,
    topics.COVERS.name: _cover_rows,
    topics.SYSTEM_UPDATES.name: _status_rows,
}

_ESCAPES = re.compile(rb"\\\\|\\u0000")


def storable(value: bytes | None) -> bytes | None:
    r"""The JSON with every NUL character replaced by the six characters `\u0000`: PostgreSQL keeps no NUL in
    text or jsonb, and tags inside files have them."""
    if value is None or b"\\u0000" not in value:
        return value
    return _ESCAPES.sub(lambda found: b"\\\\" + found[0] if found[0] != b"\\\\" else b"\\\\", value)


def place(path: str, path_b64: str | None) -> bytes:
    """The key of a path below its root: BLAKE2b-128 of its exact bytes (paths outgrow a btree's entries).
    Raises Undecodable when `path_b64` is not base64."""
    try:
        exact = paths.from_wire(path, path_b64)
    except ValueError as error:
        raise Undecodable(str(error)) from error
    return hashlib.blake2b(exact.encode("utf-8", "surrogateescape"), digest_size=16).digest()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _time(text: str) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=parse_iso(text))
    except (ValueError, OverflowError) as error:
        raise Undecodable(f"not a time: {text[:40]!r}") from error


def _event_time(record: LogRecord) -> datetime:
    """The event's own time; of a record without one its append time."""
    value = h.find(record.headers, h.CE_TIME)
    return _time(iso(record.timestamp) if value is None else value.decode("ascii", "replace"))


def _event_id(record: LogRecord) -> str:
    value = h.find(record.headers, h.CE_ID) or b""
    try:
        return str(uuid.UUID(value.decode("ascii")))
    except ValueError as error:
        raise Undecodable(f"{h.CE_ID} is not a UUID: {value[:40]!r}") from error


def _dense_number(record: LogRecord) -> int:
    value = h.find(record.headers, h.X_N) or b""
    if not value.isdigit():
        raise Undecodable(f"{h.X_N} is not a number: {value[:40]!r}")
    return int(value)


def _text(value: bytes | None) -> str:
    try:
        return (value or b"").decode()
    except UnicodeDecodeError as error:
        raise Undecodable(str(error)) from error


T = TypeVar("T")


def _json(value: T | None) -> str | None:
    return None if value is None else encode(value).decode()
