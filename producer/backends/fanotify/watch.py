"""fanotify behind the interface `Watch`: as inotify, but without a watch for each directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from producer.backends.fanotify.reader import FanotifyReader
from producer.backends.interface import Coverage, Missed
from producer.backends.local.reader import EventReader
from producer.backends.local.watch import QUEUE_LIMIT, InotifyWatch


class FanotifyWatch(InotifyWatch):
    """Watches the directories below one root; see the interface `Watch`. What is on a file system that cannot be marked is
    counted as unwatched. Raises WatchUnavailable where the kernel or this process's rights do not allow it, or the root's
    file system cannot be marked."""

    def __init__(
        self, root: Path, wake: Callable[[], None], *, queue_limit: int = QUEUE_LIMIT, why: str = ""
    ) -> None:
        FanotifyReader.need(root)
        super().__init__(root, wake, queue_limit=queue_limit, why=why)

    @staticmethod
    def make_reader(wake: Callable[[], None], limit: int) -> EventReader:
        """See InotifyWatch."""
        return FanotifyReader(wake, limit)

    def _losses(self) -> Missed | None:
        lost = super()._losses()
        if lost is None and isinstance(self._reader, FanotifyReader) and self._reader.lost_mark():
            return Missed("mark_lost")
        return lost

    @property
    def coverage(self) -> Coverage:
        """See the interface. There is no limit to raise."""
        directories = super().coverage
        return Coverage(directories.watched, directories.unwatched, "", "fanotify", self._why)
