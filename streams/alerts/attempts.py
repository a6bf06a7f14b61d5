"""What an answer of a target means, and when it is asked again. Pure.

Delivered   the target has it
Again       not now: by its answer, or because there was none
Refused     never: asking again would change nothing

An alert is tried for `PATIENCE_SECONDS`, ever more rarely; a target that names a time is left alone until then.
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
MAX_SAID = 300
"""Characters of what a target said that are kept."""

_PASSING = frozenset({408, 425, 429})
"""HTTP: request time-out, too early, too many requests (RFC 9110, 8470, 6585); and all of 5xx."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An alert on its way. `id`: the same at every attempt and to every target."""

    id: str
    alert: Alert


@dataclass(frozen=True, slots=True)
class Delivered:
    """`said`: the target's words, for people."""

    said: str


@dataclass(frozen=True, slots=True)
class Again:
    """`after`: seconds that the target asks for."""

    said: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """`said`: why."""

    said: str


Answer = Delivered | Again | Refused


class Target(Protocol):
    """Whom alerts are brought to. `name`: in letters and on the command line; no secret is in it."""

    name: str

    async def send(self, outgoing: Outgoing) -> Answer:
        """Try once, within a time of its own."""
        ...

    async def close(self) -> None:
        """End its connections."""
        ...


def of_http(status: int, retry_after: str | None, said: str, now: datetime) -> Answer:
    """What an HTTP status means."""
    text = f"HTTP {status}" + (f": {said}" if said else "")
    if 200 <= status < 300:
        return Delivered(text)
    if 300 <= status < 400:
        return Refused(f"HTTP {status}: it redirects, which is not followed")
    if status in _PASSING or status >= 500:
        return Again(text, _seconds(retry_after, now))
    return Refused(text)


def of_smtp(code: int, said: str) -> Answer:
    """What a reply code of a mail server that has not taken a mail means (RFC 5321, 4.2.1: 4yz may pass)."""
    text = f"SMTP {code}: {said}"
    return Refused(text) if 500 <= code < 600 else Again(text)


def wait_seconds(answer: Again, pause: float, spent: float, patience: float = PATIENCE_SECONDS) -> float | None:
    """How long to wait, after so many seconds in all; None: no longer. `pause`: at least."""
    wait = max(pause, answer.after or 0.0)
    return wait if spent + wait <= patience else None


def one_line(text: str, most: int = MAX_SAID) -> str:
    """Text of others on one line: without line ends, control characters and what turns the direction of writing."""
    plain = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    short = " ".join(plain.split())
    return short if len(short) <= most else short[: most - 1] + "…"


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def without(text: str, secrets: Iterable[str]) -> str:
    """Text of others without our secrets, of which a target may quote what it was sent."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """`Retry-After`: seconds, or a date (RFC 9110, 10.2.3); anything else is not there."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(0.0, (at - now).total_seconds())
