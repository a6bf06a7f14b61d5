"""Tokens for SASL/OAUTHBEARER, requested from a token endpoint with client credentials (RFC 6749, 4.4).

All clients of a process share one token. It is renewed after four fifths of its lifetime; while the endpoint does not
answer, the old one is used as long as it is valid. Logs and errors never contain the secret, a token, or any part of the
endpoint's answer except its status and error code.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote_plus, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

from runtime import log
from runtime.errors import PlatformError
from runtime.waits import TOKENS, Backoff

ANSWER_SECONDS = 5.0
MAX_ANSWER_BYTES = 65_536
USED_UNTIL = 0.8
"""The part of a token's lifetime after which a new one is requested; the default of Kafka's own clients
(sasl.login.refresh.window.factor)."""
SPARE_SECONDS = 5.0
"""A token is not used this shortly before it expires: it must still be valid when it arrives."""
UNKNOWN_LIFE_SECONDS = 300.0
"""The lifetime assumed for a token without an expiry time."""

ENDPOINT = "kafka.sasl.oauthbearer.token.endpoint.url (CATALOGIZER_KAFKA__SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL)"
CLIENT = (
    "kafka.sasl.oauthbearer.client.credentials (CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_ID and"
    " CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_SECRET)"
)
SCOPE = "kafka.sasl.oauthbearer.scope (CATALOGIZER_KAFKA__SASL_OAUTHBEARER_SCOPE)"
AUTHORITIES = "kafka.sasl_oauthbearer_cafile (CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CAFILE)"

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, 2.1: no character that would end the SASL field in which the token is sent."""
_CODE = re.compile(r"[a-z_]{1,40}")

_log = log.get(__name__)


class TokenError(PlatformError, KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """No token was obtained. `setting`: the setting to check; `endpoint`: where the token was requested; `what`: the status,
    or how the connection failed. Also a KafkaError, because aiokafka's clients retry only after those."""

    retriable = True

    def __init__(self, setting: str, endpoint: str, what: str, *, passing: bool = False) -> None:
        self.setting = setting
        self.endpoint = endpoint
        self.what = what
        self.retryable = passing
        super().__init__(f"{setting}: {endpoint} {what}")

    def __str__(self) -> str:
        return f"{self.setting}: {self.endpoint} {self.what}"


@dataclass(frozen=True, slots=True)
class TokenClient:
    """The client's credentials and the endpoint. `extensions`: SASL extensions that are sent with each token."""

    endpoint: str
    id: str
    secret: str = field(repr=False)
    scope: str | None = None
    cafile: Path | None = None
    extensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `life_seconds`: its lifetime from when it was issued."""

    text: str = field(repr=False)
    life_seconds: float


class Tokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """The token of one client, for all event loops and threads of a process. `clock`: monotonic, in seconds."""

    def __init__(self, client: TokenClient, clock: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._since = 0.0
        self._backoff = Backoff(TOKENS)
        self._failure: TokenError | None = None
        self._not_before = 0.0

    async def token(self) -> str:
        """A valid token. Raises TokenError."""
        return await asyncio.to_thread(self.current)

    def extensions(self) -> dict[str, str]:
        """The SASL extensions."""
        return dict(self.client.extensions)

    def current(self) -> str:
        """A valid token, for synchronous callers. Raises TokenError."""
        with self._lock:
            now = self._clock()
            current = self._token
            if current is not None and now < self._since + current.life_seconds * USED_UNTIL:
                return current.text
            try:
                return self._renewed(now)
            except TokenError as error:
                if current is None or now >= self._since + current.life_seconds - SPARE_SECONDS:
                    raise
                _log.warning("no new token for Kafka; the old one is still used", error=str(error))
                return current.text

    def _renewed(self, now: float) -> str:
        if self._failure is not None and now < self._not_before:
            raise self._failure
        try:
            token = request_token(self.client)
        except TokenError as error:
            self._failure = error
            self._not_before = self._clock() + self._backoff.next_seconds()
            raise
        self._backoff.reset()
        self._failure = None
        self._token, self._since = token, now
        return token.text


def check_endpoint(url: str) -> str | None:
    """Why the secret must not be sent to this address; None if it may."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "is no address"
    if parts.username or parts.password:
        return "must hold no user and password"
    if host and (parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))):
        return None
    return "must begin with https://; http:// is for this machine alone"


def request_token(client: TokenClient) -> Token:
    """Request a new token. Blocks; each read may take up to ANSWER_SECONDS. Raises TokenError."""
    request = _request(client)
    try:
        context = ssl.create_default_context(cafile=client.cafile)
    except OSError as error:
        raise TokenError(AUTHORITIES, str(client.cafile), f"cannot be read: {error.strerror or error}") from error
    try:
        with build_opener(HTTPSHandler(context=context), _NoRedirects()).open(
            request, timeout=ANSWER_SECONDS
        ) as answer:
            body = answer.read(MAX_ANSWER_BYTES + 1)
    except HTTPError as error:
        with error:
            raise _refused(client, error.code, error.read(MAX_ANSWER_BYTES)) from None
    except URLError as error:
        raise _unreached(client, error.reason) from error
    except (OSError, HTTPException) as error:
        raise _unreached(client, error) from error
    return _token(client, body)


class _NoRedirects(HTTPRedirectHandler):
    """Follows no redirects: another server must not be able to have the secret sent elsewhere."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Not followed: the answer is an error with its status."""


def _request(client: TokenClient) -> Request:
    user = f"{quote_plus(client.id)}:{quote_plus(client.secret)}"  # RFC 6749, 2.3.1
    form = {"grant_type": "client_credentials"} | ({"scope": client.scope} if client.scope else {})
    headers = {
        "Accept": "application/json",
        "Authorization": f"Basic {base64.b64encode(user.encode()).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = urlencode(form).encode()
    return Request(client.endpoint, body, headers, method="POST")  # noqa: S310 - `check_endpoint`


def _refused(client: TokenClient, status: int, body: bytes) -> TokenError:
    code = _object(body).get("error")
    code = f" {code}" if isinstance(code, str) and _CODE.fullmatch(code) else ""
    what = f"answers HTTP {status}{code} to client {client.id}"
    if status >= 500 or status in (408, 425, 429):
        return TokenError(ENDPOINT, client.endpoint, what, passing=True)
    if code == " invalid_scope":
        return TokenError(SCOPE, client.endpoint, what)
    return TokenError(CLIENT if status in (400, 401, 403) else ENDPOINT, client.endpoint, what)


def _unreached(client: TokenClient, reason: object) -> TokenError:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return TokenError(
            AUTHORITIES, client.endpoint, f"has a certificate that is not trusted: {reason.verify_message}"
        )
    text = str(reason).replace("\n", " ")
    return TokenError(ENDPOINT, client.endpoint, f"cannot be reached: {text[:200]}", passing=True)


def _token(client: TokenClient, body: bytes) -> Token:
    answer = _object(body)
    text, life = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        raise TokenError(ENDPOINT, client.endpoint, "answers HTTP 200 without a token: it is no token endpoint")
    if isinstance(life, str) and life.isdecimal():
        life = int(life)
    if not isinstance(life, int | float) or isinstance(life, bool) or life <= 0:
        ends = _claims(text).get("exp")
        life = ends - time.time() if isinstance(ends, int | float) else UNKNOWN_LIFE_SECONDS
    return Token(text, float(life))


def _claims(token: str) -> dict[str, Any]:
    """A token's claims, unverified: the brokers verify them. Empty if it is no JWT."""
    parts = token.split(".")
    try:
        return _object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))) if len(parts) == 3 else {}
    except (ValueError, binascii.Error):
        return {}


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
