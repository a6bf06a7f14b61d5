"""The audit log: `GET /api/v1/audit`.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from gateway.access.tokens import Identity
from gateway.log.audit_pages import Audited, AuditPages
from gateway.rest.access import Guard
from schemas.ids import MAX_SAFE
from schemas.times import iso

UNREADABLE = "unreadable"


class AuditShown(BaseModel):
    """The members of an audit event as in its record (`docs/records.md`), and its position."""

    offset: int
    appended_at: str
    id: str
    action: str = Field(description=f"{UNREADABLE}: the record is not an event of this program")
    by: str
    subject: str
    at: str
    address: str | None = None
    way: str | None = None
    why: str | None = None
    details: dict[str, Any] = {}
    permission: str | None = None
    method: str | None = None
    path: str | None = None
    request_id: str | None = None
    unlogged: int = 0


class AuditPageShown(BaseModel):
    """A page, the newest first. `next`: the `from` of the next, older page; null on the last."""

    events: list[AuditShown]
    next: int | None


def router(pages: AuditPages, guard: Guard) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/api/v1", tags=["accounts"])

    @routes.get("/audit")
    async def audit(
        _admin: Annotated[Identity, Depends(guard.allowed("read:audit"))],
        from_: Annotated[
            int | None, Query(alias="from", ge=0, lt=MAX_SAFE, description="the `next` of the page before")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> AuditPageShown:
        """Sign-ins, refusals and actions; the newest first."""
        page = await pages.page(from_, limit)
        return AuditPageShown(events=[_shown(one) for one in page.events], next=page.next)

    return routes


def _shown(one: Audited) -> AuditShown:
    place = {"offset": one.offset, "appended_at": iso(one.at), "id": one.id}
    if one.event is None:
        return AuditShown.model_validate(
            {**place, "action": UNREADABLE, "by": "", "subject": "", "at": iso(one.at)}
        )
    return AuditShown.model_validate({**msgspec.to_builtins(one.event), **place})
