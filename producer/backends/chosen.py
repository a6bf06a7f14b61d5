"""Starts to watch a local root in the way that is chosen for it now. This is done anew each time that watching starts, so
that a root that comes back on another file system is watched as suits that one.

If a way is not available, another one is taken, and the report gives the reason: inotify instead of fanotify; polling
instead of inotify where the kernel has no room for it and inotify was not configured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from producer.backends.choice import WatchSetting, choose
from producer.backends.fanotify.watch import FanotifyWatch
from producer.backends.interface import Watch
from producer.backends.local.file_system import FileSystem, file_system_of
from producer.backends.local.watch import WATCHES, InotifyWatch
from producer.backends.polling.schedule import Pace
from producer.backends.polling.watch import PollingWatch
from producer.errors import WatchUnavailable

INSTANCES = "fs.inotify.max_user_instances"


Make = Callable[..., Watch]
"""The signature of InotifyWatch and FanotifyWatch."""


class Chosen:
    """Creates watches of one root. `file_system` finds out what it is on; `inotify`, `fanotify` create watches of that
    kind."""

    def __init__(
        self, setting: WatchSetting, pace: Pace, *, file_system: Callable[[Path], FileSystem] = file_system_of,
        inotify: Make = InotifyWatch, fanotify: Make = FanotifyWatch,
    ) -> None:  # fmt: skip
        self._setting = setting
        self._pace = pace
        self._file_system = file_system
        self._make_inotify = inotify
        self._make_fanotify = fanotify

    def __call__(self, root: Path, wake: Callable[[], None]) -> Watch:
        """Start to watch. Raises OSError where inotify is configured and the kernel provides no instance."""
        choice = choose(self._setting, self._file_system(root))
        match choice.way:
            case "polling":
                return self._polling(root, wake, choice.why)
            case "fanotify":
                return self._fanotify(root, wake, choice.why)
            case "inotify":
                return self._inotify(root, wake, choice.why)
            case _:
                assert_never(choice.way)

    def _polling(self, root: Path, wake: Callable[[], None], why: str) -> Watch:
        return PollingWatch(root, wake, self._pace, why=why)

    def _fanotify(self, root: Path, wake: Callable[[], None], why: str) -> Watch:
        try:
            return self._make_fanotify(root, wake, why=why)
        except WatchUnavailable as error:
            return self._make_inotify(root, wake, why=f"{why}, which cannot be had: {error.reason}")

    def _inotify(self, root: Path, wake: Callable[[], None], why: str) -> Watch:
        if self._setting == "inotify":
            return self._make_inotify(root, wake, why=why)
        try:
            watch = self._make_inotify(root, wake, why=why)
        except OSError as error:
            return self._polling(root, wake, f"no inotify instance is free ({INSTANCES}): {error.strerror}")
        watch.add("")
        if watch.coverage.unwatched:
            watch.close()
            return self._polling(root, wake, f"no inotify watch is free ({WATCHES})")
        return watch
