"""Who holds a token, whatever kind of token it is: one question for REST and sockets alike."""

from __future__ import annotations

from gateway.access.tokens import Identity, Tokens


class Authority:
    """Asks those who issue tokens."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    @property
    def can_tell(self) -> bool:
        """False until it is known which sessions have ended."""
        return self._tokens.can_tell

    async def identify(self, token: str) -> Identity:
        """Who holds it. Raises BadToken."""
        return self._tokens.verify(token)

    def ended(self, identity: Identity) -> bool:
        """True when the session has ended since its token was verified."""
        return self._tokens.session_ended(identity.session_id)

    def session_ended(self, session_id: str) -> bool:
        """True when the session has ended before its tokens did."""
        return self._tokens.session_ended(session_id)
