"""The catalogue under `/api/v1/media` and its covers.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.cover_names import PATH, CoverNames
from gateway.access.tokens import Identity
from gateway.rest.access import CHALLENGE, Guard
from gateway.rest.declared import known_root
from gateway.rest.edge import ApiError, unavailable
from gateway.tables.catalogue import CatalogueQueries, Item, Search, Stats
from gateway.tables.history import History
from schemas.ids import MAX_SAFE

COVER_SECONDS = 300
"""A browser keeps a cover no longer: it goes with its item and with the session."""

COVER_MIMES = frozenset({"image/jpeg", "image/png", "image/webp"})


class ItemShown(BaseModel):
    """An item: the members of the event's `media`, and its root's name and protocol."""

    model_config = ConfigDict(extra="allow")

    id: int
    title: str
    media_type: str
    storage_root_name: str
    storage_root_protocol: str


class Page(BaseModel):
    """A page of a search."""

    items: list[ItemShown]
    total: int
    limit: int
    offset: int
    has_next: bool
    has_previous: bool


class StatsShown(BaseModel):
    """The catalogue in numbers; sizes in bytes."""

    total_items: int
    by_type: dict[str, int]
    by_quality: dict[str, int]
    total_size: int
    recent_additions: int = Field(description="items of the last seven days")


def router(catalogue: CatalogueQueries, history: History, guard: Guard, names: CoverNames) -> APIRouter:
    """The routes; all need a token, but that a cover takes the signature in the address that its item was read with."""
    routes = APIRouter(prefix="/api/v1", tags=["media"])
    Holder = Annotated[Identity, Depends(guard.holder)]

    def shown(row: Item, holder: Identity) -> ItemShown:
        item = _shown(row)
        path = (item.model_extra or {}).get("cover_image")
        if isinstance(path, str) and path.startswith(PATH):
            return item.model_copy(update={"cover_image": names.signed(path, holder, time.time())})
        return item

    @routes.get("/media/search")
    async def search(wanted: Annotated[Search, Query()], holder: Holder) -> Page:
        """Search the catalogue; everything given must match."""
        items, total = await catalogue.search(wanted)
        if total == 0:
            await known_root(history, holder, "storage_root", wanted.storage_root)
        return Page(
            items=[shown(item, holder) for item in items],
            total=total,
            limit=wanted.limit,
            offset=wanted.offset,
            has_next=wanted.offset + len(items) < total,
            has_previous=wanted.offset > 0,
        )

    @routes.get("/media/stats", dependencies=[Depends(guard.holder)])
    async def stats() -> StatsShown:
        """The catalogue in numbers."""
        return _stats(await catalogue.stats())

    @routes.get("/media/recent")
    async def recent(holder: Holder, limit: Annotated[int, Query(ge=1, le=200)] = 10) -> list[ItemShown]:
        """The newest items first."""
        return [shown(item, holder) for item in await catalogue.recent(limit)]

    @routes.get("/media/{media_id}")
    async def item(media_id: Annotated[int, Path(ge=0, lt=MAX_SAFE)], holder: Holder) -> ItemShown:
        """One item."""
        found = await catalogue.item(media_id)
        if found is None:
            raise ApiError(404, "not_found", "no such item")
        return shown(found, holder)

    async def cover_seconds(request: Request, hash_: str, signed: str | None) -> int:
        """How long the answer may be kept. Answers 401."""
        now = time.time()
        if not guard.authority.can_tell:
            raise unavailable()
        if identity := await guard.optional(request):
            return min(COVER_SECONDS, max(0, identity.expires_at - int(now)))
        holds = names.read(hash_, signed or "", now)
        if holds is None or guard.authority.session_ended(holds[0]):
            raise ApiError(401, "unauthorized", "sign in first", CHALLENGE)
        return min(COVER_SECONDS, holds[1] - int(now))

    @routes.get("/covers/{hash_}", response_class=Response)
    async def cover(
        request: Request,
        hash_: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
        signed: Annotated[
            str | None, Query(max_length=256, description="as the item's `cover_image` has it")
        ] = None,
    ) -> Response:
        """A thumbnail of an item that is there; it never changes."""
        seconds = await cover_seconds(request, hash_, signed)
        found = await catalogue.cover(hash_)
        if found is None or found.mime not in COVER_MIMES:
            raise ApiError(404, "not_found", "no such cover")
        headers = {"Cache-Control": f"private, max-age={seconds}, immutable", "Vary": "Authorization"}
        return Response(found.data, media_type=found.mime, headers=headers)

    return routes


def _shown(row: Item) -> ItemShown:
    item: dict[str, Any] = {
        "duration": None,
        **row.item,
        "storage_root_name": row.storage_root,
        "storage_root_protocol": row.protocol,
    }
    return ItemShown.model_validate(item)


def _stats(stats: Stats) -> StatsShown:
    return StatsShown(
        total_items=stats.total_items,
        by_type=stats.by_type,
        by_quality=stats.by_quality,
        total_size=stats.total_size,
        recent_additions=stats.recent_additions,
    )
