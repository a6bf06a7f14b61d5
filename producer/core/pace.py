"""How often a file that is being written is examined: at once, then at most twice a second, and once more when the writing
stops. A file that is quiet and was never closed (`truncate`, a mapping, a writer that pauses) is worth its fingerprint after
a while. This only saves work; whether a file has settled is decided by the fold alone."""

from __future__ import annotations

PACE_SECONDS = 0.5
QUIET_SECONDS = 2.0


class Pace:
    """Times in seconds of any one monotonic clock. Contains only files written within the last interval."""

    def __init__(self, seconds: float = PACE_SECONDS) -> None:
        self._seconds = seconds
        self._looked: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._unclosed: dict[str, float] = {}

    def admit(self, path: str, now: float) -> bool:
        """True when the path may be examined now; else it will be in `due` later."""
        self._unclosed[path] = now
        last = self._looked.get(path)
        if last is None or now - last >= self._seconds:
            self._looked[path] = now
            self._waiting.discard(path)
            return True
        self._waiting.add(path)
        return False

    def forget(self, path: str) -> None:
        """The path was examined for another reason."""
        self._looked.pop(path, None)
        self._unclosed.pop(path, None)
        self._waiting.discard(path)

    def finish(self, path: str) -> None:
        """Nothing is being written there: it is gone, or no file."""
        self._unclosed.pop(path, None)

    def due(self, now: float) -> list[str]:
        """Paths whose next examination is due; forgets those that have been quiet since their last."""
        old = [path for path, last in self._looked.items() if now - last >= self._seconds]
        found = []
        for path in old:
            if path in self._waiting:
                self._waiting.discard(path)
                self._looked[path] = now
                found.append(path)
            else:
                del self._looked[path]
        return found

    def quiet(self, now: float) -> list[str]:
        """Paths written to and not closed that have been quiet for a while; each once."""
        found = [path for path, last in self._unclosed.items() if now - last >= QUIET_SECONDS]
        for path in found:
            del self._unclosed[path]
        return found

    def next_due(self) -> float | None:
        """When `due` or `quiet` will return something."""
        due = [self._looked[path] + self._seconds for path in self._waiting]
        if self._unclosed:
            due.append(min(self._unclosed.values()) + QUIET_SECONDS)
        return min(due, default=None)
