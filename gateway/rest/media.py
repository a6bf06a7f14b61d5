"""The catalogue under `/api/v1/media` and its covers.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.cover_names import PATH, CoverNames
from gateway.access.tokens import Identity
from gateway.core.rights import Rights
from gateway.rest.access import CHALLENGE, Guard
from gateway.rest.declared import known_library, known_root, known_value, unknown
from gateway.rest.described import authenticated_by, errors
from gateway.rest.edge import ApiError, unavailable
from gateway.tables.catalogue import CatalogueQueries, Stats
from gateway.tables.history import History
from gateway.tables.order import BadCursor
from gateway.tables.pages import MANY, MANY_WITH_FACETS
from gateway.tables.searching import Item
from gateway.tables.wanted import FACETS, MAX_FACETS, Search
from schemas.found import CATEGORIES, MEDIA_TYPES
from schemas.ids import MAX_SAFE

COVER_SECONDS = 300
"""A browser keeps a cover no longer than this: it disappears with its item and with the session."""

MAX_OFFSET = 10_000
"""Maximum number of items before a page; see `docs/decisions/0034-*.md`."""

COVER_MIMES = frozenset({"image/jpeg", "image/png", "image/webp"})


class ItemShown(BaseModel):
    """An item: the members of the event's `media`, and the name and protocol of its root."""

    model_config = ConfigDict(extra="allow")

    id: int
    title: str
    media_type: str
    storage_root_name: str
    storage_root_protocol: str


class FacetShown(BaseModel):
    """A value and how many hits have it."""

    value: str
    count: int


class Page(BaseModel):
    """A page of a search."""

    items: list[ItemShown]
    total: int = Field(
        description=f"hits; counted to {MANY:,}, with facets to {MANY_WITH_FACETS:,}, where they must be counted one by one"
    )
    total_is_exact: bool = Field(description="false: there are more than `total`")
    limit: int
    offset: int
    has_next: bool
    has_previous: bool
    next_cursor: str | None = Field(description="for `cursor`: what comes after this page; null on the last")
    facets: dict[str, list[FacetShown]] = Field(
        description="of the requested names, the values with the most hits"
    )
    facets_are_exact: bool = Field(
        description="false: there are more hits than were counted, and counts are lower bounds"
    )


class StatsShown(BaseModel):
    """The catalogue in numbers, as far as the holder may see it; sizes in bytes."""

    total_items: int
    by_type: dict[str, int]
    by_quality: dict[str, int]
    by_storage_root: dict[str, int]
    by_library: dict[str, int]
    total_size: int
    size_by_type: dict[str, int]
    size_by_storage_root: dict[str, int]
    recent_additions: int = Field(description="items of the last seven days, and of the hour in which those begin")


def router(catalogue: CatalogueQueries, history: History, guard: Guard, names: CoverNames) -> APIRouter:
    """The routes; all need a token, except that a cover also accepts the signature in its item's `cover_image`."""
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
        """Search the catalogue; everything given must match. Answers 400 `bad_cursor` for a cursor of another search."""
        if wanted.cursor is not None and wanted.offset:
            raise ApiError(422, "invalid_request", "query.offset: not with a cursor")
        if wanted.offset > MAX_OFFSET:
            raise ApiError(
                422, "invalid_request", f"query.offset: at most {MAX_OFFSET}; follow `next_cursor` instead"
            )
        if other := [name for name in wanted.facets if name not in FACETS]:
            raise unknown("facets", f"no such facet as {other[0][:100]}", FACETS)
        if len(wanted.facets) > MAX_FACETS:
            raise ApiError(422, "invalid_request", f"query.facets: at most {MAX_FACETS}")
        try:
            found = await catalogue.search(wanted, holder.rights)
        except BadCursor as error:
            raise ApiError(400, "bad_cursor", f"cursor: {error}") from error
        if not found.items:
            await known_root(history, holder, "storage_root", wanted.storage_root)
            await known_library(history, holder, "library", wanted.library)
            known_value("media_type", wanted.media_type, (*MEDIA_TYPES, *CATEGORIES))
            known_value("category", wanted.category, CATEGORIES)
        return Page(
            items=[shown(item, holder) for item in found.items],
            total=found.total,
            total_is_exact=found.exact,
            limit=wanted.limit,
            offset=wanted.offset,
            has_next=found.more,
            has_previous=wanted.offset > 0 or wanted.cursor is not None,
            next_cursor=found.next_cursor,
            facets={
                name: [FacetShown(value=one.value, count=one.count) for one in values]
                for name, values in found.facets.items()
            },
            facets_are_exact=found.facets_exact,
        )

    @routes.get("/media/stats")
    async def stats(holder: Holder) -> StatsShown:
        """The catalogue in numbers."""
        return _stats(await catalogue.stats(holder.rights))

    @routes.get("/media/recent")
    async def recent(
        holder: Holder, limit: Annotated[int, Query(ge=1, le=200, description="items at most")] = 10
    ) -> list[ItemShown]:
        """The newest items first."""
        return [shown(item, holder) for item in await catalogue.recent(limit, holder.rights)]

    @routes.get("/media/{media_id}")
    async def item(media_id: Annotated[int, Path(ge=0, lt=MAX_SAFE)], holder: Holder) -> ItemShown:
        """One item."""
        found = await catalogue.item(media_id, holder.rights)
        if found is None:
            raise ApiError(404, "not_found", "no such item")
        return shown(found, holder)

    async def cover_access(request: Request, hash_: str, signed: str | None) -> tuple[int, Rights]:
        """How long the answer may be cached, and the caller's rights. Answers 401."""
        now = time.time()
        if not guard.authority.can_check:
            raise unavailable()
        if identity := await guard.optional(request):
            return min(COVER_SECONDS, max(0, identity.expires_at - int(now))), identity.rights
        signature = names.read(hash_, signed or "", now)
        if signature is None or guard.authority.session_ended(signature.session_id):
            raise ApiError(401, "unauthorized", "sign in first", CHALLENGE)
        return min(COVER_SECONDS, signature.ends - int(now)), guard.authority.rights_of(signature.user_id)

    @routes.get(
        "/covers/{hash_}",
        response_class=Response,
        openapi_extra=authenticated_by("bearer", "signed"),
        responses=errors(401)
        | {200: {"content": {mime: {} for mime in sorted(COVER_MIMES)}, "description": "the image"}},
    )
    async def cover(
        request: Request,
        hash_: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
        signed: Annotated[
            str | None, Query(max_length=256, description="as the item's `cover_image` has it")
        ] = None,
    ) -> Response:
        """A thumbnail of an existing item that the holder may see; it never changes."""
        seconds, rights = await cover_access(request, hash_, signed)
        found = await catalogue.cover(hash_, rights)
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
    by_type, size_by_type = stats.items_by("media_type"), stats.bytes_by("media_type")
    return StatsShown(
        total_items=sum(by_type.values()),
        by_type=by_type,
        by_quality={quality: items for quality, items in stats.items_by("quality").items() if quality},
        by_storage_root=stats.items_by("storage_root"),
        by_library=stats.items_by("library"),
        total_size=sum(size_by_type.values()),
        size_by_type=size_by_type,
        size_by_storage_root=stats.bytes_by("storage_root"),
        recent_additions=stats.recent_additions,
    )
