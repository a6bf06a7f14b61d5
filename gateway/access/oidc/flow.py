"""A browser signs in: it is sent to the provider, returns with a code, and its page fetches the tokens.

What must be known when it returns travels with it, sealed, in a cookie that its page cannot read; so another gateway may
finish what one began, and a code brought by another browser is worthless (RFC 9700, section 2.1). Tokens are never part of
an address: the page gets a code in the fragment, good once, for a minute, and for this browser only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.access.accounts import Accounts, Opened, Origin
from gateway.access.oidc.errors import BadAnswer, NotAdmitted, ProviderAway
from gateway.access.oidc.judging import Subject, id_token
from gateway.access.oidc.mapping import Granted, granted
from gateway.access.oidc.people import People
from gateway.access.oidc.provider import Provider, TokenAnswer
from gateway.access.oidc.provider_settings import ProviderSettings
from gateway.access.oidc.provisioning import ExternalUser
from gateway.access.oidc.sealing import Seal
from gateway.access.proxies import network_of
from gateway.access.sign_in_queue import SignInQueue

AT_ONCE = 8
"""Codes exchanged at one provider at once; the others wait in a queue for each address, so that a flood of made-up codes
delays only its sender."""
WAITING = 256
SIGN_IN_SECONDS = 600
EXCHANGE_SECONDS = 60
MAX_QUERY_VALUE = 4_096
MAX_NAME_CLAIM = 200
_PAGE = re.compile(r"[A-Za-z0-9_-]{0,64}(\.html)?")


@dataclass(frozen=True, slots=True)
class Begun:
    """`address`: where the browser goes; `cookie`: what it sends when it returns."""

    address: str
    cookie: str


@dataclass(frozen=True, slots=True)
class CameBack:
    """`page`: our page to return to; `code`: for the exchange; `cookie`: sent with it."""

    page: str
    code: str
    cookie: str
    username: str


class Flow:
    """The sign-ins at all providers."""

    def __init__(self, providers: Mapping[str, Provider], people: People, accounts: Accounts, seal: Seal) -> None:
        self._providers = providers
        self._people = people
        self._accounts = accounts
        self._seal = seal
        self._queues = {one: SignInQueue(AT_ONCE, WAITING) for one in providers}

    async def begin(self, provider: Provider, page: str) -> Begun:
        """Send a browser to the provider. `page`: to return to; a file beside the page, never an address. Raises BadAnswer,
        ProviderAway."""
        if not _PAGE.fullmatch(page):
            raise BadAnswer(provider.settings.id, "a page to return to that is not one of ours")
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        carried = {
            "provider": provider.settings.id,
            "state": state,
            "nonce": nonce,
            "verifier": verifier,
            "page": page,
        }
        address = await provider.sign_in_address(state, nonce, verifier)
        return Begun(address, self._seal.seal("sign-in", carried, SIGN_IN_SECONDS))

    async def come_back(
        self, provider: Provider, query: Sequence[tuple[str, str]], cookie: str, origin: Origin
    ) -> CameBack:
        """Open a session for a browser that returns. Raises BadAnswer, NotAdmitted, ProviderAway, TooManySignIns and
        psycopg's errors."""
        settings = provider.settings
        answered = _single(settings, query)
        carried = self._seal.open("sign-in", cookie)
        if carried is None or carried["provider"] != settings.id:
            raise BadAnswer(settings.id, "a browser that did not begin this sign-in, or too long ago")
        if not hmac.compare_digest(str(carried["state"]).encode(), answered.get("state", "").encode()):
            raise BadAnswer(settings.id, "another state than the sign-in began with")
        if ("iss" in answered or await provider.sends_issuer()) and answered.get("iss") != settings.issuer:
            raise BadAnswer(settings.id, "an answer of another issuer")
        if "error" in answered:
            raise _declined(settings, answered["error"])
        if not answered.get("code"):
            raise BadAnswer(settings.id, "an answer without a code")
        async with self._queues[settings.id].of(network_of(origin.address)):
            answer = await provider.exchange(answered["code"], carried["verifier"])
        external_user = await self._external_user(provider, answer, carried["nonce"])
        sealed = sealed_refresh_token(self._seal, settings, answer.refresh_token)
        opened = await self._people.sign_in(external_user, carried["state"], sealed, origin)
        return self._came_back(settings, opened, carried["page"])

    async def exchange(self, code: str, cookie: str) -> Opened | None:
        """The session of a code; None if the code is not valid or belongs to another browser."""
        found = self._seal.open("exchange", code)
        if found is None or not hmac.compare_digest(found["browser"], _digest(cookie)):
            return None
        if not await self._people.used_first(f"oidc-code:{found['once']}"):
            return None
        opened = await self._accounts.refresh(found["refresh"])
        return replace(opened, token_minutes=found["minutes"]) if isinstance(opened, Opened) else None

    def _came_back(self, settings: ProviderSettings, opened: Opened, page: str) -> CameBack:
        cookie = secrets.token_urlsafe(32)
        content = {
            "refresh": opened.refresh_token,
            "minutes": settings.token_minutes,
            "browser": _digest(cookie),
            "once": secrets.token_urlsafe(16),
        }
        code = self._seal.seal("exchange", content, EXCHANGE_SECONDS)
        return CameBack(page, code, cookie, opened.user.username)

    async def _external_user(self, provider: Provider, answer: TokenAnswer, nonce: str) -> ExternalUser:
        settings = provider.settings
        if answer.id_token is None:
            raise BadAnswer(settings.id, "an answer without an ID token")
        signed = await provider.signed(answer.id_token)
        subject = id_token(settings, signed, nonce, answer.access_token)
        return external_user(settings, subject, signed.claims)


def external_user(settings: ProviderSettings, subject: Subject, claims: Mapping[str, Any]) -> ExternalUser:
    """The person with these claims. Raises NotAdmitted."""
    found = granted(settings, claims)
    if found is None:
        raise NotAdmitted(settings.id, "no_rights")
    return ExternalUser(
        settings, subject, _text(claims, settings.name_claim) or subject.subject, _email(claims), found
    )


def granted_or_refused(settings: ProviderSettings, claims: Mapping[str, Any]) -> Granted:
    """What the person may do now. Raises NotAdmitted."""
    found = granted(settings, claims)
    if found is None:
        raise NotAdmitted(settings.id, "no_rights")
    return found


def sealed_refresh_token(seal: Seal, settings: ProviderSettings, token: str | None) -> str | None:
    """The token in the form that the database may store."""
    if token is None or len(token) > 8_192:
        return None
    return seal.seal("refresh token", {"token": token}, settings.session_hours * 3_600)


def _single(settings: ProviderSettings, query: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The provider's parameters, none of them twice or too long. Unknown ones are allowed."""
    found: dict[str, str] = {}
    for name, value in query:
        if name in found or len(value) > MAX_QUERY_VALUE:
            raise BadAnswer(settings.id, "an answer with a member twice, or a very long one")
        found[name] = value
    return found


def _declined(settings: ProviderSettings, error: str) -> BadAnswer | NotAdmitted | ProviderAway:
    match error:
        case "access_denied" | "consent_required" | "interaction_required" | "login_required":
            return NotAdmitted(settings.id, "declined")
        case "server_error" | "temporarily_unavailable":
            return ProviderAway(settings.id, f"it reports {error}")
        case _:
            return BadAnswer(settings.id, f"the provider refuses the sign-in: {error!r}"[:200])


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value[:MAX_NAME_CLAIM] if isinstance(value, str) and value.isprintable() and value else None


def _email(claims: Mapping[str, Any]) -> str | None:
    email = _text(claims, "email")
    return email if email is not None and "@" in email else None
