"""The rate at which bytes are read: so many a second in all, and no burst after a rest."""

from __future__ import annotations


class Rate:
    """Times in seconds of any one monotonic clock."""

    def __init__(self, bytes_per_second: float) -> None:
        self._bytes_per_second = bytes_per_second
        self._free_at = float("-inf")

    def spend(self, count: int, now: float) -> float:
        """So many bytes are going to be read: returns the seconds to wait before that."""
        at = max(now, self._free_at)
        self._free_at = at + count / self._bytes_per_second
        return at - now
