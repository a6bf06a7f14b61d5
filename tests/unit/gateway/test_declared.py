"""A request is answered only if its route declares all of its parameters."""

from __future__ import annotations

import asyncio
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query

from gateway.access.proxies import Proxies
from gateway.access.refusal_log import RefusalLog
from gateway.rest import edge
from gateway.rest.declared import only_declared
from gateway.tables.wanted import Search


def an_application() -> edge.Edge:
    """Two routes of the API and one for machines."""
    routes = APIRouter()

    @routes.get("/api/v1/search")
    async def search(wanted: Annotated[Search, Query()]) -> dict[str, object]:
        return wanted.model_dump()

    @routes.get("/api/v1/scans")
    async def scans(root: str | None = None) -> dict[str, object]:
        return {"root": root}

    @routes.get("/metrics")
    async def metrics() -> dict[str, object]:
        return {}

    app = FastAPI()
    edge.install(app, [routes])
    app.include_router(routes, dependencies=[Depends(only_declared)])
    return edge.Edge(app, Proxies(()), RefusalLog())


def get(path: str) -> httpx.Response:
    """One answer."""

    async def main() -> httpx.Response:
        transport = httpx.ASGITransport(an_application())
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            return await client.get(path)

    return asyncio.run(main())


def test_what_is_declared_is_taken_and_an_empty_text_is_any() -> None:
    answer = get("/api/v1/search?query=&media_type=video&limit=3").json()
    assert (answer["query"], answer["media_type"], answer["limit"]) == (None, "video", 3)
    assert get("/api/v1/scans?root=movies").json() == {"root": "movies"}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "offset=-1", "year=x", "sort_by=id", "query=" + "x" * 1_025]
)
def test_what_is_out_of_range_is_422(query: str) -> None:
    assert get(f"/api/v1/search?{query}").status_code == 422


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/v1/scans?rot=movies", "query.rot: no such parameter; known: root"),
        ("/api/v1/scans?root=movies&limit=3", "query.limit: no such parameter; known: root"),
    ],
)
def test_what_is_not_declared_is_422_and_named(path: str, message: str) -> None:
    answer = get(path)
    assert (answer.status_code, answer.json()["message"]) == (422, message)


def test_a_model_of_parameters_is_declared_field_by_field() -> None:
    message = get("/api/v1/search?qeury=x").json()["message"]
    assert message.startswith("query.qeury: no such parameter; known: query, media_type, year")


def test_routes_for_machines_accept_any_parameter() -> None:
    assert get("/metrics?name[]=up").status_code == 200
