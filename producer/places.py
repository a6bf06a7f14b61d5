"""Where roots lie, links followed, without waiting for a file system that does not answer.

A hung mount blocks whoever looks at its path, for ever. So the looking is done in threads that nobody waits for longer than
a moment: a path that has not answered by then is taken to lie where it was last known to, and else where it says; it is not
asked again before it has answered, and no other path waits for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from runtime import log

ANSWER_SECONDS = 2.0
"""No answer within this is none."""

_log = log.get(__name__)


def follow(path: Path) -> Path:
    """Where a path leads. Raises nothing: what cannot be followed further is taken as it stands. May block."""
    return Path(os.path.realpath(path))


class Places:
    """Of all roots. Used by one thread at a time. `follow`: looks at a path, and may never return."""

    def __init__(self, follow: Callable[[Path], Path] = follow, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._follow = follow
        self._answer_seconds = answer_seconds
        self._known: dict[Path, Path] = {}
        self._silent: dict[Path, _Look] = {}

    def of(self, paths: Iterable[Path]) -> dict[Path, Path]:
        """Where each of them lies. Returns within a moment for each that has fallen silent since the last time."""
        asked = list(dict.fromkeys(paths))
        left = [path for path in asked if not self._is_silent(path)]
        while left:
            look = _Look(left, self._follow)
            look.ended.wait(self._answer_seconds)
            look.is_over = True
            found = dict(look.found)
            self._known |= found
            left = [path for path in left if path not in found]
            if left:
                self._falls_silent(left.pop(0), look)
        return {path: self._known.get(path) or Path(os.path.normpath(path)) for path in asked}

    def _is_silent(self, path: Path) -> bool:
        look = self._silent.get(path)
        if look is None:
            return False
        if path not in look.found:
            return True
        del self._silent[path]
        _log.info("a root's path answers again", path=str(path))
        return False

    def _falls_silent(self, path: Path, look: _Look) -> None:
        self._silent[path] = look
        taken = self._known.get(path, path)
        _log.warning(
            "a root's path does not answer, it is taken to lie where it did", path=str(path), at=str(taken)
        )


class _Look:
    """A thread that follows paths, one after another, until it is over or one of them does not answer."""

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
