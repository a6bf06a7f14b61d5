"""Taking a root out of the catalogue: `POST /api/v1/storage/roots/{root}/retire`. The gateway publishes it to the change
log, and the fold deletes the root's items.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

import secrets
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from gateway.access.tokens import Identity
from gateway.log.publishing import Publishing
from gateway.rest.access import Guard
from gateway.rest.edge import ApiError
from gateway.tables.history import History
from runtime.reports import now_iso
from schemas.admin import RetireRoot
from schemas.raw import Protocol

UNWATCHED = "unwatched"
"""The mode of a root that no producer reports any more (`streams.status`)."""


class RetireAsked(BaseModel):
    """The request's offset in the change log, in its lane; when the fold has processed it, the root's items are deleted with
    cause `retired`. The files stay."""

    id: str
    root: str
    partition: int
    offset: int


def router(history: History, publishing: Publishing, guard: Guard) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/api/v1", tags=["storage"])

    @routes.post(
        "/storage/roots/{root}/retire",
        status_code=202,
        responses={404: {"description": "no such root"}, 409: {"description": "somebody watches it"}},
    )
    async def retire(
        root: Annotated[str, Path(min_length=1, max_length=64)],
        admin: Annotated[Identity, Depends(guard.allowed("retire:roots"))],
    ) -> RetireAsked:
        """Take all items of a root that nobody watches any more out of the catalogue; answered when the log has acknowledged
        it. A watched root is refused: its next events would bring parts of it back."""
        found = next((row for row in await history.roots(admin.rights) if row.root == root), None)
        if found is None:
            raise ApiError(404, "not_found", "no such storage root")
        if (found.details or {}).get("mode") != UNWATCHED:
            raise ApiError(
                409,
                "root_watched",
                f"{root} is watched: take it out of the settings of its `catalogizer watch` first",
            )
        command = RetireRoot(id=secrets.token_hex(8), root=root, by=admin.username, at=now_iso())
        protocol: Protocol = msgspec.convert(found.protocol, Protocol)
        written = await publishing.retire(command, found.library, protocol, found.location)
        return RetireAsked(id=command.id, root=root, partition=written.partition, offset=written.offset)

    return routes
