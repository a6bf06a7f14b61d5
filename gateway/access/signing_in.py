"""Signing in, however many others do at the same time: passwords are checked in turn, and wrong ones are limited.

Beyond a limit a password is still checked, as long as there are spare attempts: the right one is accepted, even if others
use up the account's limit. An error of the gateway does not count as a failure.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from gateway.access.accounts import HASH_THREADS, Accounts, Opened, Origin, Refused
from gateway.access.proxies import network_of
from gateway.access.sign_in_limits import SignInLimits
from gateway.access.sign_in_queue import SignInQueue

WAITING = 256
"""Sign-ins that wait for a thread: 20 to 50 s of work."""


@dataclass(frozen=True, slots=True)
class Limited:
    """Too many failures; `seconds` until another try is within the limits again."""

    seconds: float


class SigningIn:
    """One per gateway."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._queue = SignInQueue(HASH_THREADS, WAITING)
        self._limits = SignInLimits()

    async def sign_in(self, name: str, password: str, origin: Origin) -> Opened | Refused | Limited:
        """Open a session. Raises TooManySignIns and psycopg's errors."""
        account = await self._accounts.find(name)
        key = f"name {name.lower()}" if account is None else f"account {account.id}"
        network = network_of(origin.address)
        async with self._queue.of(network):
            now = time.monotonic()
            wait = self._limits.wait_seconds(key, network, now)
            if wait and not self._limits.spare(key, now):
                return Limited(wait)
            opened = await self._accounts.open(account, password, origin)
        if isinstance(opened, Opened):
            return opened
        self._limits.failed(key, network, now)
        return Limited(self._limits.wait_seconds(key, network, now)) if wait else opened
