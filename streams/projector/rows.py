"""Rows: what the projector stores, as values, and the law by which each kind of row is written.

A row contains the log position of the record that wrote it. Written again it replaces itself, an older row never replaces a
newer one, and nothing is deleted: so any redelivery, from any earlier position, ends with the same rows and shows no
outdated state on the way. `LAWS` is this as data; the real store makes SQL of it. JSON is stored as it was written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from msgspec import Raw, Struct
from msgspec.structs import replace


class Sourced(Struct, frozen=True, kw_only=True, gc=False):
    """The position of the record that wrote the row, in its topic."""

    src_partition: int
    src_offset: int


class ChangeRow(Sourced, frozen=True, kw_only=True, gc=False):
    """One record of the changes topic. `record`: its JSON; `n`: its `x-n`, consecutive per lane."""

    event_id: UUID
    library: str
    root: str
    kind: str
    at: datetime
    n: int
    record: Raw
    path: str | None = None
    path_b64: str | None = None
    from_root: str | None = None
    from_path: str | None = None
    from_path_b64: str | None = None
    media_id: int | None = None
    scan_id: int | None = None
    type: str | None = None
    size: int | None = None
    settled: bool | None = None


class FileRow(Sourced, frozen=True, kw_only=True, gc=False):
    """What is at a place; `deleted_at`: since when nothing is there. `place`: BLAKE2b-128 of the path's bytes."""

    root: str
    place: bytes
    path: str
    path_b64: str
    media_id: int | None
    type: str
    size: int
    mtime_ns: int
    fingerprint: str | None
    deleted_at: datetime | None


class ItemRow(Sourced, frozen=True, kw_only=True, gc=False):
    """A media item as published last. `item`: its JSON; `artist` to `belongs_to`: see `schemas/sql/0005_*.sql`."""

    id: int
    library: str
    storage_root: str
    path: str
    path_b64: str | None
    title: str
    media_type: str
    category: str | None
    year: int | None
    quality: str | None
    rating: float | None
    file_size: int
    cover_image: str | None
    created_at: datetime
    updated_at: datetime
    item: Raw
    artist: str | None
    album: str | None
    author: str | None
    series: str | None
    date: str | None
    belongs_to: int | None
    deleted_at: datetime | None = None


class GoneItemRow(Sourced, frozen=True, kw_only=True, gc=False):
    """A media item that was deleted: its row keeps what is known of it. The other fields are for an item that has no
    row yet."""

    id: int
    deleted_at: datetime
    library: str
    storage_root: str
    path: str
    path_b64: str | None
    title: str
    media_type: str
    created_at: datetime
    updated_at: datetime
    item: Raw


class AnalysisRow(Sourced, frozen=True, kw_only=True, gc=False):
    """The result of one analysis. `found`: JSON."""

    analysis_id: str
    media_id: int
    status: str
    reason: str | None
    found: Raw | None
    at: datetime


class AnalysisBatchRow(Sourced, frozen=True, kw_only=True, gc=False):
    """The end of the analyses of a scan, or of a quiet batch."""

    event_id: UUID
    storage_root: str | None
    scan_id: int | None
    items_processed: int
    items_identified: int
    items_failed: int
    duration_ms: int
    at: datetime


class CoverRow(Struct, frozen=True, kw_only=True, gc=False):
    """A thumbnail under its content's hash."""

    hash: str
    mime: str
    width: int
    height: int
    data: bytes
    src_offset: int


class RootDeclaredRow(Sourced, frozen=True, kw_only=True, gc=False):
    """A root as its producer declared it."""

    root: str
    library: str
    site: str
    protocol: str
    location: str
    state: str
    cause: str | None
    epoch: str
    changed_at: datetime


class RootStateRow(Sourced, frozen=True, kw_only=True, gc=False):
    """A root was lost, or is back; its declared fields stay."""

    root: str
    library: str
    state: str
    cause: str | None
    epoch: str
    changed_at: datetime


class RootStatusRow(Struct, frozen=True, kw_only=True, gc=False):
    """A root's status from the status agent. It comes from another topic than the root's state and may come first: the
    fields after `status_offset` are for a root that has no row yet."""

    root: str
    status: str
    message: str | None
    details: Raw | None
    status_at: datetime
    status_offset: int
    changed_at: datetime
    library: str = ""
    state: str = "unknown"
    epoch: str = ""
    src_partition: int = -1
    src_offset: int = -1


class ScanStartedRow(Sourced, frozen=True, kw_only=True, gc=False):
    """A scan began."""

    scan_id: int
    library: str
    root: str
    state: str
    origin: str
    cause: str
    subtree: str
    started_at: datetime


class ScanEndedRow(Sourced, frozen=True, kw_only=True, gc=False):
    """A scan finished, or was superseded. `counts`: JSON."""

    scan_id: int
    library: str
    root: str
    state: str
    origin: str
    cause: str
    subtree: str
    total: int | None
    counts: Raw | None
    ended_at: datetime


class GapOpenedRow(Sourced, frozen=True, kw_only=True, gc=False):
    """Observations may be missing from here on."""

    library: str
    root: str
    subtree: str
    cause: str
    first_seq: int | None
    last_seq: int | None
    opened_at: datetime


class GapClosedRow(Sourced, frozen=True, kw_only=True, gc=False):
    """Closes every gap of that root and cause which lies in `subtree`, was opened before, and was not closed
    earlier. `counts`: JSON."""

    root: str
    cause: str
    subtree: str
    closed_at: datetime
    counts: Raw | None


class CoverGoneRow(Struct, frozen=True, kw_only=True, gc=False):
    """A tombstone: the cover was withdrawn."""

    hash: str
    src_offset: int


UpsertRow = (
    ChangeRow
    | FileRow
    | ItemRow
    | GoneItemRow
    | AnalysisRow
    | AnalysisBatchRow
    | CoverRow
    | RootDeclaredRow
    | RootStateRow
    | RootStatusRow
    | ScanStartedRow
    | ScanEndedRow
    | GapOpenedRow
)
Row = UpsertRow | GapClosedRow | CoverGoneRow


@dataclass(frozen=True, slots=True)
class Law:
    """How a kind of row is written: it is inserted; if `key` exists already and its `guard` is not greater, the columns
    `update` are replaced (None: all but the key)."""

    table: str
    key: tuple[str, ...]
    guard: tuple[str, ...] = ("src_partition", "src_offset")
    update: tuple[str, ...] | None = None


LAWS: dict[type[UpsertRow], Law] = {
    ChangeRow: Law("change_log", ("event_id",)),
    FileRow: Law("media_files", ("root", "place")),
    ItemRow: Law("media_items", ("id",)),
    GoneItemRow: Law("media_items", ("id",), update=("deleted_at", "src_partition", "src_offset")),
    AnalysisRow: Law("analyses", ("analysis_id",)),
    AnalysisBatchRow: Law("analysis_batches", ("event_id",)),
    CoverRow: Law("covers", ("hash",), guard=("src_offset",)),
    RootDeclaredRow: Law("storage_roots", ("root",)),
    RootStateRow: Law("storage_roots", ("root",)),
    RootStatusRow: Law(
        "storage_roots",
        ("root",),
        guard=("status_offset",),
        update=("status", "message", "details", "status_at", "status_offset"),
    ),
    ScanStartedRow: Law("scans", ("scan_id",)),
    ScanEndedRow: Law("scans", ("scan_id",)),
    GapOpenedRow: Law("gaps", ("src_partition", "src_offset")),
}
"""In the order of writing within one transaction: an item before its deletion, a start before its end."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """The rows of one transaction by kind, one per key."""

    upserts: dict[type[UpsertRow], dict[tuple[object, ...], UpsertRow]] = field(default_factory=dict)
    gaps_closed: list[GapClosedRow] = field(default_factory=list)
    covers_gone: list[CoverGoneRow] = field(default_factory=list)


_KEYS = {kind: attrgetter(*law.key, law.key[0]) for kind, law in LAWS.items()}
_GUARDS = {kind: attrgetter(*law.guard, law.guard[0]) for kind, law in LAWS.items()}


def grouped(rows: tuple[Row, ...]) -> Grouped:
    """Sort rows by kind. Of several with one key only the one remains that writing them in order would leave."""
    found = Grouped(upserts={kind: {} for kind in LAWS})
    for row in rows:
        match row:
            case GapClosedRow():
                found.gaps_closed.append(row)
            case CoverGoneRow():
                found.covers_gone.append(row)
            case _:
                kind = type(row)
                same = found.upserts[kind]
                key = _KEYS[kind](row)
                same[key] = row if (old := same.get(key)) is None else _newer(old, row)
    return found


def _newer(old: UpsertRow, new: UpsertRow) -> UpsertRow:
    law, guard = LAWS[type(new)], _GUARDS[type(new)]
    if guard(new) < guard(old):
        return old
    if law.update is None:
        return new
    return replace(old, **{column: getattr(new, column) for column in law.update})
