"""Errors and authentication in the OpenAPI document: which errors a route may answer, and whether it needs a token and which
permission, follows from its dependencies; all errors have the same form. What only a route itself can know (a conflict, a
limit, another way to authenticate) it declares with `errors` and `authenticated_by`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from gateway.rest.access import Guard
from gateway.rest.body import small_json
from gateway.rest.declared import PREFIX


class ErrorShown(BaseModel):
    """The form of every error. `error`: for programs; `message`: for people; `request_id`: as in the log."""

    error: str
    message: str
    request_id: str


MEANINGS = {
    400: "a value that cannot be looked up, an invalid cursor, or not exactly one Host header",
    401: "no token, or an invalid one",
    403: "the holder may not do this",
    404: "nothing has that name, or nothing that the holder may see",
    409: "not possible in the present state",
    413: "the body is too large",
    414: "the address is too long",
    415: "the body is not of the expected type",
    422: "a value that is not allowed, or a parameter that is not known; `message` names it",
    429: "too many; come back after `Retry-After`",
    431: "the headers are too large",
    503: "a service of the gateway is unavailable; come back after `Retry-After`",
}
_SHAPE = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorShown"}}}


Way = Literal["bearer", "ticket", "signed", "nobody"]
WAYS: dict[Way, dict[str, str]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "a session token (`POST /api/v1/auth/login`), a machine's token, or a provider's; what an operation"
        " lists beside it is the permission that its holder needs",
    },
    "ticket": {
        "type": "apiKey",
        "in": "query",
        "name": "ticket",
        "description": "of `POST /api/v1/auth/ws-ticket`, good once, within 60 s",
    },
    "signed": {
        "type": "apiKey",
        "in": "query",
        "name": "signed",
        "description": "as in the addresses of covers that REST returns",
    },
}
"""The ways to authenticate: the document's security schemes."""


def authenticated_by(*ways: Way) -> dict[str, Any]:
    """For a route's `openapi_extra`, if it does not follow from its dependencies: any of these ways is accepted."""
    return {"security": [{} if way == "nobody" else {way: []} for way in ways]}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: its errors in addition to those of its dependencies."""
    return {status: {"model": ErrorShown, "description": MEANINGS[status]} for status in statuses}


def install(app: FastAPI, routers: Sequence[APIRouter], guard: Guard) -> None:
    """Add this to the application's document. `routers`: as they are included."""
    plain = app.openapi
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            for route in routes:
                _describe(route, document["paths"].get(route.path_format, {}), guard)
            components = document.setdefault("components", {})
            components["securitySchemes"] = WAYS
            schemas = components.setdefault("schemas", {})
            schemas["ErrorShown"] = ErrorShown.model_json_schema()
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def statuses(route: APIRoute, guard: Guard) -> frozenset[int]:
    """The errors that follow from a route's dependencies."""
    calls = set(_calls(route.dependant))
    found = {400, 414, 431}
    if route.path.startswith(PREFIX):
        found |= {422, 503}
    if "{" in route.path:
        found.add(404)
    if calls & guard.demanding:
        found |= {401, 503}
    if calls & guard.permitting.keys():
        found |= {401, 403, 503}
    if small_json in calls:
        found |= {413, 415, 422}
    return frozenset(found)


def security(route: APIRoute, guard: Guard) -> list[dict[str, list[str]]]:
    """The authentication that follows from a route's dependencies: none, or a token, with a permission or without (the roles
    that OpenAPI 3.1 has beside a scheme, section 4.8.30)."""
    calls = set(_calls(route.dependant))
    permissions = sorted(guard.permitting[call] for call in calls & guard.permitting.keys())
    if permissions or calls & guard.demanding:
        return [{"bearer": [*permissions]}]
    return []


def _describe(route: APIRoute, operations: dict[str, Any], guard: Guard) -> None:
    for method in route.methods or ():
        operation = operations.get(method.lower())
        if operation is None:
            continue
        operation.setdefault("security", security(route, guard))
        answers = operation["responses"]
        if "HTTPValidationError" in str(answers.get("422", "")):
            del answers["422"]
        for status in sorted(statuses(route, guard)):
            answers.setdefault(str(status), {"description": MEANINGS[status], "content": _SHAPE})


def _calls(dependant: Dependant) -> Iterator[Any]:
    for below in dependant.dependencies:
        yield below.call
        yield from _calls(below)
