"""A token endpoint for Kafka's clients, and the keys by which brokers verify what it gives: of our own, with faults that a
test sets. It shares no code with what is tested but the library that signs."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from joserfc import jwt
from joserfc.jwk import RSAKey

from cli.up import ports

AUDIENCE = "kafka"


@dataclass
class Faults:
    """What it does wrong now. `claims` change the next tokens; None takes one away."""

    status: int = 0
    body: bytes | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    other_key: bool = False
    location: str | None = None


class TokenEndpoint:
    """Listens on an address of this machine from `start` to `stop`, on one port all its life. `clients`: their secrets by
    id."""

    def __init__(
        self, clients: dict[str, str], life_seconds: int = 300, host: str = "127.0.0.1", port: int | None = None
    ) -> None:
        self._host = host
        self.port = port or ports.free_port()
        self.issuer = f"http://{host}:{self.port}"
        self.clients = clients
        self.life_seconds = life_seconds
        self.faults = Faults()
        self.given = 0
        self.scopes: list[str | None] = []
        self._key, self._other = (RSAKey.generate_key(2048, {"use": "sig", "kid": "one"}) for _ in range(2))
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where tokens are requested."""
        return f"{self.issuer}/token"

    @property
    def keys_url(self) -> str:
        """Where the keys are."""
        return f"{self.issuer}/jwks"

    def start(self) -> TokenEndpoint:
        """Answer."""
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                endpoint._answer(self, 200, {"keys": [endpoint._key.as_dict(private=False)]})

            def do_POST(self) -> None:
                endpoint._post(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((self._host, self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Be away."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _post(self, request: BaseHTTPRequestHandler) -> None:
        form = parse_qs(request.rfile.read(int(request.headers["Content-Length"])).decode())
        basic = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        client, _, secret = (unquote_plus(part) for part in basic.partition(":"))
        if self.faults.status or self.faults.body is not None:
            self._answer(request, self.faults.status or 200, self.faults.body or b"{}")
        elif form["grant_type"] != ["client_credentials"]:
            self._answer(request, 400, {"error": "unsupported_grant_type"})
        elif self.clients.get(client) != secret:
            self._answer(request, 401, {"error": "invalid_client", "error_description": f"not {secret}"})
        else:
            self.given += 1
            self.scopes.append(form.get("scope", [None])[0])
            token = self._token(client)
            self._answer(
                request, 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.life_seconds}
            )

    def _token(self, client: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": client, "aud": AUDIENCE, "iat": now, "exp": now + self.life_seconds,
            "jti": secrets.token_hex(8), "scope": "kafka", **self.faults.claims,
        }  # fmt: skip
        payload = {name: value for name, value in claims.items() if value is not None}
        key = self._other if self.faults.other_key else self._key
        return jwt.encode({"alg": "RS256", "kid": "one", "typ": "at+jwt"}, payload, key)

    def _answer(self, request: BaseHTTPRequestHandler, status: int, body: dict[str, Any] | bytes) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        if self.faults.location is not None:
            request.send_header("Location", self.faults.location)
        request.end_headers()
        request.wfile.write(content)
