"""All parts of signing in with a provider, built for one gateway process."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg_pool import AsyncConnectionPool

from gateway.access.accounts import Accounts
from gateway.access.oidc.bearer import BearerTokens
from gateway.access.oidc.flow import Flow
from gateway.access.oidc.people import People
from gateway.access.oidc.provider import Provider
from gateway.access.oidc.provider_settings import is_this_machine
from gateway.access.oidc.renewing import Renewing
from gateway.access.oidc.sealing import Seal
from gateway.access.refresh_tokens import RefreshTokens
from gateway.access.sign_in_log import SignInLog
from gateway.public import public_url
from gateway.settings import GatewaySettings
from runtime.errors import SettingsError

PREFIX = "/api/v1/auth/oidc"
SETTING = "gateway.oidc (CATALOGIZER_GATEWAY__OIDC)"


@dataclass(frozen=True, slots=True)
class Oidc:
    """The providers and everything around them; built, and idle, even if no provider is set up. `page`: the address of our
    page for browsers."""

    page: str
    providers: dict[str, Provider]
    people: People
    flow: Flow
    bearer: BearerTokens
    renewing: Renewing

    async def sign_out_address(self, session_id: str) -> str | None:
        """The address at which the session's owner signs out of the provider too, if the settings want that."""
        if not any(one.settings.end_session for one in self.providers.values()):
            return None
        issuer = await self.people.issuer_of(session_id)
        for provider in self.providers.values():
            if provider.settings.issuer == issuer and provider.settings.end_session:
                return await provider.sign_out_address(f"{self.page}/")
        return None

    async def close(self) -> None:
        """End connections to providers."""
        for provider in self.providers.values():
            await provider.close()


def build(
    pool: AsyncConnectionPool, accounts: Accounts, sign_ins: SignInLog, *, settings: GatewaySettings, secret: str
) -> Oidc:
    """Opens no connection. Raises SettingsError."""
    page = public_url(settings)
    if (
        settings.public_url is None
        and not is_this_machine(settings.host)
        and any(one.sign_in for one in settings.oidc)
    ):
        fault = "gateway.public_url (CATALOGIZER_GATEWAY__PUBLIC_URL): not set; providers send browsers back there"
        raise SettingsError((fault,))
    try:
        providers = {one.id: Provider(one, f"{page}{PREFIX}/{one.id}/callback") for one in settings.oidc}
    except ValueError as error:
        raise SettingsError((f"{SETTING}: {error}",)) from error
    seal = Seal(secret)
    people = People(pool, accounts)
    renewing = Renewing(providers, people, accounts, refresh_tokens=RefreshTokens(secret), seal=seal)
    return Oidc(
        page,
        providers,
        people,
        Flow(providers, people, accounts, seal),
        BearerTokens(providers, people, sign_ins),
        renewing,
    )
