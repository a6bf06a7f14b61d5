"""Refresh tokens: a sequence of tokens for each session, each good once. Pure.

A token names its session and its number in the sequence, and is signed; the table keeps the number expected next. So a used
token is recognised however old it is, and shows that two clients have the session: it ends. But the newest used token may
come again if its answer was lost, or if a tab was duplicated: for a short time it gets the same successor again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import Enum

GRACE_SECONDS = 60.0
"""How long a used token gets its successor again."""

_FORM = re.compile(r"([0-9a-f]{32})\.([0-9]{1,9})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class TokenNumber:
    """A token's session and its number in the session's sequence, from 0."""

    session_id: str
    number: int


class RefreshTokens:
    """Signs and reads them."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"refresh tokens", "sha256")

    def token(self, number: TokenNumber) -> str:
        """The token of that number, always the same."""
        return f"{number.session_id}.{number.number}.{self._signature(number)}"

    def read(self, token: str) -> TokenNumber | None:
        """The token's session and number; None if it is not one of ours."""
        form = _FORM.fullmatch(token)
        if form is None:
            return None
        number = TokenNumber(form[1], int(form[2]))
        return number if hmac.compare_digest(self._signature(number), form[3]) else None

    def _signature(self, number: TokenNumber) -> str:
        signed = f"{number.session_id}.{number.number}".encode()
        return urlsafe_b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).rstrip(b"=").decode()


class TokenVerdict(Enum):
    """What happens to a token that is used."""

    NEXT = "it is the one that is wanted: its successor is wanted from now on"
    AGAIN = "it was used a moment ago: its successor again"
    REUSED = "it was used before: the session ends"


def judge(shown: int, wanted: int, seconds_since_used: float) -> TokenVerdict:
    """`wanted`: the number in the table; `seconds_since_used`: since the newest was used."""
    if shown == wanted:
        return TokenVerdict.NEXT
    if shown == wanted - 1 and seconds_since_used < GRACE_SECONDS:
        return TokenVerdict.AGAIN
    return TokenVerdict.REUSED
