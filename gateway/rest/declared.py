"""Nothing that a request says is silently ignored: what its route does not declare, or names what is not there, is 422.

A misspelt filter would otherwise answer with everything, and a misspelt name with nothing.
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
"""Health and metrics are asked by machines that add parameters of their own."""


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
    """For an answer that came out empty: answers 422 where the root asked for is none that the holder may see. `where`:
    query or body."""
    if root is None:
        return
    roots = [row.root for row in await history.roots(holder.rights)]
    if root not in roots:
        raise unknown(parameter, "no such storage root", roots, where)


async def known_library(
    history: History, holder: Identity, parameter: str, library: str | None, where: str = "query"
) -> None:
    """The same for a library: answers 422 where no root of it is seen."""
    if library is None:
        return
    libraries = sorted({row.library for row in await history.roots(holder.rights) if row.library})
    if library not in libraries:
        raise unknown(parameter, "no such library", libraries, where)


def known_value(parameter: str, value: str | None, known: Iterable[str]) -> None:
    """The same for one of a closed set."""
    if value is not None and value not in known:
        raise unknown(parameter, "no such value", known)


def unknown(parameter: str, what: str, known: Iterable[str], where: str = "query") -> ApiError:
    """The error, with what is known."""
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
