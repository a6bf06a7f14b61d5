"""Analyses on request: `POST /api/v1/analysis/requests`, and `…/pause`, `…/resume`, `…/cancel`. The gateway publishes the
request to the change log; the fold carries it out.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, Field

from gateway.access.tokens import Identity
from gateway.log.publishing import Publishing
from gateway.rest.access import Guard
from gateway.rest.body import Closed, inside, small_json
from gateway.rest.declared import unknown
from gateway.rest.edge import ApiError
from gateway.tables.analysing import Wanted, matching, places
from runtime.reports import now_iso
from schemas.found import ANALYSED, MediaType
from schemas.ids import MAX_SAFE
from schemas.paths import to_wire
from schemas.raw import AnalysisRequested, AnalysisSteered, Standing


class RequestBody(Closed):
    """What to analyse again: below `subtree`, of these media types, with this state of analysis (`none`: there is none);
    empty: any. `dry_run`: only count."""

    root: str = Field(min_length=1, max_length=64)
    subtree: str = Field("", max_length=4_096)
    media_types: list[MediaType] = Field([], max_length=len(ANALYSED))
    statuses: list[Standing] = Field([], max_length=4)
    reason: str = Field("by REST", min_length=1, max_length=256)
    dry_run: bool = False


class RequestAsked(BaseModel):
    """`matched`: items that match now, by the catalogue; `waits`: why nothing begins yet (`paused`, `lost`). `partition` and
    `offset`: the position in the change log; the resulting changes name `request`. Null if nothing was requested."""

    root: str
    matched: int
    waits: str | None
    request: int | None
    partition: int | None
    offset: int | None


class SteerBody(Closed):
    """Of one library, or of all; with `cancel` also of a single request."""

    library: str | None = Field(None, min_length=1, max_length=249)
    request: int | None = Field(None, ge=0, lt=MAX_SAFE)
    reason: str = Field("by REST", min_length=1, max_length=256)


class Steered(BaseModel):
    """The libraries for which it was published."""

    libraries: list[str]


Action = Literal["pause", "resume", "cancel"]


def router(pool: AsyncConnectionPool, publishing: Publishing, guard: Guard) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/analysis", tags=["analysis"])

    @routes.post("/requests", status_code=202, dependencies=[Depends(small_json)])
    async def request(
        body: RequestBody, admin: Annotated[Identity, Depends(guard.allowed("request:analysis"))]
    ) -> RequestAsked:
        """Request the analysis of items that are known already; answered when the log has acknowledged it."""
        subtree, types = inside(body.subtree), tuple(body.media_types)
        for name in types:
            if name not in ANALYSED:
                raise unknown("media_types", f"files of type {name} are not analysed", ANALYSED, "body")
        async with pool.connection() as connection:
            roots = await places(connection, admin.rights)
            if body.root not in roots:
                raise unknown("root", "no such storage root", roots, "body")
            matched = await matching(connection, Wanted(body.root, subtree, types, tuple(body.statuses)))
        place = roots[body.root]
        if body.dry_run:
            return RequestAsked(
                root=body.root, matched=matched, waits=place.waits, request=None, partition=None, offset=None
            )
        if not matched:
            raise ApiError(422, "nothing_matches", "body: no item of the catalogue matches; nothing was requested")
        shown, b64 = to_wire(subtree)
        record = AnalysisRequested(
            root=body.root, subtree=shown, subtree_b64=b64, media_types=types, statuses=tuple(body.statuses),
            reason=body.reason, by=admin.username, at=now_iso(),
        )  # fmt: skip
        written = await publishing.observe(record, place.library)
        return RequestAsked(
            root=body.root, matched=matched, waits=place.waits, request=int(written.id),
            partition=written.partition, offset=written.offset,
        )  # fmt: skip

    @routes.post("/pause", status_code=202, dependencies=[Depends(small_json)])
    async def pause(
        body: SteerBody, admin: Annotated[Identity, Depends(guard.allowed("request:analysis"))]
    ) -> Steered:
        """Begin nothing more of what was requested, until `resume`; files that change are still analysed."""
        return await steer("pause", body, admin)

    @routes.post("/resume", status_code=202, dependencies=[Depends(small_json)])
    async def resume(
        body: SteerBody, admin: Annotated[Identity, Depends(guard.allowed("request:analysis"))]
    ) -> Steered:
        """Continue with what was requested."""
        return await steer("resume", body, admin)

    @routes.post("/cancel", status_code=202, dependencies=[Depends(small_json)])
    async def cancel(
        body: SteerBody, admin: Annotated[Identity, Depends(guard.allowed("request:analysis"))]
    ) -> Steered:
        """Cancel what was requested, or a single request; open jobs end."""
        return await steer("cancel", body, admin)

    async def steer(action: Action, body: SteerBody, admin: Identity) -> Steered:
        if body.request is not None and action != "cancel":
            raise ApiError(422, "invalid_request", "body.request: one request alone can only be cancelled")
        async with pool.connection() as connection:
            # it applies to a whole library: an account that sees only a part of it may not do that
            found = {place.library for place in (await places(connection, admin.rights)).values()}
            known = sorted(library for library in found if admin.rights.sees_library(library))
        if body.library is not None and body.library not in known:
            raise unknown("library", "no such library", known, "body")
        libraries = known if body.library is None else [body.library]
        for library in libraries:
            record = AnalysisSteered(
                action=action, reason=body.reason, by=admin.username, at=now_iso(), request=body.request
            )
            await publishing.observe(record, library)
        return Steered(libraries=libraries)

    return routes
