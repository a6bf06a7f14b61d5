"""The OpenAPI document is true: for any request to any route, with an administrator's token and with none, the answer is one
that the document has, in status, content type and form, and no error of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.access.roles import ADMIN, VIEWER
from tests.support.accounts import UserCommand
from tests.support.gateway import PASSWORD, Gateway

ASKED = 8
"""Requests for each route and caller, both of those that the document allows and of those that it does not."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ELSEWHERE = {
    "/api/v1/channels/{channel}/stream": "lasts: test_channels_over_http",
    "/api/v1/auth/logout": "ends the session of the request",
}

SAID = {
    "POST /api/v1/notifications": [{"bearer": ["write:notifications"]}],
    "GET /api/v1/media/search": [{"bearer": []}],
    "GET /api/v1/auth/status": [{"bearer": []}, {}],
    "GET /api/v1/channels/{channel}/stream": [{"bearer": []}, {"ticket": []}],
    "POST /api/v1/auth/login": [],
    "GET /api/v1/users": [{"bearer": ["manage:users"]}],
}
OPEN = ("/health", "/version", "/auth/login", "/auth/refresh", "/oidc")
"""Parts of the paths that need no token."""


@pytest.fixture(scope="module")
def document(server: Gateway) -> dict[str, Any]:
    """The document that an administrator gets."""
    with server.http(server.sign_in()) as http:
        answer = http.get("/api/v1/openapi.json")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> Iterator[Any]:
    """The document's operations that can be tested without side effects."""
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if operation.path not in ELSEWHERE:
            yield operation


def methods(document: dict[str, Any]) -> dict[str, Any]:
    """Every operation by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_every_operation_declares_its_authentication(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {name: scheme["type"] for name, scheme in schemes.items()} == {
        "bearer": "http", "ticket": "apiKey", "signed": "apiKey",
    }  # fmt: skip
    named = {label: operation["security"] for label, operation in methods(document).items()}
    used = {name for ways in named.values() for way in ways for name in way}
    assert used == schemes.keys()
    permissions = {name for ways in named.values() for way in ways for name in way.get("bearer", [])}
    assert permissions <= set(ADMIN.permissions)
    assert {label: ways for label, ways in named.items() if label in SAID} == SAID
    for_everybody = {label.split(" ")[1] for label, ways in named.items() if not ways}
    assert all(any(of in path for of in OPEN) for path in for_everybody), for_everybody


def test_a_caller_without_the_named_permission_is_refused(
    server: Gateway, document: dict[str, Any], tables: str
) -> None:
    """And no other operation refuses a viewer with 403: what it needs is in the document."""
    assert UserCommand(tables)("add", "vera", "--role", "viewer", "--password-stdin", typed=PASSWORD)[0] == 0
    with server.http(server.sign_in("vera")) as http:
        for label, operation in methods(document).items():
            method, path = label.split(" ")
            needed = {name for way in operation["security"] for name in way.get("bearer", [])}
            if path in ELSEWHERE or not needed:
                continue
            answer = http.request(method, path.replace("{", "").replace("}", ""), json={})
            assert (answer.status_code == 403) is not (needed <= set(VIEWER.permissions)), label
            assert answer.status_code != 403 or needed == {answer.json()["message"].rsplit(" ", 1)[-1]}


@pytest.mark.parametrize("signed_in", [True, False], ids=["administrator", "nobody"])
def test_every_answer_is_one_that_is_described(
    server: Gateway, token: str, document: dict[str, Any], signed_in: bool
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if signed_in else {}
    received: set[int] = set()
    faults = []
    for operation in operations(document):
        try:
            _check(server, operation, headers, received)
        except BaseExceptionGroup as fault:
            faults += [f"{operation.label}: {one}"[:600] for one in fault.exceptions]
    assert not faults, f"{len(faults)}\n\n" + "\n\n".join(faults)
    assert {401, 404, 422} <= received
    assert not signed_in or {200, 201} <= received


def _check(server: Gateway, operation: Any, headers: dict[str, str], received: set[int]) -> None:
    for mode in schemathesis.GenerationMode:
        _check_cases(server, operation.as_strategy(generation_mode=mode), headers, received)


def _check_cases(server: Gateway, cases: SearchStrategy[Any], headers: dict[str, str], received: set[int]) -> None:
    @settings(
        max_examples=ASKED, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases)
    def check(case: Any) -> None:
        answer = case.call(base_url=server.url, headers=headers)
        received.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)
        security = case.operation.definition.raw["security"]
        assert headers or not security or {} in security or answer.status_code >= 400, "done for nobody"

    with contextlib.suppress(Unsatisfiable):  # nothing in it can be wrong: a route without a parameter
        check()
