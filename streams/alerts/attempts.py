"""What an answer of a target means, and when delivery is retried. Pure.

Delivered   the target has accepted the alert
RetryLater  it has not accepted it now, by its answer, or because there was none
Refused     it never will: a retry would change nothing

An alert is retried for `PATIENCE_SECONDS`, with growing pauses; a target that names a time is not tried before it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from schemas.alerts import Alert

PATIENCE_SECONDS = 600.0
MAX_DETAIL = 300
"""How many characters of a target's answer are kept."""

_PASSING = frozenset({408, 425, 429})
"""HTTP: request time-out, too early, too many requests (RFC 9110, 8470, 6585); and all of 5xx."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An alert to be delivered. `id`: the same at every attempt and for every target."""

    id: str
    alert: Alert


@dataclass(frozen=True, slots=True)
class Delivered:
    """`detail`: the target's answer, for people."""

    detail: str


@dataclass(frozen=True, slots=True)
class RetryLater:
    """`after`: the delay that the target requested, in seconds."""

    detail: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """`detail`: the reason."""

    detail: str


Answer = Delivered | RetryLater | Refused


class Target(Protocol):
    """A destination of alerts. `name`: used in dead letters and on the command line; it contains no secret."""

    name: str

    async def send(self, outgoing: Outgoing) -> Answer:
        """Try once, within the target's own time limit."""
        ...

    async def close(self) -> None:
        """End its connections."""
        ...


def of_http(status: int, retry_after: str | None, detail: str, now: datetime) -> Answer:
    """What an HTTP status means."""
    text = f"HTTP {status}" + (f": {detail}" if detail else "")
    if 200 <= status < 300:
        return Delivered(text)
    if 300 <= status < 400:
        return Refused(f"HTTP {status}: it redirects, which is not followed")
    if status in _PASSING or status >= 500:
        return RetryLater(text, _seconds(retry_after, now))
    return Refused(text)


def of_smtp(code: int, detail: str) -> Answer:
    """What a reply code of a mail server that has not accepted a mail means (RFC 5321, 4.2.1: 4yz is temporary)."""
    text = f"SMTP {code}: {detail}"
    return Refused(text) if 500 <= code < 600 else RetryLater(text)


def wait_seconds(
    answer: RetryLater, pause: float, spent: float, patience: float = PATIENCE_SECONDS
) -> float | None:
    """How long to wait before the next attempt; None: give up. `pause`: the minimum; `spent`: seconds since the first
    attempt."""
    wait = max(pause, answer.after or 0.0)
    return wait if spent + wait <= patience else None


def one_line(text: str, most: int = MAX_DETAIL) -> str:
    """Foreign text on one line: without line ends, control characters and characters that change the writing
    direction."""
    plain = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    short = " ".join(plain.split())
    return short if len(short) <= most else short[: most - 1] + "…"


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def without(text: str, secrets: Iterable[str]) -> str:
    """Foreign text without our secrets, which a target may quote from the request."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """`Retry-After`: seconds, or a date (RFC 9110, 10.2.3); anything else is ignored."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(0.0, (at - now).total_seconds())
