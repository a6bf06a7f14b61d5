"""A session is refreshed: if a provider vouched for it, the provider is asked whether the person is still signed in, and
with which rights.

Our session is kept by our refresh tokens. The provider's refresh token is stored, sealed, for one purpose: somebody who was
disabled there, or lost a group, is noticed when our short session token ends, even if the provider does not notify us. If
the provider denies it, the session ends; if it does not answer, nothing ends for a day (`without_provider_hours`), because
streaming must survive such an outage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from gateway.access.accounts import Accounts, Opened, Reused
from gateway.access.oidc.errors import BadAnswer, CodeRefused, NotAdmitted, ProviderAway
from gateway.access.oidc.flow import granted_or_refused, sealed_refresh_token
from gateway.access.oidc.judging import id_token
from gateway.access.oidc.people import People, RenewalCheck
from gateway.access.oidc.provider import Provider
from gateway.access.oidc.sealing import Seal
from gateway.access.refresh_tokens import RefreshTokens
from gateway.access.refusal_log import RefusalLog

CHECK_INTERVAL = timedelta(seconds=30)
"""Of tabs that refresh at once, one checks: a provider may accept each refresh token only once."""

_refusals = RefusalLog("a session ends because its provider refuses it")
_away = RefusalLog("a session was not checked with its provider")


class Renewing:
    """Refreshes every session, also those opened with a password."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        people: People,
        accounts: Accounts,
        *,
        refresh_tokens: RefreshTokens,
        seal: Seal,
    ) -> None:
        self._by_issuer = {one.settings.issuer: one for one in providers.values()}
        self._people = people
        self._accounts = accounts
        self._refresh_tokens = refresh_tokens
        self._seal = seal

    async def refresh(self, token: str) -> Opened | Reused | None:
        """See `Accounts.refresh`. Raises ProviderAway if the provider has been away too long, and psycopg's errors."""
        place = self._refresh_tokens.read(token)
        if place is None:
            return None
        check = await self._people.renewal_check(place.session_id, CHECK_INTERVAL)
        if check is None:
            return await self._accounts.refresh(token)
        provider = self._by_issuer.get(check.provider)
        if provider is None or not await self._still_signed_in(provider, place.session_id, check):
            await self._people.end(place.session_id, by=check.provider)
            return None
        opened = await self._accounts.refresh(token)
        if isinstance(opened, Opened):
            return replace(opened, token_minutes=provider.settings.token_minutes)
        return opened

    async def _still_signed_in(self, provider: Provider, session_id: str, check: RenewalCheck) -> bool:
        settings = provider.settings
        if check.refresh_token is None or not check.due:
            return True  # nothing to check with; `session_hours` limits it
        opened = self._seal.open("refresh token", check.refresh_token)
        if opened is None:
            return False
        try:
            answer = await provider.refresh(opened["token"])
            found = None
            if answer.id_token is not None:
                signed = await provider.signed(answer.id_token)
                if id_token(settings, signed, None, answer.access_token).subject != check.subject:
                    raise BadAnswer(settings.id, "the provider answers for another subject")
                found = granted_or_refused(settings, signed.claims)
        except (CodeRefused, NotAdmitted, BadAnswer) as error:
            _refusals.refused(error.why, provider=settings.id)
            return False
        except ProviderAway as error:
            _away.refused(settings.id, error=error.why)
            if check.hours > settings.without_provider_hours:
                raise
            return True
        sealed = sealed_refresh_token(self._seal, settings, answer.refresh_token)
        await self._people.answered(session_id, sealed, found, by=f"oidc:{settings.id}")
        return True
