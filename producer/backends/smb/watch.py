"""A server's notices of changes on a share, behind the interface `Watch`: one watch on the whole tree.

A server reports what its clients do anywhere below, and mostly nothing of what is done on the server itself: directories
that changed lately are listed again (`producer.core.activity`). A rename within a directory is reported as a pair; a move to
another directory as something gone and something new, which the fold connects by the file's id. No notice says that a file
was closed, and a Samba server does not even report that it was written to."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator

from producer.backends.interface import Coverage, Drained, Missed
from producer.core.normalise import Event, MoveEvent, Touched
from schemas.paths import is_inside
from storage.errors import ShareFault
from storage.smb.notify import NoticeBatch, Notices
from storage.smb.wire import Notice

QUEUE_LIMIT = 500
"""Responses (of 64 KiB at most) kept while the journal is busy; beyond it they are dropped and a scan makes up for them."""

JOIN_SECONDS = 2.0
OVERFLOW = Missed("overflow")
DIED = Missed("watcher_died", is_dead=True)

ADDED, REMOVED, MODIFIED, OLD_NAME, NEW_NAME = 1, 2, 3, 4, 5
"""[MS-FSCC] 2.7.1; the other actions are about streams of a file."""


class SmbWatch:
    """`wake` is called from the listening thread."""

    def __init__(self, notices: Notices, wake: Callable[[], None], *, queue_limit: int = QUEUE_LIMIT) -> None:
        self.limit = queue_limit
        self._notices = notices
        self._wake = wake
        self._directories: set[str] = set()
        self._batches: deque[NoticeBatch] = deque()
        self._dropped = 0
        self._counted = 0
        self._is_dead = False
        self._suspected = False
        self._old: str | None = None
        self._thread = threading.Thread(target=self._listen, name="smb-watch", daemon=True)
        self._thread.start()

    @property
    def coverage(self) -> Coverage:
        """See the interface."""
        return Coverage(len(self._directories), 0, "")

    def add(self, path: str) -> None:
        """See the interface."""
        self._directories.add(path)

    def remove(self, path: str) -> None:
        """See the interface."""
        if path in self._directories:
            self._directories = {inner for inner in self._directories if not is_inside(inner, path)}

    def drain(self, now: float) -> Drained:
        """See the interface."""
        events: list[Event] = []
        is_dead = self._is_dead  # read before the queue: what was received before the end is in it
        dropped = self._dropped  # a count that only rises, as in the local watch
        missed = OVERFLOW if dropped != self._counted else None
        self._counted = dropped
        while self._batches:
            batch = self._batches.popleft()
            for notice in batch.notices:
                events += self._events(notice)
            if not batch.is_complete:
                missed = OVERFLOW
        if not is_dead:
            return Drained(tuple(events), missed)
        suspect, self._suspected = not self._suspected, True
        return Drained(tuple(events), DIED, suspect)

    def next_due(self) -> float | None:
        """See the interface."""
        return 0.0 if self._batches else None

    def close(self) -> None:
        """See the interface."""
        self._notices.close()
        self._thread.join(JOIN_SECONDS)

    def _listen(self) -> None:
        try:
            while True:
                batch = self._notices.next()
                if batch is not None:
                    self._keep(batch)
        except ShareFault:
            self._is_dead = True
            self._wake()

    def _keep(self, batch: NoticeBatch) -> None:
        if len(self._batches) < self.limit:
            self._batches.append(batch)
        else:
            self._dropped += 1
        self._wake()

    def _events(self, notice: Notice) -> Iterator[Event]:
        path = notice.path
        old, self._old = self._old, None
        if old is not None and notice.action == NEW_NAME:
            yield from self._renamed(old, path)
            return
        if old is not None:
            yield from self._gone(old)
        if notice.action == OLD_NAME:
            self._old = path
        elif notice.action == REMOVED:
            yield from self._gone(path)
        elif notice.action in (ADDED, NEW_NAME) and self._wants(path):
            yield Touched(path, "appeared" if notice.action == ADDED else "arrived")
        elif notice.action == MODIFIED and self._wants(path) and path not in self._directories:
            yield Touched(path, "written")

    def _renamed(self, old: str, new: str) -> Iterator[Event]:
        match self._wants(old), self._wants(new):
            case True, True:
                self._carry(old, new)
                yield MoveEvent(old, new)
            case True, False:
                yield from self._gone(old)
            case False, True:
                yield Touched(new, "arrived")
            case _:
                pass

    def _gone(self, path: str) -> Iterator[Event]:
        self.remove(path)
        if self._wants(path):
            yield Touched(path, "gone")

    def _wants(self, path: str) -> bool:
        return path.rpartition("/")[0] in self._directories

    def _carry(self, old: str, new: str) -> None:
        if old in self._directories:
            self._directories = {
                new + inner[len(old) :] if is_inside(inner, old) else inner for inner in self._directories
            }
