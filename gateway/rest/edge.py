"""What all HTTP answers have in common: a request id, safe headers, errors in one form; and the client's address. Sizes are
limited below (`gateway.live.requests`).

No answer shows a stack trace, a message of the database or a secret.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Sequence

import psycopg
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from psycopg_pool import PoolTimeout
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access.proxies import Proxies
from gateway.access.refusal_log import RefusalLog
from gateway.access.sign_in_queue import TooManySignIns
from gateway.errors import GatewayError
from gateway.log.publishing import NotPublished
from gateway.log.reader import LogUnavailable
from gateway.rest.page import WebPage
from runtime.waits import COME_BACK_SECONDS

HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]*)(:[0-9]*)?")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
}

_unanswered = RefusalLog("cannot answer now")


class ApiError(GatewayError):
    """An error answer: HTTP `status`, `code` for programs, `message` for people."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        super().__init__(message)


CODES = {
    400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    413: "too_large", 415: "unsupported_media_type", 422: "invalid_request", 429: "too_many_requests",
    503: "unavailable",
}  # fmt: skip


class Edge:
    """The outermost layer (plain ASGI: it must not buffer or spawn tasks)."""

    def __init__(self, app: ASGIApp, proxies: Proxies, refusals: RefusalLog) -> None:
        self._app = app
        self._proxies = proxies
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request or a handshake on with its id and the client's address; refuse it unless it has one host."""
        request_id = _request_id(scope)
        inner = {**scope, "state": {**scope.get("state", {}), "request_id": request_id}}
        if peer := scope.get("client"):
            inner["client"] = (self._proxies.client_of(peer[0], scope["headers"]), peer[1])
        answering = _Answering(scope, request_id, send)
        if not _has_one_host(scope):
            self._refusals.refused("host", address=str((inner.get("client") or "?")[0]))
            await _answer(request_id, 400, "bad_request", "one Host header")(scope, receive, answering.send)
            return
        if scope.get("method") == "HEAD":  # the same headers as GET; the server leaves the body out
            inner["method"] = "GET"
            inner["state"]["head"] = True
        await self._app(inner, receive, answering.send)


class _Answering:
    """Adds the common headers to every answer."""

    def __init__(self, scope: Scope, request_id: str, send: Send) -> None:
        self._private = scope["path"].startswith("/api/")
        self._request_id = request_id
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass the message on."""
        if message["type"] in ("http.response.start", "websocket.http.response.start", "websocket.accept"):
            message.setdefault("headers", [])
            headers = MutableHeaders(raw=list(message["headers"]))
            headers["X-Request-ID"] = self._request_id
            if message["type"] != "websocket.accept":
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self._private:
                    headers.setdefault("Cache-Control", "no-store")
            message["headers"] = headers.raw
        await self._send(message)


def install(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Answer every kind of error in the one form. `routers`: all routers of the application."""
    app.state.declared = [route for router in routers for route in router.routes]
    table: list[tuple[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]] = [
        (ApiError, _api_error),
        (HTTPException, _http_exception),
        (RequestValidationError, _invalid),
        (psycopg.DataError, _bad_data),
        (psycopg.Error, _unavailable),
        (PoolTimeout, _unavailable),
        (LogUnavailable, _unavailable),
        (NotPublished, _unavailable),
        (TooManySignIns, _busy),
        (Exception, _unexpected),
    ]
    for kind, handler in table:
        app.add_exception_handler(kind, handler)


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return _answer(request.state.request_id, error.status, error.code, error.message, error.headers)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code in (404, 405):
        error = _not_here(request)
    code = CODES.get(error.status_code, "error")
    return _answer(request.state.request_id, error.status_code, code, error.detail, dict(error.headers or {}))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return _answer(request.state.request_id, 422, "invalid_request", "; ".join(faults)[:1_000])


async def _bad_data(request: Request, _error: Exception) -> Response:
    return _answer(request.state.request_id, 400, "bad_request", "a value that cannot be looked up")


async def _unavailable(request: Request, error: Exception) -> Response:
    _unanswered.refused(type(error).__name__, path=request.scope["path"], error=str(error))
    return await _busy(request, error)


async def _busy(request: Request, _error: Exception) -> Response:
    """Not logged here: a flood would fill the disk."""
    return await _api_error(request, unavailable())


async def _unexpected(request: Request, _error: Exception) -> Response:
    return _answer(request.state.request_id, 500, "internal", "something went wrong; the log has the request id")


def _not_here(request: Request) -> HTTPException:
    """405 with all methods of the path, 404 if it has none. (The page's files are mounted below every path, so they get the
    requests that no route accepts.)"""
    allowed: set[str] = set()
    for route in request.app.state.declared:
        if isinstance(route, APIRoute) and route.matches(request.scope)[0] is not Match.NONE:
            allowed |= route.methods or set()
    page = request.scope.get("endpoint")
    if isinstance(page, WebPage) and not allowed and request.method not in ("GET", "HEAD"):
        allowed = {"GET"} if page.has(request.scope["path"]) else set()
    if not allowed:
        return HTTPException(404, "Not Found")
    if "GET" in allowed:
        allowed.add("HEAD")
    return HTTPException(405, "Method Not Allowed", {"Allow": ", ".join(sorted(allowed))})


def unavailable() -> ApiError:
    """A service of the gateway is unavailable: try again later."""
    return ApiError(503, "unavailable", "try again in a moment", {"Retry-After": str(COME_BACK_SECONDS)})


def _answer(
    request_id: str, status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    body = {"error": code, "message": message, "request_id": request_id}
    return JSONResponse(body, status, headers)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value.decode("latin-1")):
            text: str = value.decode("latin-1")
            return text
    return secrets.token_hex(8)


def _has_one_host(scope: Scope) -> bool:
    """RFC 9112, section 3.2: exactly one, and a valid host; HTTP/1.0 has none."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if not hosts:
        return scope.get("http_version") == "1.0"
    return len(hosts) == 1 and HOST.fullmatch(hosts[0]) is not None
