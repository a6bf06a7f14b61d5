"""How fast bytes are read: so many a second, whoever reads them, and no more in one go after a rest."""

from __future__ import annotations


class Rate:
    """Times in seconds of any one monotonic clock."""

    def __init__(self, bytes_per_second: float) -> None:
        self._bytes_per_second = bytes_per_second
        self._free_at = float("-inf")

    def spend(self, count: int, now: float) -> float:
        """So many bytes are going to be read: the seconds to wait before."""
        at = max(now, self._free_at)
        self._free_at = at + count / self._bytes_per_second
        return at - now
