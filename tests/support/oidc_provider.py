"""A small provider of OpenID Connect of our own, with its own keys, that can be made to misbehave in every way. It shares no
code with what is tested but the library that signs.

It signs in at once whoever is `user` now; what it does wrong stands in `faults`, which a test sets and `honest()` clears."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
import warnings
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from cli.up import ports

CLIENT = "catalogizer"
CLIENT_SECRET = "provider knows this one"
AUDIENCE = "https://catalogizer.test"
EVENT = "http://schemas.openid.net/event/backchannel-logout"

Key = RSAKey | ECKey | OKPKey


@dataclass
class Person:
    """A person who signs in. `claims`: additional claims of all their tokens."""

    subject: str
    name: str
    groups: list[str] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    sid: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass
class Faults:
    """Its present faults. `header` and `claims` change the next ID tokens; `redirect` the parameters with which a browser
    returns (None removes one)."""

    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    redirect: dict[str, str | None] = field(default_factory=dict)
    forged: str | None = None
    document: dict[str, Any] = field(default_factory=dict)
    document_redirects: bool = False
    slow_seconds: float = 0
    bytes: int = 0
    status: int = 0
    code_twice: bool = False
    any_verifier: bool = False
    error: str | None = None
    no_id_token: bool = False
    keys: list[dict[str, Any]] | None = None


@dataclass
class _Code:
    person: Person
    parameters: dict[str, str]
    used: bool = False


class OidcProvider:
    """Listens on this machine from `start` to `stop`, on one port all its life."""

    def __init__(self) -> None:
        self.port = ports.free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.user = Person("0001", "alice", ["staff"])
        self.faults = Faults()
        self.requests: list[str] = []
        self.keys: dict[str, Key] = {}
        self.disabled: set[str] = set()
        self.rotate()
        self._codes: dict[str, _Code] = {}
        self._refresh: dict[str, Person] = {}
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> OidcProvider:
        """Answer."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._get(self)

            def do_POST(self) -> None:
                provider._post(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Be away."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def honest(self) -> None:
        """No faults, alice, and there."""
        self.faults = Faults()
        self.user = Person("0001", "alice", ["staff"])
        self.disabled.clear()
        if self._server is None:
            self.start()

    def rotate(self) -> None:
        """Other keys than before; the first is what it signs with."""
        mark = secrets.token_hex(4)
        self.keys = {
            f"rsa-{mark}": RSAKey.generate_key(2048, {"use": "sig"}),
            f"ec-{mark}": ECKey.generate_key("P-256", {"use": "sig"}),
            f"ec3-{mark}": ECKey.generate_key("P-384", {"use": "sig"}),
            f"okp-{mark}": OKPKey.generate_key("Ed25519", {"use": "sig"}),
        }

    def kid(self, kind: str = "rsa") -> str:
        """The name of its key of a kind."""
        return next(kid for kid in self.keys if kid.startswith(f"{kind}-"))

    @property
    def refresh_tokens(self) -> list[str]:
        """The tokens that it issued and that were not used."""
        return list(self._refresh)

    def sign(self, header: dict[str, Any], claims: dict[str, Any], key: Key | None = None) -> str:
        """A token. None takes a header or a claim away."""
        full = {"alg": "RS256", "typ": "JWT", "kid": self.kid(), **header}
        shown = {name: value for name, value in full.items() if value is not None}
        payload = {name: value for name, value in claims.items() if value is not None}
        if key is None:
            key = self.keys.get(str(shown.get("kid")), self.keys[self.kid()])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return jwt.encode(shown, payload, key, algorithms=[shown["alg"]], default_type=None)

    def unsigned(self, claims: dict[str, Any], **header: Any) -> str:
        """A token with the algorithm `none`."""
        return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': self.kid(), **header})}.{_part(claims)}."

    def signed_with_public_key(self, claims: dict[str, Any], typ: str = "JWT") -> str:
        """A token with HS256 whose secret is the public key that everybody has."""
        key = self.keys[self.kid()].as_pem(private=False)
        signed = f"{_part({'alg': 'HS256', 'typ': typ, 'kid': self.kid()})}.{_part(claims)}"
        signature = hmac.digest(key, signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def access_claims(self, person: Person | None = None, **claims: Any) -> dict[str, Any]:
        """Of an access token for us (RFC 9068)."""
        person, now = person or self.user, int(time.time())
        return {
            "iss": self.issuer, "sub": person.subject, "aud": AUDIENCE, "client_id": "reports", "iat": now,
            "exp": now + 300, "jti": secrets.token_hex(8), "groups": person.groups, "sid": person.sid,
            "preferred_username": person.name, **person.claims, **claims,
        }  # fmt: skip

    def access_token(
        self, person: Person | None = None, header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """An access token for us."""
        return self.sign({"typ": "at+jwt", **(header or {})}, self.access_claims(person, **claims))

    def logout_claims(self, **claims: Any) -> dict[str, Any]:
        """Of a logout token for the user's session."""
        now = int(time.time())
        return {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": secrets.token_hex(8),
            "events": {EVENT: {}}, "sub": self.user.subject, "sid": self.user.sid, **claims,
        }  # fmt: skip

    def logout_token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A logout token."""
        return self.sign({"typ": "logout+jwt", **(header or {})}, self.logout_claims(**claims))

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        address = urlsplit(request.path)
        self.requests.append(address.path)
        match address.path:
            case "/.well-known/openid-configuration" if self.faults.document_redirects:
                _answer(request, 302, b"", Location=f"{self.issuer}/elsewhere")
            case "/.well-known/openid-configuration" | "/elsewhere":
                self._json(request, 200, self._document())
            case "/jwks":
                keys = [{**key.as_dict(private=False), "kid": kid} for kid, key in self.keys.items()]
                self._json(request, 200, {"keys": keys if self.faults.keys is None else self.faults.keys})
            case "/authorize":
                self._authorize(request, {name: values[0] for name, values in parse_qs(address.query).items()})
            case _:
                self._json(request, 404, {"error": "not_found"})

    def _document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/sign-out",
            "response_types_supported": ["code"],
            "authorization_response_iss_parameter_supported": True,
            **self.faults.document,
        }

    def _authorize(self, request: BaseHTTPRequestHandler, parameters: dict[str, str]) -> None:
        code = secrets.token_urlsafe(16)
        self._codes[code] = _Code(self.user, parameters)
        back: dict[str, str | None] = {
            "code": code,
            "state": parameters["state"],
            "iss": self.issuer,
            "session_state": "x",
        }
        if self.faults.error:
            back = {"error": self.faults.error, "state": parameters["state"], "iss": self.issuer}
        shown = {name: value for name, value in {**back, **self.faults.redirect}.items() if value is not None}
        _answer(request, 302, b"", Location=f"{parameters['redirect_uri']}?{urlencode(shown)}")

    def _post(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append(request.path)
        body = request.rfile.read(int(request.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        basic = base64.b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode()
        if request.headers["Authorization"] != f"Basic {basic}":
            self._json(request, 401, {"error": "invalid_client"})
            return
        person, nonce = self._granted(form)
        if person is None or person.subject in self.disabled:
            self._json(request, 400, {"error": "invalid_grant"})
            return
        access = self.access_token(person)
        token = self._id_token(person, nonce, access)
        refresh = secrets.token_urlsafe(16)
        self._refresh[refresh] = person
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": 300, "refresh_token": refresh}
        self._json(request, 200, answer if self.faults.no_id_token else {**answer, "id_token": token})

    def _granted(self, form: dict[str, str]) -> tuple[Person | None, str | None]:
        if form.get("grant_type") == "refresh_token":  # each is good once
            return self._refresh.pop(form.get("refresh_token", ""), None), None
        code = self._codes.get(form.get("code", ""))
        if code is None or (code.used and not self.faults.code_twice):
            return None, None
        code.used = True
        verifier = form.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        right = (
            challenge == code.parameters.get("code_challenge")
            and code.parameters.get("code_challenge_method") == "S256"
        )
        right = right and form.get("redirect_uri") == code.parameters["redirect_uri"]
        if not (right or self.faults.any_verifier):
            return None, None
        return code.person, code.parameters.get("nonce")

    def _id_token(self, person: Person, nonce: str | None, access: str) -> str:
        now = int(time.time())
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims = {
            "iss": self.issuer, "sub": person.subject, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(), "groups": person.groups,
            "preferred_username": person.name, "sid": person.sid, **person.claims, **self.faults.claims,
        }  # fmt: skip
        match self.faults.forged:
            case "none":
                return self.unsigned(claims)
            case "public key":
                return self.signed_with_public_key(claims)
            case "other key":
                return self.sign(self.faults.header, claims, RSAKey.generate_key(2048))
            case _:
                return self.sign(self.faults.header, claims)

    def _json(self, request: BaseHTTPRequestHandler, status: int, body: dict[str, Any]) -> None:
        time.sleep(self.faults.slow_seconds)
        padding = {"padding": "x" * self.faults.bytes} if self.faults.bytes else {}
        _answer(request, self.faults.status or status, json.dumps({**body, **padding}).encode())


def _answer(request: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    try:
        request.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **headers,
        }.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)
    except OSError:
        pass  # it did not wait for all of it


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
