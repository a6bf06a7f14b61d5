"""Nothing in a request is silently ignored: a parameter that its route does not declare, or a name that does not exist, is
answered with 422.

A misspelt filter would otherwise return everything, and a misspelt name nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from gateway.access.tokens import Identity
from gateway.rest.edge import ApiError
from gateway.tables.history import History

PREFIX = "/api/"
"""Health and metrics are requested by machines that add parameters of their own."""


async def only_declared(request: Request) -> None:
    """A dependency of every router. Answers 422 naming the parameter and the known ones."""
    route = request.scope["route"]
    if not request.query_params or not isinstance(route, APIRoute) or not request.scope["path"].startswith(PREFIX):
        return
    known = tuple(dict.fromkeys(_names(route.dependant)))
    for name in request.query_params:
        if name not in known:
            raise unknown(name, "no such parameter", known)


async def known_root(
    history: History, holder: Identity, parameter: str, root: str | None, where: str = "query"
) -> None:
    """For an empty answer: answers 422 if the requested root is not one that the holder may see. `where`: query or body."""
    if root is None:
        return
    roots = [row.root for row in await history.roots(holder.rights)]
    if root not in roots:
        raise unknown(parameter, "no such storage root", roots, where)


async def known_library(
    history: History, holder: Identity, parameter: str, library: str | None, where: str = "query"
) -> None:
    """The same for a library: answers 422 if none of its roots may be seen."""
    if library is None:
        return
    libraries = sorted({row.library for row in await history.roots(holder.rights) if row.library})
    if library not in libraries:
        raise unknown(parameter, "no such library", libraries, where)


def known_value(parameter: str, value: str | None, known: Iterable[str]) -> None:
    """The same for a value of a closed set."""
    if value is not None and value not in known:
        raise unknown(parameter, "no such value", known)


def unknown(parameter: str, what: str, known: Iterable[str], where: str = "query") -> ApiError:
    """The error, with the known values."""
    return ApiError(
        422, "invalid_request", f"{where}.{parameter}: {what}; known: {', '.join(known) or 'none'}"[:1_000]
    )


def _names(dependant: Dependant) -> Iterable[str]:
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from model.model_fields
        else:
            yield field.alias
    for below in dependant.dependencies:
        yield from _names(below)
