"""Requests to a provider: each is limited in time and size and goes only to hosts that the settings name.

Redirects are not followed, and an address from a provider's own document is checked like any other: somebody who can change
that document must not be able to send us around the network.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from gateway.access.oidc.errors import ProviderAway
from gateway.access.oidc.provider_settings import ProviderSettings, check_address

TOTAL_SECONDS = 5.0
CONNECT_SECONDS = 3.0
MAX_ANSWER_BYTES = 262_144
AT_ONCE = 16
"""Requests to one provider under way; further ones wait a moment, then the provider counts as away."""
TURN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer: an HTTP status and a JSON object."""

    status: int
    body: dict[str, Any]


class Transport:
    """Requests to one provider. Belongs to one event loop."""

    def __init__(self, settings: ProviderSettings) -> None:
        """Raises ValueError if the CA file cannot be read."""
        self._id = settings.id
        self._hosts = settings.allowed_hosts
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._session: aiohttp.ClientSession | None = None
        try:
            self._trust = ssl.create_default_context(cafile=settings.ca_file)
        except OSError as error:  # of `ssl` too
            raise ValueError(f"ca_file: {settings.ca_file}: {error}") from error

    def check(self, url: object) -> str:
        """The address, if requests to it are allowed. Raises ProviderAway."""
        if not isinstance(url, str):
            raise ProviderAway(self._id, "an address is missing from its discovery document")
        try:
            check_address(url)
            parts = urlsplit(url)
            allowed = parts.netloc.lower() in self._hosts
        except ValueError as error:
            raise ProviderAway(self._id, f"its discovery document names {url[:200]!r}: {error}") from error
        if not allowed:
            raise ProviderAway(
                self._id, f"its discovery document names a host that is not in `hosts`: {url[:200]!r}"
            )
        return url

    async def get(self, url: str) -> Answer:
        """Raises ProviderAway."""
        return await self._request("GET", url, {"Accept": "application/json"}, None)

    async def post(self, url: str, headers: Mapping[str, str], body: str) -> Answer:
        """Send a form. Raises ProviderAway."""
        form = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        return await self._request("POST", url, {**form, **headers}, body)

    async def close(self) -> None:
        """End its connections."""
        if self._session is not None:
            await self._session.close()

    async def _request(self, method: str, url: str, headers: Mapping[str, str], body: str | None) -> Answer:
        self.check(url)
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError as error:
            raise ProviderAway(self._id, f"{AT_ONCE} requests to it are under way") from error
        try:
            return await self._answer(method, url, {**headers, "Accept-Encoding": "identity"}, body)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ProviderAway(self._id, f"{urlsplit(url).path}: {type(error).__name__}: {error}"[:300]) from error
        except (ValueError, RecursionError) as error:
            raise ProviderAway(self._id, f"{urlsplit(url).path}: its answer is not JSON") from error
        finally:
            self._turns.release()

    async def _answer(self, method: str, url: str, headers: Mapping[str, str], body: str | None) -> Answer:
        if self._session is None:
            limits = aiohttp.ClientTimeout(total=TOTAL_SECONDS, connect=CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(
                timeout=limits, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        async with self._session.request(
            method, url, headers=headers, data=body, allow_redirects=False, ssl=self._trust, proxy=_proxy(url)
        ) as answer:
            if 300 <= answer.status < 400:
                raise ProviderAway(self._id, f"{urlsplit(url).path}: it redirects us, which is not followed")
            if answer.status >= 500:
                raise ProviderAway(self._id, f"{urlsplit(url).path}: HTTP {answer.status}")
            content = bytearray()
            async for piece in answer.content.iter_any():
                content += piece
                if len(content) > MAX_ANSWER_BYTES:
                    raise ProviderAway(self._id, f"{urlsplit(url).path}: more than {MAX_ANSWER_BYTES} bytes")
            found = json.loads(content)
            if not isinstance(found, dict):
                raise ProviderAway(self._id, f"{urlsplit(url).path}: its answer is not a JSON object")
            return Answer(answer.status, found)


def _proxy(url: str) -> str | None:
    """The proxy for outside addresses, as the environment sets it for every client; no password from a file is sent."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
