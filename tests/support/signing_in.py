"""A browser's way through a sign-in at a provider, step by step, as HTTP: each step may be done wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from tests.support.gateway import WAIT_SECONDS, Gateway

OIDC = "/api/v1/auth/oidc"


@dataclass
class Signing:
    """One browser (its cookies) at one gateway."""

    server: Gateway
    provider: str = "corp"
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def start(self, **query: str) -> httpx.Response:
        """Click on the button."""
        return self._request("GET", f"{self.server.url}{OIDC}/{self.provider}/start", params=query)

    def _request(self, method: str, address: str, **options: Any) -> httpx.Response:
        with httpx.Client(timeout=WAIT_SECONDS, cookies=self.cookies) as http:
            answer = http.request(method, address, **options)
            self.cookies = httpx.Cookies(http.cookies)
        return answer

    def authorized(self, started: httpx.Response) -> str:
        """Sign in there; the address that the provider sends the browser back to."""
        assert started.status_code == 303, started.text
        return httpx.get(started.headers["location"]).headers["location"]

    def come_back(self, address: str, server: Gateway | None = None) -> httpx.Response:
        """Be back, at another gateway where one is given."""
        if server is not None:
            address = address.replace(self.server.url, server.url)
        return self._request("GET", address)

    def exchange(self, came_back: httpx.Response, server: Gateway | None = None) -> httpx.Response:
        """What the page does with the code in its fragment."""
        assert came_back.status_code == 303, came_back.text
        kind, _, code = urlsplit(came_back.headers["location"]).fragment.partition("=")
        assert kind == "signed-in", came_back.headers["location"]
        return self._request("POST", f"{(server or self.server).url}{OIDC}/exchange", json={"code": code})

    def sign_in(self) -> dict[str, Any]:
        """All of it; the tokens."""
        answer = self.exchange(self.come_back(self.authorized(self.start())))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def refused(self) -> str:
        """The whole way, for a person who is rejected; the reason."""
        came_back = self.come_back(self.authorized(self.start()))
        assert came_back.status_code == 303, came_back.text
        kind, _, reason = urlsplit(came_back.headers["location"]).fragment.partition("=")
        assert kind == "sign-in-refused", came_back.headers["location"]
        return reason


def with_query(address: str, **changes: str | None) -> str:
    """The same address with other parameters; None takes one away."""
    parts = urlsplit(address)
    query = {**dict(parse_qsl(parts.query)), **changes}
    return parts._replace(query=urlencode({k: v for k, v in query.items() if v is not None})).geturl()


def providers(*settings: dict[str, Any]) -> str:
    """The setting."""
    return json.dumps(settings)
