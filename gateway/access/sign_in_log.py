"""Logging of sign-ins and refusals: a line each, but no more a second than a disk can bear.

What was not logged line by line is counted and reported soon after.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from gateway.access.account_rules import loggable
from gateway.core.limits import Bucket
from runtime import log
from schemas.audit import AuditAction

LINES_PER_SECOND = 2.0
LINES_AT_ONCE = 20.0
REPORT_AFTER_SECONDS = 10.0
PASSWORD = "password"  # noqa: S105 - names a way
"""The way of an account with a password here. Others: `oidc:ID` and `bearer:ID`, with the provider's id."""

_log = log.get(__name__)


class Refusals(Protocol):
    """The part of the audit log that records refusals (`log.auditing`)."""

    def refused(
        self, action: AuditAction, by: str, subject: str, /, *, address: str, why: str, way: str | None = None
    ) -> None:
        """Record a refusal."""


class SignInLog:
    """Logs sign-ins. Belongs to one event loop."""

    def __init__(self, audit: Refusals, report_after_seconds: float = REPORT_AFTER_SECONDS) -> None:
        self._audit = audit
        self._report_after_seconds = report_after_seconds
        self._lines = Bucket(time.monotonic(), LINES_PER_SECOND, LINES_AT_ONCE)
        self._unlogged = 0

    def refused(self, tried: str, address: str, why: str, account: str | None = None, way: str = PASSWORD) -> None:
        """A sign-in failed. `tried`: the name as typed; `account`: the name of the account that was meant."""
        shown = loggable(tried, account) if tried or account else "(not known)"
        self._audit.refused("sign_in_refused", shown, shown, address=address, why=why, way=way)
        if self._lines.allows(time.monotonic()):
            _log.warning("sign-in refused", name=shown, address=address, why=why, **_how(way))
            return
        if not self._unlogged:
            asyncio.get_running_loop().call_later(self._report_after_seconds, self._report)
        self._unlogged += 1

    def signed_in(self, account: str, address: str, *, way: str = PASSWORD) -> None:
        """A sign-in succeeded. Not limited: checking passwords is, and so are requests to a provider."""
        _log.info("signed in", name=loggable(account, account), address=address, **_how(way))

    def signed_out_by(self, way: str, address: str, sessions: int) -> None:
        """A provider ended sessions."""
        _log.info("signed out by the provider", address=address, sessions=sessions, **_how(way))

    def reused(self, account: str, address: str) -> None:
        """A refresh token was used again. Not limited: it ends its session, so it happens once."""
        _log.warning(
            "a refresh token was used twice: its session has ended",
            name=loggable(account, account),
            address=address,
        )

    def _report(self) -> None:
        _log.warning("more sign-ins were refused than logged", unlogged=self._unlogged)
        self._unlogged = 0


def _how(way: str) -> dict[str, str]:
    return {} if way == PASSWORD else {"way": way}
