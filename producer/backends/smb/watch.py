"""What a server tells of a share, behind the interface `Watch`: one watch on the whole tree.

A server tells of what its clients do anywhere below, and of what is done on the server itself mostly not at all: what was
lately busy is looked at again (`producer.core.activity`). A name's change within a directory is told as a pair; a move to
another directory as something gone and something new, which the fold ties by the file's id. Nothing tells that a file was
closed, and a Samba server not even that it was written to."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator

from producer.backends.interface import Coverage, Drained, Missed
from producer.core.normalise import Event, MoveEvent, Touched
from schemas.paths import is_inside
from storage.errors import ShareFault
from storage.smb.notify import Notices, Told
from storage.smb.wire import Notice

QUEUE_LIMIT = 500
"""Answers (of 64 KiB at most) kept while the journal is busy; beyond it they are dropped and a scan makes up for them."""

JOIN_SECONDS = 2.0
OVERFLOW = Missed("overflow")
DIED = Missed("watcher_died", is_dead=True)

ADDED, REMOVED, MODIFIED, OLD_NAME, NEW_NAME = 1, 2, 3, 4, 5
"""[MS-FSCC] 2.7.1; what else there is concerns streams of a file."""


class SmbWatch:
    """`woken` is called from the thread that listens."""

    def __init__(self, notices: Notices, woken: Callable[[], None], *, queue_limit: int = QUEUE_LIMIT) -> None:
        self.limit = queue_limit
        self._notices = notices
        self._woken = woken
        self._directories: set[str] = set()
        self._told: deque[Told] = deque()
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
        is_dead = self._is_dead  # before the queue: what was told before the end is in it
        dropped = self._dropped  # a count that only rises, as in the local watch
        missed = OVERFLOW if dropped != self._counted else None
        self._counted = dropped
        while self._told:
            told = self._told.popleft()
            for notice in told.notices:
                events += self._events(notice)
            if not told.all_of_it:
                missed = OVERFLOW
        if not is_dead:
            return Drained(tuple(events), missed)
        suspect, self._suspected = not self._suspected, True
        return Drained(tuple(events), DIED, suspect)

    def next_due(self) -> float | None:
        """See the interface."""
        return 0.0 if self._told else None

    def close(self) -> None:
        """See the interface."""
        self._notices.close()
        self._thread.join(JOIN_SECONDS)

    def _listen(self) -> None:
        try:
            while True:
                told = self._notices.next()
                if told is not None:
                    self._keep(told)
        except ShareFault:
            self._is_dead = True
            self._woken()

    def _keep(self, told: Told) -> None:
        if len(self._told) < self.limit:
            self._told.append(told)
        else:
            self._dropped += 1
        self._woken()

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
