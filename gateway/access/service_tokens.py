"""Tokens of machines: named, with a role and rights of their own, ending at a time, revocable. Of one a hash is kept.

A token is `cst_<id>_<secret>`; the secret has 256 random bits, so a plain SHA-256 of it protects it and is checked in
microseconds. All that hold are known here (`access.following`), so nothing is asked for each use.
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
"""That hold at once."""

_FORM = re.compile(r"cst_([1-9][0-9]{0,17})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """One as the database has it. `ends_at`: when it ends or was revoked, whichever is first."""

    id: int
    name: str
    secret_hash: bytes
    role_id: int
    rights: Rights
    expires_at: datetime
    revoked: bool

    @property
    def session_id(self) -> str:
        """What stands for it where sessions are counted and ended; no session of a person is called so."""
        return session_of(self.id)


def session_of(token_id: int) -> str:
    """The name of a token's session."""
    return f"{SESSION_PREFIX}{token_id}"


def new_secret() -> tuple[str, bytes]:
    """A secret, and what is kept of it."""
    secret = secrets.token_urlsafe(32)
    return secret, _hash(secret)


def text_of(token_id: int, secret: str) -> str:
    """The token as its machine sends it."""
    return f"{PREFIX}{token_id}_{secret}"


class ServiceTokens:
    """Those that hold."""

    def __init__(self) -> None:
        self._held: dict[int, ServiceToken] = {}

    def take(self, changed: Iterable[ServiceToken]) -> list[str]:
        """What the database says; returns the sessions of those that were revoked."""
        revoked = []
        for token in changed:
            if token.revoked:
                self._held.pop(token.id, None)
                revoked.append(token.session_id)
            else:
                self._held[token.id] = token
        return revoked

    def holds(self, session_id: str) -> bool:
        """Whether the session is one of a token that was not revoked."""
        number = session_id.removeprefix(SESSION_PREFIX)
        return number != session_id and int(number) in self._held

    def identify(self, text: str, now: float) -> Identity:
        """Who holds it at `now` (seconds since 1970). Raises BadToken."""
        form = _FORM.fullmatch(text)
        held = None if form is None else self._held.get(int(form[1]))
        if form is None or held is None or not hmac.compare_digest(_hash(form[2]), held.secret_hash):
            raise BadToken
        ends = int(held.expires_at.timestamp())
        if now >= ends:
            raise BadToken
        return Identity(0, f"token:{held.name}", held.role_id, held.session_id, ends, held.rights)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
