"""Refresh tokens: a line of tokens for each session, each good once. Pure.

A token names its session and its number in the line, and is signed; the table keeps the number that is wanted next. So a
used one is known as that however old it is, and shows that two have the session: it ends. But the newest used one asks
again where its answer was lost, or where a tab was duplicated: for a short time it gets the same successor again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import Enum

GRACE_SECONDS = 60.0
"""So long a used token gets its successor again."""

_FORM = re.compile(r"([0-9a-f]{32})\.([0-9]{1,9})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class TokenNumber:
    """Where a token stands: its session and its number in the session's line, from 0."""

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
        """Where it stands; None when it is none of ours."""
        form = _FORM.fullmatch(token)
        if form is None:
            return None
        number = TokenNumber(form[1], int(form[2]))
        return number if hmac.compare_digest(self._signature(number), form[3]) else None

    def _signature(self, number: TokenNumber) -> str:
        said = f"{number.session_id}.{number.number}".encode()
        return urlsafe_b64encode(hmac.new(self._key, said, hashlib.sha256).digest()).rstrip(b"=").decode()


class TokenVerdict(Enum):
    """What becomes of a token that is shown."""

    NEXT = "it is the one that is wanted: its successor is wanted from now on"
    AGAIN = "it was used a moment ago: its successor again"
    REUSED = "it was used before: the session ends"


def judge(shown: int, wanted: int, seconds_since_used: float) -> TokenVerdict:
    """`wanted`: the number that the table has; `seconds_since_used`: since the newest was used."""
    if shown == wanted:
        return TokenVerdict.NEXT
    if shown == wanted - 1 and seconds_since_used < GRACE_SECONDS:
        return TokenVerdict.AGAIN
    return TokenVerdict.REUSED
