"""Authentication of every kind of token, with the account's current rights: one place for REST and sockets."""

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


class CannotCheck(GatewayError):
    """The database or provider that knows whether a token is valid does not answer now."""

    retryable = True


class Authority:
    """Checks tokens with their issuers: the gateway itself, and the providers whose tokens the settings accept."""

    def __init__(self, tokens: Tokens, tickets: Tickets, following: Following, bearer: BearerTokens) -> None:
        self._tokens = tokens
        self._tickets = tickets
        self._following = following
        self._bearer = bearer

    @property
    def can_check(self) -> bool:
        """False until the ended sessions are known."""
        return self._following.ended.known.is_set()

    async def identify(self, token: str) -> Identity:
        """The identity of a token. Raises BadToken; for a provider's token also CannotCheck."""
        if token.startswith(PREFIX):
            return self._following.tokens.identify(token, time.time())
        if not self._bearer.concerns(token):
            return self.current(self._tokens.verify(token))
        try:
            identity = await self._bearer.identify(token)
        except (ProviderAway, psycopg.Error, PoolTimeout) as error:
            raise CannotCheck(str(error)) from error
        if self.ended(identity):
            raise BadToken
        return self.current(identity)

    async def redeem(self, ticket: str) -> Identity:
        """The identity of a socket's ticket, which is used up by this. Raises BadToken, and psycopg's errors."""
        identity = await self._tickets.take(ticket)
        if self.ended(identity):
            raise BadToken
        return self.current(identity)

    def ticket(self, holder: Identity) -> tuple[str, int]:
        """A ticket for one socket, and when it expires."""
        return self._tickets.issue(holder)

    def current(self, identity: Identity) -> Identity:
        """The identity of a verified token, with its current rights. A provider's token has its own rights."""
        if identity.session_id.startswith(OWN_RIGHTS):
            return identity
        return self._following.rights.of(identity)

    def rights_of(self, user_id: int) -> Rights:
        """The current rights of an account that was shown something a short while ago: revoked rights are not included."""
        return self._following.rights.of_user(user_id) or EVERYTHING

    def ended(self, identity: Identity) -> bool:
        """True if the session has ended since its token was verified."""
        return self.session_ended(identity.session_id)

    def session_ended(self, session_id: str) -> bool:
        """True if the session ended before its tokens expired."""
        if session_id.startswith(SESSION_PREFIX):
            return not self._following.tokens.is_valid(session_id)
        return session_id in self._following.ended
