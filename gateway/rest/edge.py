"""What holds for every HTTP answer: a request id, safe headers, bounded bodies, errors in one shape.

No answer shows a stack trace, a database's words or a secret.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from psycopg_pool import PoolTimeout
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access.accounts import TooManySignIns
from gateway.errors import GatewayError
from gateway.log.publishing import NotPublished
from gateway.log.reader import LogUnavailable
from runtime import log

MAX_BODY_BYTES = 65_536
RETRY_SECONDS = 5
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
}

_log = log.get(__name__)


class ApiError(GatewayError):
    """An answer that is an error: HTTP `status`, `code` for programs, `message` for people."""

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

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its id; refuse a body that is too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id

        async def decorated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        body = _Bounded(receive)
        if body.declared_too_large(scope):
            await _answer(request_id, 413, "too_large", "body too large")(scope, receive, decorated)
            return
        await self._app(scope, body.receive, decorated)


class _Bounded:
    """Counts a body as it comes."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0

    @staticmethod
    def declared_too_large(scope: Scope) -> bool:
        """True when the header says so already."""
        for name, value in scope["headers"]:
            if name == b"content-length":
                return not value.isdigit() or int(value) > MAX_BODY_BYTES
        return False

    async def receive(self) -> Message:
        """The next piece. Raises ApiError when it is too much."""
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > MAX_BODY_BYTES:
            raise ApiError(413, "too_large", "body too large")
        return message


def install(app: FastAPI) -> None:
    """Answer every kind of error in the one shape."""
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
    code = CODES.get(error.status_code, "error")
    return _answer(request.state.request_id, error.status_code, code, error.detail, dict(error.headers or {}))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return _answer(request.state.request_id, 422, "invalid_request", "; ".join(faults)[:1_000])


async def _bad_data(request: Request, _error: Exception) -> Response:
    return _answer(request.state.request_id, 400, "bad_request", "a value that cannot be looked up")


async def _unavailable(request: Request, error: Exception) -> Response:
    _log.warning("cannot answer now", path=request.scope["path"], error=f"{type(error).__name__}: {error}")
    return await _busy(request, error)


async def _busy(request: Request, _error: Exception) -> Response:
    """Not logged here: who floods us would fill the disk."""
    retry = {"Retry-After": str(RETRY_SECONDS)}
    return _answer(request.state.request_id, 503, "unavailable", "try again in a moment", retry)


async def _unexpected(request: Request, _error: Exception) -> Response:
    return _answer(request.state.request_id, 500, "internal", "something went wrong; the log has the request id")


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
