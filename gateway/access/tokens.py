"""Session tokens: signed claims (RFC 7519, HS256), checked whole; refresh tokens are random and opaque.

Whatever is wrong with a token, the answer is the same BadToken: who tries learns nothing.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from gateway.errors import GatewayError
from gateway.settings import GatewaySettings
from runtime.errors import SettingsError

LEEWAY_SECONDS = 30
MAX_TOKEN_BYTES = 4_096
MIN_SECRET_CHARACTERS = 32
SAMPLE_WORDS = ("change", "secret", "example", "sample", "password", "catalogizer")
KNOWN_HEADERS = frozenset({"alg", "typ", "kid"})
ADMIN_ROLE = 1


class BadToken(GatewayError):
    """Not a token that holds; says no more than that."""

    retryable = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who holds a token. `expires_at`: seconds since 1970. `role_id` 1 is the administrator."""

    user_id: int
    username: str
    role_id: int
    session_id: str
    expires_at: int

    @property
    def is_admin(self) -> bool:
        """True for an administrator."""
        return self.role_id == ADMIN_ROLE


class Tokens:
    """Issues and verifies."""

    def __init__(self, settings: GatewaySettings, secret: str, ended: Container[str] = ()) -> None:
        """`ended`: the sessions whose tokens hold no more. Raises SettingsError for a secret that is short or a
        sample."""
        check_secret(secret)
        self._ended = ended
        self._key = OctKey.import_key(secret)
        self._kid = hashlib.sha256(b"kid:" + secret.encode()).hexdigest()[:16]
        self._settings = settings
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
        )

    def issue(self, *, user_id: int, username: str, role_id: int, session_id: str) -> tuple[str, Identity]:
        """A new session token and what it says."""
        now = int(time.time())
        expires = now + self._settings.token_minutes * 60
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": str(user_id),
            "iat": now,
            "exp": expires,
            "user_id": user_id,
            "username": username,
            "role_id": role_id,
            "session_id": session_id,
            "channels": ["*"],
            "storage_roots": ["*"],
        }
        token = jwt.encode({"alg": "HS256", "typ": "JWT", "kid": self._kid}, claims, self._key)
        return token, Identity(user_id, username, role_id, session_id, expires)

    def verify(self, token: str) -> Identity:
        """Who holds it. Raises BadToken."""
        if len(token) > MAX_TOKEN_BYTES or not token.isascii():
            raise BadToken
        try:
            found = jwt.decode(token, self._key, algorithms=["HS256"])
            self._claims.validate(found.claims)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise BadToken from error
        if found.header.get("kid") != self._kid or not found.header.keys() <= KNOWN_HEADERS:
            raise BadToken
        identity = _identity(found.claims)
        if self.ended(identity):
            raise BadToken
        return identity

    def ended(self, identity: Identity) -> bool:
        """True when the session has ended since its token was verified."""
        return identity.session_id in self._ended


def _identity(claims: dict[str, object]) -> Identity:
    match claims:
        case {
            "user_id": int(user),
            "username": str(name),
            "role_id": int(role),
            "session_id": str(session),
            "sub": str(subject),
            "exp": int() | float() as expires,
        } if subject == str(user):
            return Identity(user, name, role, session, int(expires))
        case _:
            raise BadToken


def digest(token: str) -> bytes:
    """What stands for a token where the token itself must not be kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def new_refresh_token() -> tuple[str, str]:
    """A random refresh token and the hash (SHA-256, hex) that is stored of it."""
    token = secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).hexdigest()


def refresh_hash(token: str) -> str:
    """The stored form of a refresh token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def check_secret(secret: str) -> None:
    """Raise SettingsError for a secret that does not protect."""
    where = "gateway.token_secret (CATALOGIZER_GATEWAY__TOKEN_SECRET)"
    if len(secret) < MIN_SECRET_CHARACTERS:
        raise SettingsError((f"{where}: too short, {MIN_SECRET_CHARACTERS} characters at least",))
    if len(set(secret)) < 8 or any(word in secret.lower() for word in SAMPLE_WORDS):
        raise SettingsError((f"{where}: a sample value; make one with `openssl rand -hex 32`",))


def load_secret(settings: GatewaySettings, state_dir: Path) -> str:
    """The configured secret, or the one kept in the state folder (made once, readable by its owner only)."""
    if settings.token_secret is not None:
        return settings.token_secret.get_secret_value()
    path = state_dir / "secrets" / "token.key"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"token.key.{secrets.token_hex(4)}")
    part.touch(mode=0o600)
    part.write_text(secrets.token_hex(32) + "\n")
    try:
        path.hardlink_to(part)  # the first of several gateways wins; none ever reads half a file
    except FileExistsError:
        pass
    finally:
        part.unlink()
    return path.read_text().strip()
