"""Session tokens: signed claims (RFC 7519, HS256), checked completely.

Whatever is wrong with a token, the answer is the same BadToken: the client learns nothing.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from itertools import pairwise

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from gateway.access.ended_sessions import EndedSessions
from gateway.access.roles import ADMIN
from gateway.core.rights import EVERYTHING, Rights
from gateway.errors import GatewayError
from gateway.settings import GatewaySettings
from runtime.errors import SettingsError

LEEWAY_SECONDS = 30
MAX_TOKEN_BYTES = 4_096
MIN_SECRET_CHARACTERS = 32
MIN_DIFFERENT = 8
SAMPLE_WORDS = (
    "change", "secret", "example", "sample", "passw", "catalogi", "replace", "insert", "default", "placeholder",
    "qwert", "asdfg", "foobar", "letmein", "dummy", "jwtkey", "tokenkey", "keyboardcat", "development", "production",
    "hereplease", "thistoken", "yourkey", "yourtoken", "mytoken", "openssl", "random",
)  # fmt: skip
SETTING = "gateway.token_secret (CATALOGIZER_GATEWAY__TOKEN_SECRET)"
KNOWN_HEADERS = frozenset({"alg", "typ", "kid"})


class BadToken(GatewayError):
    """Not a valid token; no reason is given."""

    retryable = False


@dataclass(frozen=True, slots=True)
class Identity:
    """The owner of a token. `expires_at`: seconds since 1970. `role_id`: see `access.roles`."""

    user_id: int
    username: str
    role_id: int
    session_id: str
    expires_at: int
    rights: Rights = EVERYTHING

    def same_holder(self, other: Identity) -> bool:
        """Whether it is the same account, or the same machine's token."""
        return self.user_id == other.user_id and (self.user_id != 0 or self.session_id == other.session_id)

    @property
    def is_admin(self) -> bool:
        """True for an administrator."""
        return self.role_id == ADMIN.id


class Tokens:
    """Issues and verifies session tokens."""

    def __init__(self, settings: GatewaySettings, secret: str, ended: EndedSessions | None = None) -> None:
        """`ended`: the sessions whose tokens are no longer valid. Raises SettingsError for a secret that is short or a
        sample."""
        check_secret(secret)
        self._ended = EndedSessions() if ended is None else ended
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

    def issue(
        self,
        *,
        user_id: int,
        username: str,
        role_id: int,
        session_id: str,
        rights: Rights = EVERYTHING,
        minutes: int | None = None,
    ) -> tuple[str, Identity]:
        """A new session token and its identity. `minutes`: a shorter life than the setting's."""
        now = int(time.time())
        expires = now + min(minutes or self._settings.token_minutes, self._settings.token_minutes) * 60
        identity = Identity(user_id, username, role_id, session_id, expires, rights)
        issued = {"iss": self._settings.issuer, "aud": self._settings.audience, "iat": now}
        token = jwt.encode(
            {"alg": "HS256", "typ": "JWT", "kid": self._kid}, issued | claims_of(identity), self._key
        )
        return token, identity

    def verify(self, token: str) -> Identity:
        """The identity of a token. Raises BadToken."""
        if len(token) > MAX_TOKEN_BYTES or not token.isascii():
            raise BadToken
        try:
            found = jwt.decode(token, self._key, algorithms=["HS256"])
            self._claims.validate(found.claims)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise BadToken from error
        if found.header.get("kid") != self._kid or not found.header.keys() <= KNOWN_HEADERS:
            raise BadToken
        identity = identity_of(found.claims)
        if self.ended(identity):
            raise BadToken
        return identity

    @property
    def can_check(self) -> bool:
        """False until the ended sessions are known."""
        return self._ended.known.is_set()

    def ended(self, identity: Identity) -> bool:
        """True if the session has ended since its token was verified."""
        return self.session_ended(identity.session_id)

    def session_ended(self, session_id: str) -> bool:
        """True if the session ended before its tokens expired."""
        return session_id in self._ended


def claims_of(identity: Identity) -> dict[str, object]:
    """A token's claims about its owner."""
    return {
        "sub": str(identity.user_id),
        "exp": identity.expires_at,
        "user_id": identity.user_id,
        "username": identity.username,
        "role_id": identity.role_id,
        "session_id": identity.session_id,
        **identity.rights.names(),
    }


def identity_of(claims: dict[str, object]) -> Identity:
    """The identity in the claims. Raises BadToken."""
    match claims:
        case {
            "user_id": int(user),
            "username": str(name),
            "role_id": int(role),
            "session_id": str(session),
            "sub": str(subject),
            "exp": int() | float() as expires,
            "channels": _,
            "storage_roots": _,
        } if subject == str(user):
            return Identity(user, name, role, session, int(expires), _rights(claims))
        case _:
            raise BadToken


def _rights(claims: dict[str, object]) -> Rights:
    """The rights in the claims; a token from before libraries were introduced names none."""
    return Rights(_names(claims["channels"]), _names(claims.get("libraries", [])), _names(claims["storage_roots"]))


def _names(claim: object) -> frozenset[str]:
    if not isinstance(claim, list) or not all(isinstance(name, str) for name in claim):
        raise BadToken
    return frozenset(claim)


def digest(token: str) -> bytes:
    """A substitute for a token where the token itself must not be kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def check_secret(secret: str) -> None:
    """Raise SettingsError for a secret that does not protect."""
    if len(secret) < MIN_SECRET_CHARACTERS:
        raise SettingsError((f"{SETTING}: too short, {MIN_SECRET_CHARACTERS} characters at least",))
    if _like_a_sample(secret):
        raise SettingsError((f"{SETTING}: like a sample value; make one with `openssl rand -hex 32`",))


def configured_secret(settings: GatewaySettings) -> str:
    """The configured secret. Raises SettingsError if there is none: with a generated secret, nobody who signed in at another
    gateway would be accepted, and nobody at all after a restart without its disk."""
    if settings.token_secret is None:
        raise SettingsError((f"{SETTING}: not set; make one for all gateways with `openssl rand -hex 32`",))
    return settings.token_secret.get_secret_value()


def _like_a_sample(secret: str) -> bool:
    """True for words of examples, for few characters, for a repeated pattern and for a walk along the alphabet or the
    digits. A random secret of the minimum length is none of these (one in 10^9 at most)."""
    text = re.sub(r"[^a-z0-9]", "", secret.lower())
    steps = [abs(ord(b) - ord(a)) for a, b in pairwise(secret)]
    return (
        len(set(secret)) < MIN_DIFFERENT
        or any(word in text for word in SAMPLE_WORDS)
        or any(secret.startswith(secret[n:]) for n in range(1, len(secret) // 2 + 1))
        or sum(step <= 1 for step in steps) > len(steps) / 2
    )
