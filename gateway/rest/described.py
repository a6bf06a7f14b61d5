"""What the OpenAPI document says of errors: which of them a route answers follows from what it depends on, and all have the
one shape. What only a route itself can know (a conflict, a limit) it names with `errors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from gateway.rest.access import Guard
from gateway.rest.body import small_json
from gateway.rest.declared import PREFIX


class ErrorShown(BaseModel):
    """What every error is. `error`: for programs; `message`: for people; `request_id`: as in the log."""

    error: str
    message: str
    request_id: str


MEANINGS = {
    400: "a value that cannot be looked up, a cursor that does not hold, or not one Host header",
    401: "no token, or one that does not hold",
    403: "the holder may not do this",
    404: "there is nothing of that name, or nothing that the holder may see",
    409: "not as things stand",
    413: "the body is too large",
    414: "the address is too long",
    415: "the body is not of the kind that is read here",
    422: "a value that is not allowed, or a parameter that is not known; `message` names it",
    429: "too many; come back after `Retry-After`",
    431: "the headers are too large",
    503: "something of ours is away; come back after `Retry-After`",
}
_SHAPE = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorShown"}}}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: what it answers beside what its dependencies do."""
    return {status: {"model": ErrorShown, "description": MEANINGS[status]} for status in statuses}


def install(app: FastAPI, routers: Sequence[APIRouter], guard: Guard) -> None:
    """Make the application's document say so. `routers`: as they are included."""
    plain = app.openapi
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            for route in routes:
                _describe(route, document["paths"].get(route.path_format, {}), guard)
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["ErrorShown"] = ErrorShown.model_json_schema()
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def statuses(route: APIRoute, guard: Guard) -> frozenset[int]:
    """The errors that follow from what a route depends on."""
    calls = set(_calls(route.dependant))
    found = {400, 414, 431}
    if route.path.startswith(PREFIX):
        found |= {422, 503}
    if "{" in route.path:
        found.add(404)
    if calls & guard.demanding:
        found |= {401, 503}
    if calls & guard.permitting:
        found |= {401, 403, 503}
    if small_json in calls:
        found |= {413, 415, 422}
    return frozenset(found)


def _describe(route: APIRoute, operations: dict[str, Any], guard: Guard) -> None:
    for method in route.methods or ():
        operation = operations.get(method.lower())
        if operation is None:
            continue
        answers = operation["responses"]
        if "HTTPValidationError" in str(answers.get("422", "")):
            del answers["422"]
        for status in sorted(statuses(route, guard)):
            answers.setdefault(str(status), {"description": MEANINGS[status], "content": _SHAPE})


def _calls(dependant: Dependant) -> Iterator[Any]:
    for below in dependant.dependencies:
        yield below.call
        yield from _calls(below)
