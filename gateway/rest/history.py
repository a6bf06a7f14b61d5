"""The history: `/api/v1/storage/roots`, `/api/v1/scans`, `/api/v1/changes`, `/api/v1/media/{id}/events`.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

from datetime import UTC, datetime
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict

from gateway.access.tokens import Identity
from gateway.core.changes_seen import seen_as
from gateway.rest.access import Guard
from gateway.rest.declared import known_root, unknown
from gateway.rest.edge import ApiError
from gateway.tables.catalogue import at_iso
from gateway.tables.history import BadPage, Changes, History, StoredChange, StoredRoot, StoredScan
from schemas.changes import Change
from schemas.ids import MAX_SAFE, root_id

KINDS = tuple(str(struct.__struct_config__.tag) for struct in get_args(Change))


class RootShown(BaseModel):
    """A storage root. `id`: derived from its name, the same for ever. `state`: from the log (declared, lost, back),
    `status`: its health."""

    id: int
    name: str
    library: str
    site: str
    protocol: str
    path: str
    state: str
    status: str
    connected: bool
    message: str | None
    details: dict[str, Any] | None
    changed_at: str | None
    status_at: str | None
    item_count: int


class Roots(BaseModel):
    """The same rows twice: older and newer clients read different names."""

    roots: list[RootShown]
    data: list[RootShown]


class ScanShown(BaseModel):
    """One scan of a root."""

    scan_id: int
    library: str
    root: str
    state: str
    origin: str
    cause: str
    subtree: str
    total: int | None
    counts: dict[str, Any] | None
    started_at: str | None
    ended_at: str | None


class Scans(BaseModel):
    """The newest first."""

    scans: list[ScanShown]


class ChangeShown(BaseModel):
    """The members of the change record, and its position: the event's id, the dense number `n` of its lane, the partition
    and offset in the changes topic."""

    model_config = ConfigDict(extra="allow")

    event_id: str
    kind: str
    root: str
    at: str
    n: int
    partition: int
    offset: int


class ItemEvents(BaseModel):
    """A page of an item's history. `next`: the `from` of the next page; null on the last."""

    media_id: int
    events: list[ChangeShown]
    next: str | None


class ChangePage(BaseModel):
    """A page; `next_cursor` is null on the last."""

    changes: list[ChangeShown]
    next_cursor: str | None


def router(history: History, guard: Guard) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1", tags=["history"])
    Holder = Annotated[Identity, Depends(guard.holder)]

    @routes.get("/storage/roots")
    async def roots(holder: Holder) -> Roots:
        """Every storage root that the holder may see, and its state."""
        rows = [_root(row) for row in await history.roots(holder.rights)]
        return Roots(roots=rows, data=rows)

    @routes.get("/scans")
    async def scans(
        holder: Holder,
        root: Annotated[str | None, Query(max_length=255)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 20,
    ) -> Scans:
        """The newest scans first."""
        rows = await history.scans(root, limit, holder.rights)
        if not rows:
            await known_root(history, holder, "root", root)
        return Scans(scans=[_scan(row) for row in rows])

    @routes.get("/changes")
    async def changes(
        holder: Holder,
        root: Annotated[str | None, Query(max_length=255)] = None,
        path: Annotated[
            str | None,
            Query(max_length=4_096, description="where it is or where it was: finds out where a file went"),
        ] = None,
        media_id: Annotated[int | None, Query(ge=0, lt=MAX_SAFE)] = None,
        kind: Annotated[str | None, Query(max_length=32, json_schema_extra={"enum": [*KINDS]})] = None,
        since: datetime | None = None,
        order: Annotated[str, Query(pattern="^(asc|desc)$")] = "desc",
        cursor: Annotated[str | None, Query(max_length=256)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ChangePage:
        """The change log, paged."""
        if kind is not None and kind not in KINDS:
            raise unknown("kind", "no such kind of change", KINDS)
        if since is not None and since.tzinfo is None:
            since = since.replace(tzinfo=UTC)
        wanted = Changes(root, path, media_id, kind, since, order == "desc", cursor, limit + 1)
        rows, next_cursor = await page(wanted, holder, "cursor")
        if not rows:
            await known_root(history, holder, "root", root)
        return ChangePage(changes=rows, next_cursor=next_cursor)

    @routes.get("/media/{media_id}/events")
    async def events(
        media_id: Annotated[int, Path(ge=0, lt=MAX_SAFE)],
        holder: Holder,
        from_: Annotated[
            str | None, Query(alias="from", max_length=256, description="the `next` of the page before")
        ] = None,
        order: Annotated[str, Query(pattern="^(asc|desc)$")] = "desc",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ItemEvents:
        """Where an item's file came from and where it went: the changes of its paths, the newest first, also of a deleted
        item. Analyses and corrections do not change a path; they are events of `media_updates`."""
        wanted = Changes(media_id=media_id, newest_first=order == "desc", after=from_, limit=limit + 1)
        rows, following = await page(wanted, holder, "from")
        if not rows and from_ is None:
            raise ApiError(404, "not_found", "no such item")
        return ItemEvents(media_id=media_id, events=rows, next=following)

    async def page(wanted: Changes, holder: Identity, name: str) -> tuple[list[ChangeShown], str | None]:
        """One row fewer than wanted, and the cursor of the rows after them."""
        try:
            rows = await history.changes(wanted, holder.rights)
        except BadPage as error:
            raise ApiError(400, "bad_cursor", f"{name}: not one of ours") from error
        shown = rows[: wanted.limit - 1]
        return [_change(row, holder) for row in shown], shown[-1].page if len(rows) > len(shown) else None

    return routes


def _root(row: StoredRoot) -> RootShown:
    return RootShown(
        id=root_id(row.root),
        name=row.root,
        library=row.library,
        site=row.site,
        protocol=row.protocol,
        path=row.location,
        state=row.state,
        status=row.status,
        connected=row.state != "lost" and row.status != "error",
        message=row.message,
        details=row.details,
        changed_at=at_iso(row.changed_at),
        status_at=at_iso(row.status_at),
        item_count=row.items,
    )


def _scan(row: StoredScan) -> ScanShown:
    return ScanShown(
        scan_id=row.scan_id,
        library=row.library,
        root=row.root,
        state=row.state,
        origin=row.origin,
        cause=row.cause,
        subtree=row.subtree,
        total=row.total,
        counts=row.counts,
        started_at=at_iso(row.started_at),
        ended_at=at_iso(row.ended_at),
    )


def _change(row: StoredChange, holder: Identity) -> ChangeShown:
    record = seen_as(row.record, holder.rights)
    assert record is not None  # the query returns only what may be seen
    place = {"event_id": str(row.event_id), "n": row.n, "partition": row.src_partition, "offset": row.src_offset}
    return ChangeShown.model_validate({**record, **place})
