"""Tickets for sockets: an identity for one handshake within a minute, at any gateway.

What authenticates a browser's socket is part of its address, and proxies log addresses: a ticket read from such a log is
already used. It is signed with a key of its own, and its use is recorded in the database.
"""

from __future__ import annotations

import hmac
import secrets
import time

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from psycopg_pool import AsyncConnectionPool

from gateway.access.once import used_first
from gateway.access.tokens import MAX_TOKEN_BYTES, BadToken, Identity, claims_of, identity_of

LIFE_SECONDS = 60


class Tickets:
    """Issues and redeems tickets."""

    def __init__(self, secret: str, pool: AsyncConnectionPool) -> None:
        self._key = OctKey.import_key(hmac.digest(secret.encode(), b"tickets of sockets", "sha256"))
        self._pool = pool

    def issue(self, holder: Identity) -> tuple[str, int]:
        """A ticket, and when it ends (seconds since 1970)."""
        ends = min(int(time.time()) + LIFE_SECONDS, holder.expires_at)
        claims = claims_of(holder) | {"jti": secrets.token_hex(16), "use_by": ends}
        return jwt.encode({"alg": "HS256", "typ": "ticket"}, claims, self._key), ends

    async def take(self, ticket: str) -> Identity:
        """The ticket's identity; the ticket is used up. Raises BadToken, and psycopg's errors while the database is away."""
        if len(ticket) > MAX_TOKEN_BYTES or not ticket.isascii():
            raise BadToken
        try:
            found = jwt.decode(ticket, self._key, algorithms=["HS256"])
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise BadToken from error
        match found.claims:
            case {"jti": str(id_), "use_by": int(use_by)} if found.header.get("typ") == "ticket":
                identity = identity_of(found.claims)
            case _:
                raise BadToken
        if time.time() >= use_by:
            raise BadToken
        async with self._pool.connection() as connection:
            if not await used_first(connection, id_):
                raise BadToken
        return identity
