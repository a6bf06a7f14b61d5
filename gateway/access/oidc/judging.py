"""Which of a provider's tokens are valid. The signature was checked before; here every claim is checked. Pure.

Three kinds of token are signed with the same keys, so each is recognised by its type and by what only that type has: none
may pass for another (RFC 8725, section 3.11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from gateway.access.oidc.errors import BadAnswer
from gateway.access.oidc.provider_settings import ProviderSettings

LEEWAY_SECONDS = 30
LOGOUT_SECONDS = 300
"""Maximum age of a logout token: its provider sends it at once."""
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
MAX_SUBJECT = 255
"""Characters; OpenID Connect Core, section 2."""

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signed:
    """A token with a valid signature of the provider."""

    header: Claims
    claims: Claims


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a token. Only `issuer` and `subject` identify a person. `sid`: the provider's own session;
    `issued_at`, `expires_at`: seconds since 1970."""

    issuer: str
    subject: str
    sid: str | None
    client_id: str
    issued_at: int
    expires_at: int


def id_token(settings: ProviderSettings, signed: Signed, nonce: str | None, access_token: str | None) -> Subject:
    """Of a sign-in (OpenID Connect Core, section 3.1.3.7), or of a refresh, where there is no `nonce`. Raises BadAnswer."""
    if _type(signed) not in (None, "jwt"):
        raise BadAnswer(settings.id, "an ID token of another type")
    options = {"iss": {"essential": True, "value": settings.issuer}, "aud": {"value": settings.client_id}}
    params = {"client_id": settings.client_id, "nonce": nonce, "access_token": access_token}
    header = dict(signed.header)
    if header.get("alg") == "Ed25519":
        header["alg"] = "EdDSA"  # its older name, which `at_hash` is computed with
    claims = CodeIDToken(dict(signed.claims), header, options, params)
    try:
        claims.validate(leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError) as error:
        raise BadAnswer(settings.id, f"an invalid ID token: {error}"[:200]) from error
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
        raise BadAnswer(settings.id, "an ID token with several audiences that does not name its client")
    if "events" in claims:
        raise BadAnswer(settings.id, "a logout token in the place of an ID token")
    return _subject(settings, claims, settings.client_id)


def access_token(settings: ProviderSettings, signed: Signed) -> Subject:
    """A token that a client presents as it is (RFC 9068, section 4). Raises BadAnswer."""
    claims = signed.claims
    kind = _type(signed)
    if (kind or "jwt").removeprefix("application/") not in [of.lower() for of in settings.token_types]:
        raise BadAnswer(settings.id, "an access token of another type")
    if claims.keys() & {"nonce", "at_hash", "c_hash", "events"} or claims.get("typ", "Bearer") not in (
        "Bearer",
        "at+jwt",
    ):
        raise BadAnswer(settings.id, "another token in the place of an access token")
    if "cnf" in claims:
        raise BadAnswer(settings.id, "an access token bound to a key, of which there is no proof")
    _validate(settings, claims, list(settings.audiences))
    client = next(
        (claims[name] for name in ("client_id", "azp", "appid") if isinstance(claims.get(name), str)), None
    )
    if client is None:
        raise BadAnswer(settings.id, "an access token that names no client")
    return _subject(settings, claims, client)


def logout_token(
    settings: ProviderSettings, signed: Signed, now: float
) -> tuple[str, str | None, str | None, int]:
    """The token's id, the subject and the session that are to end, and when it was issued (OpenID Connect Back-Channel
    Logout, section 2.6). Raises BadAnswer."""
    claims = signed.claims
    if _type(signed) not in (None, "jwt", "logout+jwt"):
        raise BadAnswer(settings.id, "a logout token of another type")
    _validate(settings, claims, [settings.client_id], exp=False)
    match claims:
        case {"jti": str(jti), "iat": int() | float() as issued, "events": {**events}} if (
            0 < len(jti) <= MAX_SUBJECT and "nonce" not in claims and isinstance(events.get(LOGOUT_EVENT), dict)
        ):
            pass
        case _:
            raise BadAnswer(settings.id, "not a logout token")
    if issued < now - LOGOUT_SECONDS:
        raise BadAnswer(settings.id, "a logout token that is too old")
    subject, sid = claims.get("sub"), claims.get("sid")
    if not _name_or_none(subject) or not _name_or_none(sid) or (subject is None and sid is None):
        raise BadAnswer(settings.id, "a logout token that names nobody")
    return jti, subject, sid, int(issued)


def _validate(settings: ProviderSettings, claims: Claims, audiences: list[str], *, exp: bool = True) -> None:
    registry = JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": settings.issuer},
        aud={"essential": True, "values": list[str | int | bool](audiences)},
        iat={"essential": True},
        exp={"essential": exp},
        sub={"essential": exp},
    )
    try:
        registry.validate(dict(claims))
    except (JoseError, ValueError, TypeError) as error:
        raise BadAnswer(settings.id, f"an invalid token: {error}"[:200]) from error


def _subject(settings: ProviderSettings, claims: Claims, client_id: str) -> Subject:
    match claims:
        case {"sub": str(subject), "iat": int() | float() as issued, "exp": int() | float() as expires} if (
            0 < len(subject) <= MAX_SUBJECT and subject.isprintable() and expires < 2**40
        ):
            sid = claims.get("sid")
            if not _name_or_none(sid):
                raise BadAnswer(settings.id, "a session id that is not a name")
            return Subject(settings.issuer, subject, sid, client_id[:MAX_SUBJECT], int(issued), int(expires))
        case _:
            raise BadAnswer(settings.id, "a subject that is not a name")


def _name_or_none(value: object) -> bool:
    return value is None or (isinstance(value, str) and 0 < len(value) <= MAX_SUBJECT and value.isprintable())


def _type(signed: Signed) -> str | None:
    kind = signed.header.get("typ")
    if kind is None:
        return None
    return kind.lower() if isinstance(kind, str) else "?"
