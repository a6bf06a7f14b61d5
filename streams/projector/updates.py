"""Updates of items, analyses, covers and roots to rows. Pure."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Struct, UnsetType

from schemas.analysis import Cover
from schemas.codec import Codec
from schemas.found import Found
from schemas.log_record import LogRecord
from schemas.media import Action, Analysis, AnalysisComplete, GoneItem, MediaItem
from schemas.system import SystemUpdate
from schemas.times import iso
from streams.projector import rows as r
from streams.projector.reading import event_id, event_time, part, raw, storable, time
from streams.projector.rows import Row


class _MediaUpdate(Struct, frozen=True, kw_only=True):
    """A media update. Its item is decoded according to the action, and stored as it was written."""

    action: Action
    media_id: int
    media: msgspec.Raw
    analysis_id: str | UnsetType = UNSET


_NOTHING = Found()
_updates: Codec[_MediaUpdate] = Codec(_MediaUpdate)
_items: Codec[MediaItem] = Codec(MediaItem)
_gone: Codec[GoneItem] = Codec(GoneItem)
_analyses: Codec[AnalysisComplete] = Codec(AnalysisComplete)
_covers: Codec[Cover] = Codec(Cover)
_system: Codec[SystemUpdate] = Codec(SystemUpdate)


def media_rows(record: LogRecord) -> list[Row]:
    """The rows of a media update: the item, and for `analyzed` its analysis. Raises Undecodable."""
    update = _updates.decode(storable(record.value))
    match update.action:
        case "created" | "updated":
            return [_item(record, update, _items.decode(update.media))]
        case "analyzed":
            item = _items.decode(update.media)
            return [_item(record, update, item), _analysis(record, update, item)]
        case "deleted":
            return [_gone_item(record, update)]


def _item(record: LogRecord, update: _MediaUpdate, item: MediaItem) -> r.ItemRow:
    found = _NOTHING if item.analysis is None or item.analysis.found is None else item.analysis.found
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
        created_at=time(item.created_at),
        updated_at=time(item.updated_at),
        item=raw(update.media),
        artist=item.artist,
        album=item.album,
        author=item.author,
        series=item.series,
        date=item.date or (None if found.taken is None else found.taken[:10]),
        belongs_to=item.belongs_to,
        src_partition=record.partition,
        src_offset=record.offset,
    )


def _gone_item(record: LogRecord, update: _MediaUpdate) -> r.GoneItemRow:
    item = _gone.decode(update.media)
    at = event_time(record)
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
        item=raw(update.media),
        src_partition=record.partition,
        src_offset=record.offset,
    )


def _analysis(record: LogRecord, update: _MediaUpdate, item: MediaItem) -> r.AnalysisRow:
    analysis = item.analysis or Analysis(status="done", at=iso(record.timestamp))
    analysis_id = str(event_id(record)) if update.analysis_id is UNSET else update.analysis_id
    return r.AnalysisRow(
        analysis_id=analysis_id,
        media_id=update.media_id,
        status=analysis.status,
        reason=analysis.reason,
        found=part(analysis.found),
        at=time(analysis.at),
        src_partition=record.partition,
        src_offset=record.offset,
    )


def analysis_batch_rows(record: LogRecord) -> list[Row]:
    """The row of the end of a batch of analyses. Raises Undecodable."""
    batch = _analyses.decode(storable(record.value))
    row = r.AnalysisBatchRow(
        event_id=event_id(record),
        storage_root=None if batch.storage_root is UNSET else batch.storage_root,
        scan_id=None if batch.scan_id is UNSET else batch.scan_id,
        items_processed=batch.items_processed,
        items_identified=batch.items_identified,
        items_failed=batch.items_failed,
        duration_ms=batch.duration_ms,
        at=event_time(record),
        src_partition=record.partition,
        src_offset=record.offset,
    )
    return [row]


def cover_rows(record: LogRecord) -> list[Row]:
    """The row of a cover, or of its tombstone. Raises Undecodable."""
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


def status_rows(record: LogRecord) -> list[Row]:
    """The row of a root's status; other system updates have no rows. Raises Undecodable."""
    update = _system.decode(storable(record.value))
    if update.action != "storage_update":
        return []
    at = event_time(record)
    row = r.RootStatusRow(
        root=update.component,
        status=update.status,
        message=None if update.message is UNSET else update.message,
        details=None if update.details is UNSET else part(update.details),
        status_at=at,
        status_offset=record.offset,
        changed_at=at,
    )
    return [row]
