"""A channel over HTTP: its past in pages, and its events as they come (`text/event-stream`).

Parameters and answers match those of a socket. A channel that may not be followed is answered like one that does not exist.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel

from gateway.access.authority import CannotCheck
from gateway.access.tokens import BadToken, Identity
from gateway.core.options import MAX_NAMES, filter_of
from gateway.core.starts import BadOption, Start, Until, start_in_query, until_in_query
from gateway.core.subscriber import Options
from gateway.core.view import Filter
from gateway.live.connection import viewer_of
from gateway.live.connections import Connections
from gateway.live.event_stream import EventStream, EventStreamAnswer
from gateway.live.streaming import Streaming
from gateway.live.subscribing import Subscribing
from gateway.log.finding import Finding, Wanted
from gateway.log.pages import Pages
from gateway.rest.access import CHALLENGE, Guard
from gateway.rest.described import authenticated_by, errors
from gateway.rest.edge import ApiError, unavailable
from runtime.waits import COME_BACK_SECONDS
from schemas.channels import CHANNELS, Channel
from schemas.errors import BadCursor

MAX_EVENTS = 1_000
MAX_PLACE = 16_384

From = Annotated[
    str | None,
    Query(
        alias="from",
        max_length=MAX_PLACE,
        description="earliest, live, last:20, a time (ISO 8601, or ms since 1970), offsets (0:120,3:7), a cursor, or the"
        " JSON of a subscription's `from`",
    ),
]
Names = Annotated[list[str] | None, Query(max_length=MAX_NAMES)]


class MissedShown(BaseModel):
    """Offsets [from, to) that are gone; `to` null: unknown."""

    model_config = {"json_schema_extra": {"properties": {"from": {"type": "integer"}}, "required": ["from", "to"]}}
    to: int | None


class EventShown(BaseModel):
    """A frame of the channel, as a socket gets it."""

    model_config = {"extra": "allow"}
    type: str
    data: dict[str, Any]
    timestamp: str
    channel: str
    partition: int
    offset: int
    id: str


class GapShown(BaseModel):
    """Skipped offsets and the reason, as a socket gets them."""

    model_config = {"extra": "allow"}
    type: Literal["gap"]
    data: dict[str, Any]
    timestamp: str
    channel: str
    partition: int
    reason: str


class EventPage(BaseModel):
    """A page. `next`: the `from` of the next page; `complete`: nothing more is before the end (except what was appended
    meanwhile). A page that is not complete may have no event, if the caller may see few of them. The other members are those
    of `subscribed`."""

    channel: str
    start: dict[int, int]
    head: dict[int, int]
    epoch: str
    mode: Literal["live", "ring", "log"]
    recovered: bool
    cursor: str
    reason: Literal["retention", "epoch_changed"] | None = None
    missed: dict[int, MissedShown] = {}
    events: list[EventShown]
    gaps: list[GapShown]
    next: str
    complete: bool


def router(
    guard: Guard, finding: Finding, pages: Pages, *, streaming: Streaming, subscribing: Subscribing,
    connections: Connections,
) -> APIRouter:  # fmt: skip
    """The routes."""
    routes = APIRouter(prefix="/api/v1/channels", tags=["channels"])

    async def reader(
        request: Request,
        ticket: Annotated[str | None, Query(description="of `POST /api/v1/auth/ws-ticket`")] = None,
    ) -> Identity:
        """The caller: by a token, or by a ticket where no header can be set."""
        if ticket is None or "authorization" in request.headers:
            return await guard.holder(request)
        try:
            return await guard.authority.redeem(ticket)
        except BadToken:
            raise ApiError(401, "unauthorized", "not a valid ticket", CHALLENGE) from None
        except CannotCheck as error:
            raise unavailable() from error

    guard.demanding.add(reader)

    @routes.get("/{channel}/events", response_model=EventPage)
    async def events(
        channel: str,
        holder: Annotated[Identity, Depends(guard.holder)],
        wanted: Annotated[Filter | None, Depends(_filter)],
        from_: From = None,
        until: Annotated[str | None, Query(max_length=MAX_PLACE, description="head, a time, or offsets")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = 100,
    ) -> Response:
        """Past events of a channel, in the order of the log, the frames as sockets get them."""
        known = known_channel(channel, holder)
        start = _start("earliest" if from_ is None else from_, known)
        request = Wanted(
            known.name, start, lambda: streaming.memory.heads(known.name),
            None if until is None else _until(until), "earliest", viewer_of(holder), wanted,
        )  # fmt: skip
        try:
            return Response(await pages.page(request, limit), media_type="application/json")
        except BadOption as error:
            raise ApiError(422, "invalid_request", f"query.{error.reason}") from error

    @routes.get(
        "/{channel}/stream",
        response_class=Response,
        openapi_extra=authenticated_by("bearer", "ticket"),
        responses=errors(429)
        | {
            200: {
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
                "description": "server-sent events",
            },
        },
    )
    async def stream(
        channel: str,
        holder: Annotated[Identity, Depends(reader)],
        wanted: Annotated[Filter | None, Depends(_filter)],
        from_: From = None,
        last_event_id: Annotated[
            str | None, Header(max_length=MAX_PLACE, description="the newest id; before `from`")
        ] = None,
    ) -> Response:
        """Events of a channel as they come, from a position in the past if `from` or `Last-Event-ID` names one."""
        known = known_channel(channel, holder)
        start = _start(last_event_id or ("live" if from_ is None else from_), known)
        if (why := connections.refusal(holder)) is not None:
            raise _refused(why)

        async def begin() -> EventStream:
            request = Wanted(
                known.name,
                start,
                lambda: streaming.memory.heads(known.name),
                viewer=viewer_of(holder),
                filter=wanted,
            )
            try:
                resolved, _ = await finding.find(request)
            except BadOption as error:
                raise ApiError(422, "invalid_request", f"query.{error.reason}") from error
            stream = EventStream(known, holder, streaming, subscribing)
            stream.follow(resolved, Options(status_messages=True, filter=wanted))
            return stream

        return EventStreamAnswer(connections, holder, begin)

    return routes


def _filter(storage_root: Names = None, media_type: Names = None, action: Names = None) -> Filter | None:
    """The filter of the channel; each parameter may be repeated."""
    parameters = {"storage_root": storage_root, "media_type": media_type, "action": action}
    try:
        return filter_of({name: list(names) for name, names in parameters.items() if names} or None)
    except BadOption as error:
        raise ApiError(422, "invalid_request", f"query.{error.reason.removeprefix('filter.')}") from error


def known_channel(name: str, holder: Identity) -> Channel:
    """The channel, if the holder may follow it. Answers 404."""
    known = CHANNELS.get(name)
    if known is None or not holder.rights.may_follow(name):
        raise ApiError(404, "not_found", "no such channel")
    return known


def _start(text: str, channel: Channel) -> Start:
    try:
        return start_in_query(text, channel.name)
    except BadOption as error:
        raise ApiError(422, "invalid_request", f"query.{error.reason}") from error
    except BadCursor as error:
        raise ApiError(400, "bad_cursor", f"cursor: {error.reason}") from error


def _until(text: str) -> Until:
    try:
        return until_in_query(text)
    except BadOption as error:
        raise ApiError(422, "invalid_request", f"query.{error.reason}") from error


def _refused(why: str) -> ApiError:
    retry = {"Retry-After": str(COME_BACK_SECONDS)}
    if why == "overload":
        return ApiError(503, "unavailable", "no room, or not yet; try again in a moment", retry)
    return ApiError(429, "too_many_requests", "too many sockets and streams of this session", retry)
