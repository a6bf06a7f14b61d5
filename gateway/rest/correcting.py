"""A person's correction: `PATCH /api/v1/media/{id}`. The gateway publishes it to the change log; the fold applies it.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field, field_validator

from gateway.access.cover_names import PATH
from gateway.access.tokens import Identity
from gateway.core.rights import Rights
from gateway.log.publishing import Publishing
from gateway.rest.access import Guard
from gateway.rest.body import Closed, small_json
from gateway.rest.declared import unknown
from gateway.rest.edge import ApiError
from gateway.tables.catalogue import CatalogueQueries
from runtime.reports import now_iso
from schemas.found import CATEGORIES
from schemas.ids import MAX_SAFE
from schemas.raw import Corrected, CorrectedField, Correction

FIELDS: tuple[CorrectedField, ...] = get_args(CorrectedField)


class CorrectionBody(Closed):
    """Like a JSON merge patch (RFC 7396): absent members stay as they are, null withdraws what a person has set. `title`:
    without year or episode, which are shown after it; `cover`: the `cover_image` of an item, or the hash in it."""

    title: str | None = Field(None, min_length=1, max_length=300)
    year: int | None = Field(None, ge=1, le=9_999)
    season: int | None = Field(None, ge=0, le=9_999)
    episode: int | None = Field(None, ge=0, le=99_999)
    category: str | None = Field(None, max_length=32)
    cover: str | None = Field(None, max_length=512)

    @field_validator("title")
    @classmethod
    def _shown(cls, title: str | None) -> str | None:
        if title is None:
            return None
        if not title.isprintable() or not title.strip():
            raise ValueError("is a line of text that can be seen")
        return title.strip()


class CorrectionWritten(BaseModel):
    """The correction's position in the change log; the item's next `media_update` shows it."""

    media_id: int
    partition: int
    offset: int


def router(catalogue: CatalogueQueries, publishing: Publishing, guard: Guard) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/api/v1", tags=["media"])

    @routes.patch("/media/{media_id}", status_code=202, dependencies=[Depends(small_json)])
    async def correct(
        media_id: Annotated[int, Path(ge=0, lt=MAX_SAFE)],
        body: CorrectionBody,
        admin: Annotated[Identity, Depends(guard.allowed("correct:media"))],
    ) -> CorrectionWritten:
        """Correct an item: a correction takes precedence over the file's name and contents, also when these change; answered
        when the log has acknowledged it."""
        if not body.model_fields_set:
            raise ApiError(422, "invalid_request", "body: nothing to change")
        place = await catalogue.place(media_id, admin.rights)
        if place is None:
            raise ApiError(404, "not_found", "no such item")
        if body.category is not None and body.category not in CATEGORIES:
            raise unknown("category", "no such category", CATEGORIES, "body")
        cover = None if body.cover is None else await known_cover(body.cover, admin.rights)
        record = Corrected(
            media_id=media_id, root=place.storage_root, path=place.path, path_b64=place.path_b64,
            by=admin.username, at=now_iso(),
            correction=Correction(body.title, body.year, body.season, body.episode, body.category, cover),
            withdrawn=tuple(f for f in FIELDS if f in body.model_fields_set and getattr(body, f) is None),
        )  # fmt: skip
        written = await publishing.observe(record, place.library)
        return CorrectionWritten(media_id=media_id, partition=written.partition, offset=written.offset)

    async def known_cover(cover: str, rights: Rights) -> str:
        hash_ = cover.removeprefix(PATH).partition("?")[0]
        if await catalogue.cover(hash_, rights) is None:
            raise ApiError(422, "invalid_request", "body.cover: no item has such a cover")
        return hash_

    return routes
