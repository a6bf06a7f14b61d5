"""Who holds a token, whatever kind of token it is, with the rights of now: one question for REST and sockets alike."""

from __future__ import annotations

import time

from gateway.access.following import Following
from gateway.access.service_tokens import PREFIX, SESSION_PREFIX
from gateway.access.tickets import Tickets
from gateway.access.tokens import BadToken, Identity, Tokens


class Authority:
    """Asks those who issue tokens."""

    def __init__(self, tokens: Tokens, tickets: Tickets, following: Following) -> None:
        self._tokens = tokens
        self._tickets = tickets
        self._following = following

    @property
    def can_tell(self) -> bool:
        """False until it is known which sessions have ended."""
        return self._following.ended.known.is_set()

    async def identify(self, token: str) -> Identity:
        """Who holds it. Raises BadToken."""
        if token.startswith(PREFIX):
            return self._following.tokens.identify(token, time.time())
        return self._following.rights.of(self._tokens.verify(token))

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
        """The holder of a token that was verified before, with the rights of now."""
        return self._following.rights.of(identity)

    def ended(self, identity: Identity) -> bool:
        """True when the session has ended since its token was verified."""
        return self.session_ended(identity.session_id)

    def session_ended(self, session_id: str) -> bool:
        """True when the session has ended before its tokens did."""
        if session_id.startswith(SESSION_PREFIX):
            return not self._following.tokens.holds(session_id)
        return session_id in self._following.ended
