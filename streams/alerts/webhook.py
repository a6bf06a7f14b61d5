"""A target: an HTTP address to which each alert is posted as JSON, signed where there is a secret.

The signature is HMAC-SHA256, in hexadecimal, of timestamp, `.` and body: a receiver with the secret can verify that the
request is ours, and by the timestamp that it is not an old one sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
import time
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from msgspec import to_builtins
from pydantic import SecretStr

from runtime.errors import SettingsError
from schemas import __version__
from schemas.alerts import Alert
from schemas.codec import encode
from streams.alerts.attempts import Answer, Outgoing, Refused, RetryLater, of_http, one_line, without
from streams.alerts.trust import Trust, fault_of

TIMEOUT_SECONDS = 10.0
MAX_ANSWER_BYTES = 2_000
SHORTEST = 6
"""Shorter parts of an address are not secrets, and occur in ordinary words."""
TIMESTAMP, SIGNATURE, ID = "X-Catalogizer-Timestamp", "X-Catalogizer-Signature", "X-Catalogizer-Id"


def body_of(outgoing: Outgoing) -> bytes:
    """The posted body: the alert with every field, its id, and `text`, which chat programs show."""
    alert = outgoing.alert
    named = {name: getattr(alert, name) for name in Alert.__struct_fields__}
    text = f"[{alert.state if alert.state == 'resolved' else alert.severity}] {alert.title}\n{alert.message}"
    return encode({"id": outgoing.id, **to_builtins(named), "text": text})


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a body."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"v1={digest}"


class Webhook:
    """Belongs to one event loop."""

    name = "webhook"

    def __init__(self, url: SecretStr, secret: SecretStr | None, trust: Trust) -> None:
        self._url = url.get_secret_value()
        self._trust = trust
        self._secret = None if secret is None else secret.get_secret_value()
        self._secrets = set(_secret_parts(self._url)) | ({self._secret} if self._secret else set())
        self._session: aiohttp.ClientSession | None = None

    async def send(self, outgoing: Outgoing) -> Answer:
        """Post the alert once."""
        body = body_of(outgoing)
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json", "User-Agent": f"catalogizer/{__version__}", TIMESTAMP: timestamp,
            ID: outgoing.id, "Accept-Encoding": "identity",
        }  # fmt: skip
        if self._secret is not None:
            headers[SIGNATURE] = signature(self._secret, timestamp, body)
        try:
            return await self._post(headers, body)
        except TimeoutError:
            return RetryLater(f"no answer within {TIMEOUT_SECONDS:g} s")
        except aiohttp.InvalidURL:
            return Refused("its address is none")
        except aiohttp.ClientConnectorCertificateError as error:
            return RetryLater(fault_of(_cause(error), f"{error.host}:{error.port}"))
        except SettingsError as error:
            return RetryLater(str(error))
        except (aiohttp.ClientError, OSError) as error:
            return RetryLater(self._shown(f"{type(error).__name__}: {error}"))

    async def close(self) -> None:
        """End its connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, headers: dict[str, str], body: bytes) -> Answer:
        if self._session is None:
            limits = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            self._session = aiohttp.ClientSession(
                timeout=limits, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        async with self._session.post(
            self._url,
            data=body,
            headers=headers,
            allow_redirects=False,
            ssl=self._trust.context() if urlsplit(self._url).scheme == "https" else True,
            proxy=_proxy(self._url),
        ) as answer:
            content = await answer.content.read(MAX_ANSWER_BYTES)
            detail = self._shown(content.decode("utf-8", "replace"))
            return of_http(answer.status, answer.headers.get("Retry-After"), detail, datetime.now(UTC))

    def _shown(self, text: str) -> str:
        return one_line(without(text, self._secrets))


def _secret_parts(url: str) -> list[str]:
    """The parts of an address that may be secrets, in each of their spellings."""
    parts = urlsplit(url)
    whole = [
        url,
        parts.path,
        parts.query,
        parts.username or "",
        parts.password or "",
        f"{parts.path}?{parts.query}",
    ]
    pieces = [*parts.path.split("/"), *(pair.partition("=")[2] for pair in parts.query.split("&"))]
    found = [*whole, *pieces]
    return [part for part in {*found, *map(unquote, found)} if len(part) >= SHORTEST]


def _cause(error: aiohttp.ClientConnectorCertificateError) -> OSError:
    cause = error.certificate_error
    return cause if isinstance(cause, OSError) else ssl.SSLError(str(cause))


def _proxy(url: str) -> str | None:
    """The proxy from the environment, as for every client; no password from a file is used with it."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
