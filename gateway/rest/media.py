"""The catalogue under `/api/v1/media` and its covers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.tokens import Tokens
from gateway.rest.access import identity_of
from gateway.rest.declared import known_root
from gateway.rest.edge import ApiError
from gateway.tables.catalogue import Catalogue, Item, Search, Stats
from gateway.tables.history import History
from schemas.ids import MAX_SAFE

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


def router(catalogue: Catalogue, history: History, tokens: Tokens) -> APIRouter:
    """The routes; all but the covers need a token (an image in a page cannot send one: a cover's name is the
    hash of its content, and only who read the item knows it)."""
    routes = APIRouter(prefix="/api/v1", tags=["media"])
    signed_in = [Depends(identity_of(tokens))]

    @routes.get("/media/search", dependencies=signed_in)
    async def search(wanted: Annotated[Search, Query()]) -> Page:
        """Search the catalogue; everything given must match."""
        items, total = await catalogue.search(wanted)
        if total == 0:
            await known_root(history, "storage_root", wanted.storage_root)
        return Page(
            items=[_shown(item) for item in items],
            total=total,
            limit=wanted.limit,
            offset=wanted.offset,
            has_next=wanted.offset + len(items) < total,
            has_previous=wanted.offset > 0,
        )

    @routes.get("/media/stats", dependencies=signed_in)
    async def stats() -> StatsShown:
        """The catalogue in numbers."""
        return _stats(await catalogue.stats())

    @routes.get("/media/recent", dependencies=signed_in)
    async def recent(limit: Annotated[int, Query(ge=1, le=200)] = 10) -> list[ItemShown]:
        """The newest items first."""
        return [_shown(item) for item in await catalogue.recent(limit)]

    @routes.get("/media/{media_id}", dependencies=signed_in)
    async def item(media_id: Annotated[int, Path(ge=0, lt=MAX_SAFE)]) -> ItemShown:
        """One item."""
        found = await catalogue.item(media_id)
        if found is None:
            raise ApiError(404, "not_found", "no such item")
        return _shown(found)

    @routes.get("/covers/{hash_}", response_class=Response)
    async def cover(hash_: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]) -> Response:
        """A thumbnail; it never changes."""
        found = await catalogue.cover(hash_)
        if found is None or found.mime not in COVER_MIMES:
            raise ApiError(404, "not_found", "no such cover")
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
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
