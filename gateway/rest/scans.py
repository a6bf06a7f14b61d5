"""Scan requests: `POST /api/v1/scans`. The gateway publishes the request to the log; the producer of the root carries it
out.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from gateway.access.tokens import Identity
from gateway.log.publishing import Publishing
from gateway.rest.access import Guard
from gateway.rest.body import Closed, inside, small_json
from gateway.rest.declared import known_root
from gateway.tables.history import History
from runtime.reports import now_iso
from schemas.admin import RescanRoot
from schemas.paths import to_wire


class ScanBody(Closed):
    """A scan request. `subtree`: a directory relative to the root; empty: all of it. `id`: the caller's own; the same id is
    not carried out again."""

    root: str = Field(min_length=1, max_length=64)
    subtree: str = Field("", max_length=4_096)
    reason: str = Field("by REST", min_length=1, max_length=256)
    id: str | None = Field(None, pattern=r"^[A-Za-z0-9._:-]{1,64}$")


class ScanAsked(BaseModel):
    """The request's offset in the control topic; what the scan finds has cause `requested`."""

    id: str
    root: str
    subtree: str
    partition: int
    offset: int


def router(history: History, publishing: Publishing, guard: Guard) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/api/v1", tags=["scans"])

    @routes.post("/scans", status_code=202, dependencies=[Depends(small_json)])
    async def scan(
        body: ScanBody, admin: Annotated[Identity, Depends(guard.allowed("request:scans"))]
    ) -> ScanAsked:
        """Request a scan of a root, or of a directory and all below it; answered when the log has acknowledged it."""
        await known_root(history, admin, "root", body.root, "body")
        subtree, b64 = to_wire(inside(body.subtree))
        command = RescanRoot(
            id=body.id or secrets.token_hex(8), root=body.root, by=admin.username, at=now_iso(),
            reason=body.reason, subtree=subtree, subtree_b64=b64,
        )  # fmt: skip
        written = await publishing.send_control(command)
        return ScanAsked(
            id=command.id, root=body.root, subtree=subtree, partition=written.partition, offset=written.offset
        )

    return routes
