"""A provider reports that somebody has signed out there (OpenID Connect Back-Channel Logout): the person's sessions here
end, at this gateway at once and at the others as fast as any session that ends."""

from __future__ import annotations

import time

from gateway.access.oidc.errors import BadAnswer
from gateway.access.oidc.judging import logout_token
from gateway.access.oidc.people import People
from gateway.access.oidc.provider import Provider


async def sign_out(provider: Provider, people: People, token: str) -> list[str]:
    """End the sessions that a logout token names, and return them. Raises BadAnswer, ProviderAway and psycopg's errors."""
    settings = provider.settings
    signed = await provider.signed(token)
    jti, subject, sid, issued_at = logout_token(settings, signed, time.time())
    ended = await people.signed_out(settings.issuer, jti, subject, sid, issued_at, by=f"oidc:{settings.id}")
    if ended is None:
        raise BadAnswer(settings.id, "a logout token that was used before")
    return ended
