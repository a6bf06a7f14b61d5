"""A session is refreshed: where a provider vouched for it, the provider is asked whether he may still, and what.

Our session lives by our refresh tokens. The provider's refresh token is kept, sealed, for one thing: who was disabled there,
or lost a group, is noticed when our short session token ends, whether or not the provider tells us. A provider that says no
ends the session; one that does not answer ends nothing for a day (`without_provider_hours`), for streaming must outlive it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from gateway.access.accounts import Accounts, Opened, Reused
from gateway.access.oidc.errors import BadAnswer, CodeRefused, NotAdmitted, ProviderAway
from gateway.access.oidc.flow import granted_or_refused, sealed_refresh_token
from gateway.access.oidc.judging import id_token
from gateway.access.oidc.people import Asked, People
from gateway.access.oidc.provider import Provider
from gateway.access.oidc.sealing import Seal
from gateway.access.refresh_tokens import RefreshTokens
from gateway.access.refusal_log import RefusalLog

ASK_AGAIN = timedelta(seconds=30)
"""Of tabs that refresh at once one asks: a provider may give each refresh token once."""

_refusals = RefusalLog("a session ends by its provider's word")
_away = RefusalLog("a provider was not asked about a session")


class Renewing:
    """Refreshes every session, those with a password too."""

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
        """As `Accounts.refresh`. Raises ProviderAway where the provider has been away too long, and psycopg's errors."""
        place = self._refresh_tokens.read(token)
        if place is None:
            return None
        asked = await self._people.asked(place.session_id, ASK_AGAIN)
        if asked is None:
            return await self._accounts.refresh(token)
        provider = self._by_issuer.get(asked.provider)
        if provider is None or not await self._may_still(provider, place.session_id, asked):
            await self._people.end(place.session_id, by=asked.provider)
            return None
        opened = await self._accounts.refresh(token)
        if isinstance(opened, Opened):
            return replace(opened, token_minutes=provider.settings.token_minutes)
        return opened

    async def _may_still(self, provider: Provider, session_id: str, asked: Asked) -> bool:
        settings = provider.settings
        if asked.refresh_token is None or not asked.due:
            return True  # nothing to ask with; `session_hours` bounds it
        opened = self._seal.open("refresh token", asked.refresh_token)
        if opened is None:
            return False
        try:
            answer = await provider.refresh(opened["token"])
            found = None
            if answer.id_token is not None:
                signed = await provider.signed(answer.id_token)
                if id_token(settings, signed, None, answer.access_token).subject != asked.subject:
                    raise BadAnswer(settings.id, "the provider answers for somebody else")
                found = granted_or_refused(settings, signed.claims)
        except (CodeRefused, NotAdmitted, BadAnswer) as error:
            _refusals.refused(error.why, provider=settings.id)
            return False
        except ProviderAway as error:
            _away.refused(settings.id, error=error.why)
            if asked.hours > settings.without_provider_hours:
                raise
            return True
        sealed = sealed_refresh_token(self._seal, settings, answer.refresh_token)
        await self._people.answered(session_id, sealed, found, by=f"oidc:{settings.id}")
        return True
