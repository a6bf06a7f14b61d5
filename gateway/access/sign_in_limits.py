"""How often a sign-in may fail: for an account from one address, for an account, and for an address. Pure.

Its memory is fixed, and no key is ever evicted by others: failures are kept in a count-min sketch (G. Cormode and
S. Muthukrishnan, 2005), in which a key shares each of its cells with strangers and the emptiest one counts. So somebody may
have to wait for failures of others; therefore an account over a limit is not refused unchecked: its password is checked as
long as the account has spare attempts, and the right one is accepted.
"""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Iterator
from hashlib import blake2b
from math import inf

from gateway.core.limits import Bucket

WINDOW_SECONDS = 300.0
FAILURES = 5
"""Of an account from one address within the window."""

FAILURES_OF_ACCOUNT = 50
FAILURES_OF_ADDRESS = 100
SPARE_ATTEMPTS = 300.0
SPARE_ATTEMPTS_PER_SECOND = 1.0
"""Passwords of an account that are checked beyond its limits: enough for a storm that includes the right one, and then at
most 86,400 guesses a day."""

ROWS = 4
CELLS = 2_048
"""Passwords are checked at some 30 a second, so there are at most 9,000 failures in a window: 4 in a cell."""


class Failures:
    """The times of the newest `allowed` failures of any key, in seconds on one monotonic clock."""

    def __init__(self, allowed: int, window_seconds: float = WINDOW_SECONDS) -> None:
        self._allowed = allowed
        self._window = window_seconds
        self._secret = secrets.token_bytes(16)  # nobody can search for a name that shares another's cells
        self._times = array("d", [-inf]) * (ROWS * CELLS * allowed)
        self._oldest = array("I", [0]) * (ROWS * CELLS)

    def wait_seconds(self, key: str, now: float) -> float:
        """0 while fewer than `allowed` are within the window, else the time until then."""
        oldest = min(self._times[cell * self._allowed + self._oldest[cell]] for cell in self._cells(key))
        return max(0.0, oldest + self._window - now)

    def add(self, key: str, now: float) -> None:
        """Count one more failure."""
        for cell in self._cells(key):
            self._times[cell * self._allowed + self._oldest[cell]] = now
            self._oldest[cell] = (self._oldest[cell] + 1) % self._allowed

    def _cells(self, key: str) -> Iterator[int]:
        for row, number in enumerate(_numbers(key, self._secret)):
            yield row * CELLS + number % CELLS


class SpareAttempts:
    """The attempts left to accounts that are over a limit. Accounts that share a cell share their attempts."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)
        self._buckets: list[Bucket | None] = [None] * CELLS

    def take(self, key: str, now: float) -> bool:
        """Take one; False if none is left."""
        cell = next(_numbers(key, self._secret)) % CELLS
        bucket = self._buckets[cell]
        if bucket is None:
            bucket = self._buckets[cell] = Bucket(now, SPARE_ATTEMPTS_PER_SECOND, SPARE_ATTEMPTS)
        return bucket.allows(now)


class SignInLimits:
    """All limits together. `account` is the same for an account's name and e-mail address; `address`: of a network."""

    def __init__(self) -> None:
        self._of_both = Failures(FAILURES)
        self._of_account = Failures(FAILURES_OF_ACCOUNT)
        self._of_address = Failures(FAILURES_OF_ADDRESS)
        self._spare = SpareAttempts()

    def wait_seconds(self, account: str, address: str, now: float) -> float:
        """0 within the limits, else the time until then."""
        return max(
            self._of_both.wait_seconds(f"{address} {account}", now),
            self._of_account.wait_seconds(account, now),
            self._of_address.wait_seconds(address, now),
        )

    def spare(self, account: str, now: float) -> bool:
        """Whether the password is checked in spite of the limit."""
        return self._spare.take(account, now)

    def failed(self, account: str, address: str, now: float) -> None:
        """A password was checked and was wrong."""
        self._of_both.add(f"{address} {account}", now)
        self._of_account.add(account, now)
        self._of_address.add(address, now)


def _numbers(key: str, secret: bytes) -> Iterator[int]:
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=4 * ROWS, key=secret).digest()
    for row in range(ROWS):
        yield int.from_bytes(digest[4 * row : 4 * row + 4])
