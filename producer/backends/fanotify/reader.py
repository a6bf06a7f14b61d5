"""The kernel's events of a file system, reduced to the directories of one root and converted to inotify's form.

The mark reports everything on the file system; events in directories that are not watched are dropped as they are read,
which costs one dictionary lookup each. So an event's position in the stream shows whether it is older than what was seen of
the tree, as with inotify, and the code that turns events into paths is the same for both.

Two things are different. While nobody reads, the kernel merges what one process does at one name, so an event may say that
a name was created, written and deleted; it is passed on as several events. And a merged event has the position of the
first, before a rename that came between; so a rename's source is examined once more."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Final

from watchdog.observers.inotify_c import InotifyConstants as K
from watchdog.observers.inotify_c import Mask

from producer.backends.fanotify import kernel
from producer.backends.fanotify.kernel import Handle, RawEvent
from producer.backends.local.reader import GATHER_SECONDS, Event

THREAD_NAME = b"fanotify"

_MASK: Final = (
    kernel.CREATE | kernel.DELETE | kernel.RENAME | kernel.CLOSE_WRITE | kernel.MODIFY | kernel.ATTRIB
    | kernel.ON_DIRECTORY
)  # fmt: skip
_SELF: Final = kernel.MOVE_SELF | kernel.DELETE_SELF | kernel.ON_DIRECTORY
_CONTENT: Final = kernel.MODIFY | kernel.ATTRIB | kernel.CLOSE_WRITE
_PIECE = 1 << 18
_LONGEST_EVENT = 24 + 2 * (20 + 128 + 256 + 4)
_LOST: Final[Event] = 0, -1, int(K.IN_Q_OVERFLOW), 0, b""
_SET_NAME = 15
_prctl = ctypes.CDLL(None).prctl


class FanotifyReader(threading.Thread):
    """Raises WatchUnavailable where there is no fanotify for this process. `limit`: bytes of the root's events kept until
    they are taken; events beyond it are dropped and counted in `dropped`. `wake` is called from the thread after each
    reading that brought something."""

    @staticmethod
    def need(root: Path) -> None:
        """Raises WatchUnavailable where the root's file system cannot be marked."""
        kernel.need(os.fsencode(root), _MASK)

    def __init__(self, wake: Callable[[], None], limit: int) -> None:
        super().__init__(name="fanotify", daemon=True)
        self._queue = kernel.open_queue()
        self._ended, self._ending = os.pipe2(os.O_CLOEXEC)
        self._wake = wake
        self.limit = limit
        self.dropped = 0
        self.place = 0
        self._kept: deque[tuple[Event, int]] = deque()
        self._size = 0
        self._watches: dict[Handle, int] = {}
        self._handles: dict[int, Handle] = {}
        self._marked: set[int] = set()
        self._numbers = count(1)
        self._guard = threading.Lock()
        self._is_closed = False

    def run(self) -> None:
        """The thread: read whatever there is, until it is stopped."""
        _prctl(_SET_NAME, THREAD_NAME)
        polled = select.poll()
        polled.register(self._queue, select.POLLIN)
        polled.register(self._ended, select.POLLIN)
        try:
            while all(descriptor != self._ended for descriptor, _ in polled.poll()):
                before = len(self._kept)
                self.pull()
                if len(self._kept) > before or self.dropped:
                    self._wake()
                select.select([self._ended], [], [], GATHER_SECONDS)
        finally:
            with self._guard:
                self._is_closed = True
                for descriptor in (self._queue, self._ended, self._ending):
                    os.close(descriptor)

    def stop(self) -> None:
        """End the thread soon; once is enough."""
        with self._guard:
            if not self._is_closed:
                os.write(self._ending, b".")

    @property
    def has_events(self) -> bool:
        """True while there is something to take."""
        return bool(self._kept)

    def pull(self) -> int:
        """See EventReader."""
        with self._guard:
            while not self._is_closed:
                try:
                    piece = os.read(self._queue, _PIECE)
                except BlockingIOError:
                    break
                for raw in kernel.parse(piece):
                    self._keep(raw)
                if len(piece) < _PIECE - _LONGEST_EVENT:
                    break
            return self.place

    def take(self, count: int) -> Iterator[Event]:
        """See EventReader."""
        while self._kept and count > 0:
            with self._guard:
                event, size = self._kept.popleft()
                self._size -= size
            yield event
            count -= 1

    def add_watch(self, path: bytes, mask: Mask) -> int:
        """See EventReader. A directory on a file system that cannot be marked counts as beyond the limit."""
        with self._guard:
            if self._is_closed:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            handle = self._mark(path, itself=bool(mask & K.IN_MOVE_SELF))
            if handle not in self._watches:
                number = next(self._numbers)
                self._watches[handle], self._handles[number] = number, handle
            return self._watches[handle]

    def remove_watch(self, watch: int) -> None:
        """See EventReader."""
        with self._guard:
            handle = self._handles.pop(watch, None)
            if handle is not None:
                del self._watches[handle]

    def lost_mark(self) -> bool:
        """True once after a marked file system was unmounted, even where it is mounted again: to the kernel that is another
        one."""
        with self._guard:
            if self._is_closed or kernel.count_marked(self._queue) >= len(self._marked):
                return False
            self._marked.clear()  # the scan that follows marks all of them again
            return True

    def _mark(self, path: bytes, *, itself: bool) -> Handle:
        """Mark it each time, which costs little and changes nothing where it is marked: a mark ends with its mount,
        unnoticed."""
        try:
            kernel.mark_file_system(self._queue, path, _MASK)
            self._marked.add(Path(os.fsdecode(path)).stat().st_dev)
            if itself:
                kernel.mark_directory(self._queue, path, _SELF)
            return kernel.handle_of(path)
        except OSError as error:
            raise OSError(errno.ENOSPC, f"its file system cannot be marked: {error.strerror}") from error

    def _keep(self, raw: RawEvent) -> None:
        for event in self._converted(raw):
            self.place += 1
            size = 100 + len(event[4])
            if self._size + size > self.limit:
                self.dropped += 1
            else:
                self._kept.append(((self.place - 1, *event[1:]), size))
                self._size += size

    def _converted(self, raw: RawEvent) -> Iterator[Event]:
        """The event in inotify's form; nothing if it is not in the root."""
        mask = raw.mask
        if mask & kernel.OVERFLOW:
            yield _LOST
            return
        if mask & kernel.RENAME:
            yield from self._renamed(raw)
            return
        if raw.at is None or (watch := self._watches.get(raw.at[0])) is None:
            return
        name = raw.at[1]
        if name == b".":
            yield 0, watch, mask & _SELF, 0, b""
            return
        on_directory = mask & kernel.ON_DIRECTORY
        for bits in (kernel.DELETE, kernel.CREATE, _CONTENT):
            if mask & bits:
                yield 0, watch, mask & bits | on_directory, 0, name

    def _renamed(self, raw: RawEvent) -> Iterator[Event]:
        if raw.at is None or raw.to is None:  # the kernel always gives both
            yield _LOST
            return
        source, target = self._watches.get(raw.at[0]), self._watches.get(raw.to[0])
        on_directory = raw.mask & kernel.ON_DIRECTORY
        cookie = next(self._numbers)
        if source is not None and target is None:
            yield 0, source, K.IN_DELETE | on_directory, 0, raw.at[1]
        elif source is not None:
            yield 0, source, K.IN_MOVED_FROM | on_directory, cookie, raw.at[1]
        if target is not None:
            yield 0, target, K.IN_MOVED_TO | on_directory, cookie, raw.to[1]
        if source is not None and target is not None and not on_directory:
            yield 0, source, K.IN_CLOSE_WRITE, 0, raw.at[1]
