"""Past changes for one caller, and for nobody else: `POST /api/v1/changes/replay`, the contract's ProcessPendingChanges.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.types import Receive, Scope, Send

from gateway.access.tokens import Identity
from gateway.core.starts import BadOption
from gateway.log.changes import MAX_SECONDS, ChangeReplay, ChangesLog, ReplayRequest
from gateway.rest.access import Guard
from gateway.rest.body import Closed, small_json
from gateway.rest.declared import known_library, known_root
from gateway.rest.edge import ApiError
from gateway.tables.history import Changes, History
from schemas.errors import BadPlace
from schemas.place_forms import UNTIL, Grammar, Own, read_json
from schemas.places import ClientPlace, Earliest

FROM = Grammar({"earliest": Earliest()}, ("last", "time", "offsets"))
SLOW_SECONDS = 30.0
"""Time that a reader may take beyond the time of the replay."""


class ReplayBody(Closed):
    """From a place to before another, as in a subscription. `root`: what is or was there."""

    from_: Any = Field("earliest", alias="from")
    until: Any = "head"
    library: str | None = Field(None, min_length=1, max_length=249)
    root: str | None = Field(None, min_length=1, max_length=255)
    limit: int = Field(10_000, ge=1, le=100_000)


class _Replayed(StreamingResponse):
    """Releases the replay, however the answer ends, and ends a reader that takes too long."""

    def __init__(self, replay: ChangeReplay) -> None:
        super().__init__(replay.lines(), media_type="application/x-ndjson")
        self._replay = replay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        try:
            async with asyncio.timeout(MAX_SECONDS + SLOW_SECONDS):
                await super().__call__(scope, receive, send)
        finally:
            await self._replay.close()


def router(changes: ChangesLog, history: History, guard: Guard) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/api/v1", tags=["history"])

    @routes.post(
        "/changes/replay",
        dependencies=[Depends(small_json)],
        response_class=StreamingResponse,
        responses={200: {"content": {"application/x-ndjson": {}}, "description": "one JSON object a line"}},
    )
    async def replay(
        body: ReplayBody, admin: Annotated[Identity, Depends(guard.allowed("replay:changes"))]
    ) -> StreamingResponse:
        """The changes of a range of the log, one a line; the first line has the beginning, the last where to continue."""
        begin, until = _place("from", body.from_, FROM), _place("until", body.until, UNTIL)
        await _known(history, admin, body)
        try:
            return _Replayed(
                await changes.replay(
                    ReplayRequest(begin, until, body.library, body.root, body.limit, admin.rights)
                )
            )
        except BadOption as error:
            raise ApiError(422, "invalid_request", error.reason) from error

    return routes


async def _known(history: History, admin: Identity, body: ReplayBody) -> None:
    """Answers 422 for a root with neither a row nor a change, and for a library without a root."""
    if body.root is not None and not await history.changes(Changes(root=body.root, limit=1), admin.rights):
        await known_root(history, admin, "root", body.root, "body")
    await known_library(history, admin, "library", body.library, "body")


def _place(name: str, value: object, grammar: Grammar) -> ClientPlace:
    try:
        place = read_json(value, grammar)
    except BadPlace as error:
        raise ApiError(422, "invalid_request", f"body.{name}{error.at}: {error}") from error
    assert not isinstance(place, Own)  # the grammar has none
    return place
