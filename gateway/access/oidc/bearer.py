"""Access tokens of a provider that programs present to the gateway as they are (RFC 9068).

The groups in such a token apply to this token only: an account keeps what its own sign-ins gave it. A valid token is cached
by its digest until it expires, so that a socket or a request needs neither a signature check nor a query; sessions that
ended meanwhile are known from `access.ended_sessions` like any others.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.access.accounts import Origin
from gateway.access.oidc.errors import BadAnswer, NotAdmitted
from gateway.access.oidc.flow import external_user
from gateway.access.oidc.judging import LEEWAY_SECONDS, access_token
from gateway.access.oidc.people import People
from gateway.access.oidc.provider import MAX_TOKEN_BYTES, Provider
from gateway.access.oidc.provider_settings import ALGORITHMS
from gateway.access.refusal_log import RefusalLog
from gateway.access.sign_in_log import SignInLog
from gateway.access.tokens import BadToken, Identity, digest

KNOWN = 10_000
KNOWN_SECONDS = 3_600.0
"""After this time a token is checked again, so that a session that ended long ago and is forgotten here does not come
back."""
REFUSED_SECONDS = 10.0
"""For so long a refusal is repeated without a query."""

_refusals = RefusalLog("bearer token refused")


@dataclass(frozen=True, slots=True)
class _Known:
    identity: Identity | None
    until: float


class BearerTokens:
    """The bearer tokens of all providers. Belongs to one event loop."""

    def __init__(self, providers: Mapping[str, Provider], people: People, sign_ins: SignInLog) -> None:
        self._by_issuer = {one.settings.issuer: one for one in providers.values() if one.settings.audiences}
        self._people = people
        self._sign_ins = sign_ins
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def concerns(self, token: str) -> bool:
        """Whether a provider may have signed it. Nothing in the token is trusted yet."""
        if not self._by_issuer or len(token) > MAX_TOKEN_BYTES or token.count(".") != 2 or not token.isascii():
            return False
        return _unverified(token, 0).get("alg") in ALGORITHMS

    async def identify(self, token: str) -> Identity:
        """The identity of a token. Raises BadToken, ProviderAway and psycopg's errors."""
        key = digest(token)
        known = self._known.get(key)
        if known is not None and time.time() < known.until:
            self._known.move_to_end(key)
            if known.identity is None:
                raise BadToken
            return known.identity
        provider = self._by_issuer.get(str(_unverified(token, 1).get("iss")))
        if provider is None:
            raise BadToken
        try:
            identity = await self._verified(provider, token)
        except BadAnswer as error:
            _refusals.refused(error.why, provider=error.provider)
            raise BadToken from error
        except NotAdmitted as error:
            self._sign_ins.refused("", "", error.why, error.account or None, way=f"bearer:{error.provider}")
            self._keep(key, _Known(None, time.time() + REFUSED_SECONDS))
            raise BadToken from error
        self._keep(key, _Known(identity, min(identity.expires_at + LEEWAY_SECONDS, time.time() + KNOWN_SECONDS)))
        return identity

    async def _verified(self, provider: Provider, token: str) -> Identity:
        settings = provider.settings
        signed = await provider.signed(token)
        subject = access_token(settings, signed)
        user = external_user(settings, subject, signed.claims)
        bearer = await self._people.bearer(user, Origin("", subject.client_id, f"bearer:{settings.id}"))
        if bearer.new:
            self._sign_ins.signed_in(bearer.username, "", way=f"bearer:{settings.id}")
        granted = bearer.granted
        return Identity(
            bearer.user_id, bearer.username, granted.role_id, bearer.session_id, subject.expires_at, granted.rights
        )

    def _keep(self, key: bytes, known: _Known) -> None:
        self._known[key] = known
        self._known.move_to_end(key)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)


def _unverified(token: str, part: int) -> Mapping[str, object]:
    try:
        found = json.loads(urlsafe_b64decode(token.split(".")[part] + "==="))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
