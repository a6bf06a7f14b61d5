"""Tokens of machines: named, with a role and rights of their own, with an expiry time, revocable. Only a hash is stored.

A token is `cst_<id>_<secret>`; the secret has 256 random bits, so a plain SHA-256 of it protects it and is checked in
microseconds. All valid ones are in memory (`access.following`), so a use needs no query.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.access.tokens import BadToken, Identity
from gateway.core.rights import Rights

PREFIX = "cst_"
SESSION_PREFIX = "token-"
MAX_TOKENS = 1_000
"""Valid at once."""

_FORM = re.compile(r"cst_([1-9][0-9]{0,17})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """One token as the database has it. `expires_at`: when it expires."""

    id: int
    name: str
    secret_hash: bytes
    role_id: int
    rights: Rights
    expires_at: datetime
    revoked: bool

    @property
    def session_id(self) -> str:
        """Its name where sessions are counted and ended; no session of a person has such a name."""
        return session_of(self.id)


def session_of(token_id: int) -> str:
    """The name of a token's session."""
    return f"{SESSION_PREFIX}{token_id}"


def new_secret() -> tuple[str, bytes]:
    """A secret, and the hash that is stored."""
    secret = secrets.token_urlsafe(32)
    return secret, _hash(secret)


def text_of(token_id: int, secret: str) -> str:
    """The token in the form that its machine sends."""
    return f"{PREFIX}{token_id}_{secret}"


class ServiceTokens:
    """The valid tokens."""

    def __init__(self) -> None:
        self._valid: dict[int, ServiceToken] = {}

    def take(self, changed: Iterable[ServiceToken]) -> list[str]:
        """Take rows of the database; returns the sessions of tokens that were revoked."""
        revoked = []
        for token in changed:
            if token.revoked:
                self._valid.pop(token.id, None)
                revoked.append(token.session_id)
            else:
                self._valid[token.id] = token
        return revoked

    def is_valid(self, session_id: str) -> bool:
        """Whether the session belongs to a token that was not revoked."""
        number = session_id.removeprefix(SESSION_PREFIX)
        return number != session_id and int(number) in self._valid

    def identify(self, text: str, now: float) -> Identity:
        """The identity of a token at `now` (seconds since 1970). Raises BadToken."""
        form = _FORM.fullmatch(text)
        token = None if form is None else self._valid.get(int(form[1]))
        if form is None or token is None or not hmac.compare_digest(_hash(form[2]), token.secret_hash):
            raise BadToken
        ends = int(token.expires_at.timestamp())
        if now >= ends:
            raise BadToken
        return Identity(0, f"token:{token.name}", token.role_id, token.session_id, ends, token.rights)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
