"""Rules for every request body: JSON, small, and without members that its route does not know."""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from gateway.rest.edge import ApiError

MAX_BODY_BYTES = 4_096


class Closed(BaseModel):
    """A request body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


async def small_json(request: Request) -> None:
    """A dependency of each route with a body. Answers 415 if it is not JSON, and 413 over 4 KiB."""
    await json_within(request, MAX_BODY_BYTES)


async def json_within(request: Request, max_bytes: int) -> None:
    """The same with another limit."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(415, "unsupported_media_type", "send application/json")
    if len(await request.body()) > max_bytes:
        raise ApiError(413, "too_large", "body too large")


def inside(subtree: str) -> str:
    """A directory relative to a root, without slashes around it. Answers 422 if it leads outside."""
    path = subtree.strip("/")
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/") if path):
        raise ApiError(422, "invalid_request", "body.subtree: is relative to the root and leads nowhere else")
    return path
