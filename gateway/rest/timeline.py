"""A channel's timeline: `GET /api/v1/channels/{channel}/density`.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from gateway.access.tokens import Identity
from gateway.live.connection import viewer_of
from gateway.log.densities import Densities, DensityRequest
from gateway.rest.access import Guard
from gateway.rest.channels import known_channel
from gateway.rest.edge import ApiError
from schemas.errors import BadPlace
from schemas.place_forms import Grammar, read_query
from schemas.places import AtTime, Earliest, Head
from schemas.times import Millis, iso

MAX_BUCKETS = 1_000
MAX_PLACE = 64
FROM = Grammar({"earliest": Earliest()}, ("time",))
UNTIL = Grammar({"head": Head()}, ("time",))


class DensityShown(BaseModel):
    """How many events were appended in each bucket of a time range. The buckets have the same length, to a millisecond; the
    first begins at `begins_at`, the last ends before `ends_at`."""

    channel: str
    begins_at: str
    ends_at: str
    bucket_seconds: float
    counts: list[int | None] = Field(description="null: unknown")
    total: int = Field(description="of the known counts")
    source: Literal["log", "memory"] = Field(
        description="log: approximate, by the log's time index, which counts transaction markers too; memory: exact,"
        " the events that the holder may see, as far back as this gateway keeps them; for holders who do not see every root"
    )


def router(densities: Densities, guard: Guard) -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/api/v1/channels", tags=["channels"])

    @routes.get("/{channel}/density")
    async def density(
        channel: str,
        holder: Annotated[Identity, Depends(guard.holder)],
        from_: Annotated[
            str,
            Query(
                alias="from", max_length=MAX_PLACE, description="earliest, or a time (ISO 8601, or ms since 1970)"
            ),
        ] = "earliest",
        until: Annotated[str, Query(max_length=MAX_PLACE, description="head (now), or a time")] = "head",
        buckets: Annotated[int, Query(ge=1, le=MAX_BUCKETS)] = 200,
    ) -> DensityShown:
        """About how many events were appended when; an answer is at most a few seconds old."""
        known = known_channel(channel, holder)
        begin, end = _time("from", from_, FROM), _time("until", until, UNTIL)
        if begin is not None and end is not None and end <= begin:
            raise ApiError(422, "invalid_request", "query.until: is not after `from`")
        found = await densities.density(DensityRequest(known.name, begin, end, buckets), viewer_of(holder))
        edges = found.edges
        return DensityShown(
            channel=known.name,
            begins_at=iso(edges[0]),
            ends_at=iso(edges[-1]),
            bucket_seconds=(edges[-1] - edges[0]) / (len(edges) - 1) / 1_000,
            counts=list(found.counts),
            total=sum(count for count in found.counts if count is not None),
            source=found.source,
        )

    return routes


def _time(name: str, text: str, grammar: Grammar) -> Millis | None:
    """None: the beginning or the end of the log."""
    try:
        place = read_query(text, grammar)
    except BadPlace as error:
        raise ApiError(422, "invalid_request", f"query.{name}{error.at}: {error}") from error
    return place.at if isinstance(place, AtTime) else None
