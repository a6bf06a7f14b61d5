"""The real paths of roots, links followed, without waiting for a file system that does not answer.

A hung mount blocks every thread that accesses its path, for ever. So paths are resolved in daemon threads, and each is
waited for no longer than a moment. A path that has not answered by then keeps its last known real path, or is used as it
is written; it is not tried again before it has answered, and no other path waits for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from runtime import log

ANSWER_SECONDS = 2.0
"""A path that does not answer within this counts as silent."""

_log = log.get(__name__)


def follow(path: Path) -> Path:
    """Where a path leads. Raises nothing: what cannot be resolved further is used as it is. May block."""
    return Path(os.path.realpath(path))


class RealPaths:
    """For all roots. Used by one thread at a time. `follow` resolves a path, and may never return."""

    def __init__(self, follow: Callable[[Path], Path] = follow, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._follow = follow
        self._answer_seconds = answer_seconds
        self._known: dict[Path, Path] = {}
        self._silent: dict[Path, _Lookup] = {}

    def of(self, paths: Iterable[Path]) -> dict[Path, Path]:
        """The real path of each. A path that stopped answering since the last call costs one wait of `answer_seconds`."""
        requested = list(dict.fromkeys(paths))
        left = [path for path in requested if not self._is_silent(path)]
        while left:
            lookup = _Lookup(left, self._follow)
            lookup.ended.wait(self._answer_seconds)
            lookup.is_over = True
            found = dict(lookup.found)
            self._known |= found
            left = [path for path in left if path not in found]
            if left:
                self._mark_silent(left.pop(0), lookup)
        return {path: self._known.get(path) or Path(os.path.normpath(path)) for path in requested}

    def _is_silent(self, path: Path) -> bool:
        lookup = self._silent.get(path)
        if lookup is None:
            return False
        if path not in lookup.found:
            return True
        del self._silent[path]
        _log.info("a root's path answers again", path=str(path))
        return False

    def _mark_silent(self, path: Path, lookup: _Lookup) -> None:
        self._silent[path] = lookup
        taken = self._known.get(path, path)
        _log.warning(
            "a root's path does not answer, its last known location is used", path=str(path), at=str(taken)
        )


class _Lookup:
    """A thread that resolves paths, one after another, until it is stopped or one of them does not answer."""

    def __init__(self, paths: Sequence[Path], follow: Callable[[Path], Path]) -> None:
        self._paths = paths
        self._follow = follow
        self.found: dict[Path, Path] = {}
        self.is_over = False
        self.ended = threading.Event()
        threading.Thread(target=self._run, name="places", daemon=True).start()

    def _run(self) -> None:
        try:
            for path in self._paths:
                self.found[path] = self._follow(path)
                if self.is_over:
                    return
        finally:
            self.ended.set()
