"""Begins to watch a local root in the way that is chosen for it now: each time that it is armed, so that a root that comes
back on another file system is watched as that one is to be.

What cannot be had gives way, and the report says why: fanotify to inotify; inotify, where the kernel has no room for it and
nobody asked for it, to looking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from producer.backends.choice import Wish, choose
from producer.backends.fanotify.watch import FanotifyWatch
from producer.backends.interface import Watch
from producer.backends.local.file_system import FileSystem, file_system_of
from producer.backends.local.watch import WATCHES, InotifyWatch
from producer.backends.polling.schedule import Pace
from producer.backends.polling.watch import PollingWatch
from producer.errors import WatchUnavailable

INSTANCES = "fs.inotify.max_user_instances"


Make = Callable[..., Watch]
"""As InotifyWatch and FanotifyWatch are made."""


class Chosen:
    """Makes watches of one root. `file_system`: finds out what it lies on; `inotify`, `fanotify`: make watches of that
    kind."""

    def __init__(
        self, wish: Wish, pace: Pace, *, file_system: Callable[[Path], FileSystem] = file_system_of,
        inotify: Make = InotifyWatch, fanotify: Make = FanotifyWatch,
    ) -> None:  # fmt: skip
        self._wish = wish
        self._pace = pace
        self._file_system = file_system
        self._make_inotify = inotify
        self._make_fanotify = fanotify

    def __call__(self, root: Path, woken: Callable[[], None]) -> Watch:
        """Begin to watch. Raises OSError where inotify was asked for and the kernel gives no instance."""
        choice = choose(self._wish, self._file_system(root))
        match choice.way:
            case "polling":
                return self._polling(root, woken, choice.why)
            case "fanotify":
                return self._fanotify(root, woken, choice.why)
            case "inotify":
                return self._inotify(root, woken, choice.why)
            case _:
                assert_never(choice.way)

    def _polling(self, root: Path, woken: Callable[[], None], why: str) -> Watch:
        return PollingWatch(root, woken, self._pace, why=why)

    def _fanotify(self, root: Path, woken: Callable[[], None], why: str) -> Watch:
        try:
            return self._make_fanotify(root, woken, why=why)
        except WatchUnavailable as error:
            return self._make_inotify(root, woken, why=f"{why}, which cannot be had: {error.reason}")

    def _inotify(self, root: Path, woken: Callable[[], None], why: str) -> Watch:
        if self._wish == "inotify":
            return self._make_inotify(root, woken, why=why)
        try:
            watch = self._make_inotify(root, woken, why=why)
        except OSError as error:
            return self._polling(root, woken, f"no inotify instance is free ({INSTANCES}): {error.strerror}")
        watch.add("")
        if watch.coverage.unwatched:
            watch.close()
            return self._polling(root, woken, f"no inotify watch is free ({WATCHES})")
        return watch
