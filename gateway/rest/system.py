"""The process itself: health, metrics, version, channels and their lag; and notifications.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from gateway.access.accounts import Accounts
from gateway.access.roles import ROLE_IDS
from gateway.access.tokens import Identity
from gateway.core.about import Addressee
from gateway.core.arriving import MAX_BODY_BYTES
from gateway.core.memory import MemoryView
from gateway.live.tail import Tail
from gateway.log.publishing import Publishing
from gateway.rest.access import Guard
from gateway.rest.body import Closed, json_within
from gateway.rest.declared import known_library
from gateway.rest.edge import ApiError
from gateway.tables.history import History
from runtime.exposition import exposition
from runtime.health import Health, product_version
from runtime.reports import now_iso
from schemas.channels import CHANNELS
from schemas.close_codes import CLOSE_CODES
from schemas.system import MESSAGE_CHARACTERS, TITLE_CHARACTERS, TYPE_CHARACTERS, Notification


class HealthShown(BaseModel):
    """`healthy`, `starting`, or `degraded` with the problems."""

    status: Literal["healthy", "starting", "degraded"]
    version: str
    timestamp: str
    problems: dict[str, str] = {}


class ReadyShown(BaseModel):
    """Whether the process can do its work."""

    status: Literal["ready", "unready"]
    problems: dict[str, str] = {}


_UNREADY: dict[int | str, dict[str, Any]] = {
    503: {"model": ReadyShown, "description": "not yet, or not now; `problems` has the reasons"}
}
_METRICS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus's text format"}
}


class Alive(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Version(BaseModel):
    """The running version."""

    version: str


class ChannelShown(BaseModel):
    """A channel, this gateway's position in its topic and the range in its memory, by partition."""

    name: str
    event: str
    topic: str | None
    everybody: bool
    epoch: str
    next_offsets: dict[int, int]
    memory_from: dict[int, int]


class CloseCodeShown(BaseModel):
    """A close code of the WebSocket."""

    code: int
    reason: str
    meaning: str
    come_back: bool


class ChannelsShown(BaseModel):
    """All channels and close codes."""

    channels: list[ChannelShown]
    close_codes: list[CloseCodeShown]


class LagShown(BaseModel):
    """How far this gateway is behind the log, in records, by partition of each channel's topic."""

    lag: dict[str, dict[int, int]]


class ToBody(Closed):
    """The addressee: one of these. Accounts with rights to a library get its notifications."""

    role: Literal["admin", "operator", "viewer"] | None = None
    user: str | None = Field(None, min_length=1, max_length=64)
    library: str | None = Field(None, min_length=1, max_length=249)


class NotificationBody(Closed):
    """A notification, to everybody if `to` is absent. `id`: the caller's own, so that a retry can be distinguished from a
    new one."""

    type: str = Field(min_length=1, max_length=TYPE_CHARACTERS)
    title: str = Field(min_length=1, max_length=TITLE_CHARACTERS)
    message: str = Field(max_length=MESSAGE_CHARACTERS)
    level: Literal["info", "success", "warning", "error"]
    to: ToBody | None = None
    id: str | None = Field(None, pattern=r"^[A-Za-z0-9._:-]{1,64}$")


async def _json(request: Request) -> None:
    """A message of MESSAGE_CHARACTERS fits, in any script and with any escapes."""
    await json_within(request, MAX_BODY_BYTES)


class PublishedShown(BaseModel):
    """The notification's position in the log."""

    id: str
    partition: int
    offset: int


def router(
    memory: MemoryView,
    tail: Tail,
    health: Health,
    publishing: Publishing,
    *,
    accounts: Accounts,
    history: History,
    guard: Guard,
) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["system"])

    @routes.get("/health")
    @routes.get("/api/v1/health")
    async def whole() -> HealthShown:
        """The gateway's health; always 200 while it answers."""
        problems, starting = health.problems(), health.starting()
        status: Literal["healthy", "starting", "degraded"] = "healthy"
        if problems or starting:
            status = "degraded" if problems else "starting"
        return HealthShown(status=status, version=product_version(), timestamp=now_iso(), problems=problems)

    @routes.get("/health/live")
    @routes.get("/api/v1/health/live")
    async def live() -> Alive:
        """The process answers."""
        return Alive()

    @routes.get("/health/ready", responses=_UNREADY)
    @routes.get("/api/v1/health/ready", responses=_UNREADY)
    async def ready(response: Response) -> ReadyShown:
        """The gateway follows the log and can use the database; otherwise 503 with the reason."""
        problems = health.unready()
        response.status_code = 503 if problems else 200
        return ReadyShown(status="unready" if problems else "ready", problems=problems)

    @routes.get("/health/startup", responses=_UNREADY)
    @routes.get("/api/v1/health/startup", responses=_UNREADY)
    async def startup(response: Response) -> ReadyShown:
        """The gateway has reached the end of the log once; 503 before."""
        done = tail.ready.is_set()
        response.status_code = 200 if done else 503
        return ReadyShown(status="ready" if done else "unready", problems={} if done else health.unready())

    @routes.get(
        "/metrics",
        response_class=Response,
        responses=_METRICS,
        dependencies=[Depends(guard.allowed("inspect:gateway"))],
    )
    async def metrics() -> Response:
        """Prometheus metrics, of all workers together. Without a token they are available on the port of
        `CATALOGIZER_GATEWAY__HEALTH__PORT`."""
        health.measure()
        return Response(exposition(), media_type=CONTENT_TYPE_LATEST)

    @routes.get(
        "/api/v1/openapi.json",
        include_in_schema=False,
        dependencies=[Depends(guard.allowed("inspect:gateway"))],
    )
    async def openapi(request: Request) -> dict[str, Any]:
        """The REST API's document."""
        described: dict[str, Any] = request.app.openapi()
        return described

    @routes.get("/version")
    @routes.get("/api/v1/version")
    async def version() -> Version:
        """The running version."""
        return Version(version=product_version())

    @routes.get("/api/v1/channels")
    async def channels(holder: Annotated[Identity, Depends(guard.holder)]) -> ChannelsShown:
        """The channels that the holder may follow, this gateway's positions in them, and the close codes."""
        return ChannelsShown(
            channels=[
                ChannelShown(
                    name=channel.name,
                    event=channel.event,
                    topic=None if channel.topic is None else channel.topic.name,
                    everybody=channel.everybody,
                    epoch=memory.epoch(channel.name),
                    next_offsets=memory.heads(channel.name),
                    memory_from=memory.floors(channel.name),
                )
                for channel in CHANNELS.values()
                if holder.rights.may_follow(channel.name)
            ],
            close_codes=[
                CloseCodeShown(code=c.code, reason=c.reason, meaning=c.meaning, come_back=c.come_back)
                for c in CLOSE_CODES
            ],
        )

    @routes.get("/api/v1/topics/lag")
    async def lag(holder: Annotated[Identity, Depends(guard.holder)]) -> LagShown:
        """How far this gateway is behind the log, in the channels that the holder may follow."""
        return LagShown(lag={name: lag for name, lag in tail.lag().items() if holder.rights.may_follow(name)})

    @routes.post("/api/v1/notifications", status_code=201, dependencies=[Depends(_json)])
    async def notify(
        body: NotificationBody, admin: Annotated[Identity, Depends(guard.allowed("write:notifications"))]
    ) -> PublishedShown:
        """Notify everybody, a role, a user or those who see a library; answered when the log has acknowledged it."""
        to = None if body.to is None else await addressee(body.to, admin)
        notification = Notification(type=body.type, title=body.title, message=body.message, level=body.level)
        written = await publishing.notify(notification, id=body.id, by=admin.session_id, to=to)
        return PublishedShown(id=written.id, partition=written.partition, offset=written.offset)

    async def addressee(to: ToBody, admin: Identity) -> Addressee:
        match to.model_dump(exclude_none=True):
            case {"role": str(role), **others} if not others:
                return Addressee("role", str(ROLE_IDS[role]))
            case {"library": str(library), **others} if not others:
                await known_library(history, admin, "to.library", library, "body")
                return Addressee("library", library)
            case {"user": str(name), **others} if not others:
                account = await accounts.find(name)
                if account is None:
                    raise ApiError(422, "invalid_request", "body.to.user: no such account")
                return Addressee("user", str(account.id))
            case _:
                raise ApiError(422, "invalid_request", "body.to: one of role, user and library")

    return routes
