"""Tokens for SASL/OAUTHBEARER, got from a token endpoint by client credentials (RFC 6749, 4.4).

One token serves all clients of a process. It is renewed when four fifths of its life are over, and the old one is used as
long as it is valid while the endpoint does not answer. Nothing that is logged or raised holds the secret, a token, or
words of the endpoint beyond its status and error code.
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
"""Of a token's life; then a new one is asked for. The same as of Kafka's own clients (sasl.login.refresh.window.factor)."""
SPARE_SECONDS = 5.0
"""So long before its end a token is used no more: it must still be valid where it arrives."""
UNKNOWN_LIFE_SECONDS = 300.0
"""Of a token of which nothing says when it ends."""

ENDPOINT = "kafka.sasl.oauthbearer.token.endpoint.url (CATALOGIZER_KAFKA__SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL)"
CLIENT = (
    "kafka.sasl.oauthbearer.client.credentials (CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_ID and"
    " CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CLIENT_SECRET)"
)
SCOPE = "kafka.sasl.oauthbearer.scope (CATALOGIZER_KAFKA__SASL_OAUTHBEARER_SCOPE)"
AUTHORITIES = "kafka.sasl_oauthbearer_cafile (CATALOGIZER_KAFKA__SASL_OAUTHBEARER_CAFILE)"

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, 2.1: nothing that would end the field of SASL in which it is sent."""
_CODE = re.compile(r"[a-z_]{1,40}")

_log = log.get(__name__)


class TokenError(PlatformError, KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """No token. `setting`: the one that is to be looked at; `endpoint`: where it was asked for; `what`: a status, or what
    became of the connection. Of Kafka's tree as well, for its clients try again after errors of that kind alone."""

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
    """Who asks, and where. `extensions`: of SASL, that go with each token."""

    endpoint: str
    id: str
    secret: str = field(repr=False)
    scope: str | None = None
    cafile: Path | None = None
    extensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was given; `life_seconds` from then on."""

    text: str = field(repr=False)
    life_seconds: float


class Tokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """Of one client, for all event loops and threads of a process. `clock`: monotonic, in seconds."""

    def __init__(self, client: TokenClient, clock: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._clock = clock
        self._asking = threading.Lock()
        self._token: Token | None = None
        self._since = 0.0
        self._backoff = Backoff(TOKENS)
        self._failure: TokenError | None = None
        self._not_before = 0.0

    async def token(self) -> str:
        """A token that is valid. Raises TokenError."""
        return await asyncio.to_thread(self.current)

    def extensions(self) -> dict[str, str]:
        """Those of SASL."""
        return dict(self.client.extensions)

    def current(self) -> str:
        """The same, for threads."""
        with self._asking:
            now = self._clock()
            held = self._token
            if held is not None and now < self._since + held.life_seconds * USED_UNTIL:
                return held.text
            try:
                return self._renewed(now)
            except TokenError as error:
                if held is None or now >= self._since + held.life_seconds - SPARE_SECONDS:
                    raise
                _log.warning("no new token for Kafka; the old one is still used", error=str(error))
                return held.text

    def _renewed(self, now: float) -> str:
        if self._failure is not None and now < self._not_before:
            raise self._failure
        try:
            token = ask(self.client)
        except TokenError as error:
            self._failure = error
            self._not_before = self._clock() + self._backoff.next_seconds()
            raise
        self._backoff.reset()
        self._failure = None
        self._token, self._since = token, now
        return token.text


def check_endpoint(url: str) -> str | None:
    """Why a secret is not sent to this address; None where it may be."""
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


def ask(client: TokenClient) -> Token:
    """A new token. Blocks; the other side may be silent for ANSWER_SECONDS each time. Raises TokenError."""
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
    """Whoever answers in the endpoint's place must not be able to send the secret elsewhere."""

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
    """What a token says of itself, unverified: that is the brokers' affair. Empty where it is no JWT."""
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
