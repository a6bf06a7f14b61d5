"""Who holds a token, whatever kind of token it is, with the rights of now: one question for REST and sockets alike."""

from __future__ import annotations

import time

import psycopg
from psycopg_pool import PoolTimeout

from gateway.access.following import Following
from gateway.access.oidc.bearer import BearerTokens
from gateway.access.oidc.errors import ProviderAway
from gateway.access.oidc.provisioning import OWN_RIGHTS
from gateway.access.service_tokens import PREFIX, SESSION_PREFIX
from gateway.access.tickets import Tickets
from gateway.access.tokens import BadToken, Identity, Tokens
from gateway.core.rights import EVERYTHING, Rights
from gateway.errors import GatewayError


class CannotTell(GatewayError):
    """Whoever knows whether a token holds does not answer now."""

    retryable = True


class Authority:
    """Asks those who issue tokens: ourselves, and the providers whose tokens the settings take."""

    def __init__(self, tokens: Tokens, tickets: Tickets, following: Following, bearer: BearerTokens) -> None:
        self._tokens = tokens
        self._tickets = tickets
        self._following = following
        self._bearer = bearer

    @property
    def can_tell(self) -> bool:
        """False until it is known which sessions have ended."""
        return self._following.ended.known.is_set()

    async def identify(self, token: str) -> Identity:
        """Who holds it. Raises BadToken; of a provider's token also CannotTell."""
        if token.startswith(PREFIX):
            return self._following.tokens.identify(token, time.time())
        if not self._bearer.concerns(token):
            return self.current(self._tokens.verify(token))
        try:
            identity = await self._bearer.identify(token)
        except (ProviderAway, psycopg.Error, PoolTimeout) as error:
            raise CannotTell(str(error)) from error
        if self.ended(identity):
            raise BadToken
        return self.current(identity)

    async def redeem(self, ticket: str) -> Identity:
        """Whose ticket of a socket it is; it is used by that. Raises BadToken, and psycopg's errors."""
        identity = await self._tickets.take(ticket)
        if self.ended(identity):
            raise BadToken
        return self.current(identity)

    def ticket(self, holder: Identity) -> tuple[str, int]:
        """A ticket for one socket, and when it ends."""
        return self._tickets.issue(holder)

    def current(self, identity: Identity) -> Identity:
        """The holder of a token that was verified before, with the rights of now. A provider's token says its own."""
        if identity.session_id.startswith(OWN_RIGHTS):
            return identity
        return self._following.rights.of(identity)

    def rights_of(self, user_id: int) -> Rights:
        """Of who was shown something a short while ago: what was taken away since is not among them."""
        return self._following.rights.of_user(user_id) or EVERYTHING

    def ended(self, identity: Identity) -> bool:
        """True when the session has ended since its token was verified."""
        return self.session_ended(identity.session_id)

    def session_ended(self, session_id: str) -> bool:
        """True when the session has ended before its tokens did."""
        if session_id.startswith(SESSION_PREFIX):
            return not self._following.tokens.holds(session_id)
        return session_id in self._following.ended
