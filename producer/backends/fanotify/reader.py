"""What the kernel says of a file system, cut down to the directories of one root and put as inotify would have put it.

The mark hears of everything on the file system; what happens in directories that nobody watches is dropped as it is read,
for the price of one look into a dictionary. So the place of an event in the stream says whether it is older than what was
seen of the tree, as with inotify, and whoever puts events into paths need not know which of both it was.

Two things are different. The kernel joins what one process does at one name while nobody reads, so an event may say that a
name was created, written and deleted; it is told as several. And what it joins stands in the place of the first, before a
rename that came between; so what is at a rename's source is looked at once more."""

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
from producer.backends.fanotify.kernel import Handle, Heard
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
    """Raises WatchUnavailable where there is no fanotify for this process. `limit`: bytes of the root's events kept while
    nobody takes them; beyond it they are thrown away and counted in `dropped`. `woken` is called from the thread after each
    reading that brought something."""

    @staticmethod
    def need(root: Path) -> None:
        """Raises WatchUnavailable where the root's file system cannot be heard."""
        kernel.need(os.fsencode(root), _MASK)

    def __init__(self, woken: Callable[[], None], limit: int) -> None:
        super().__init__(name="fanotify", daemon=True)
        self._queue = kernel.open_queue()
        self._ended, self._ending = os.pipe2(os.O_CLOEXEC)
        self._woken = woken
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
                    self._woken()
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
                for heard in kernel.taken_apart(piece):
                    self._keep(heard)
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
        """See EventReader. One on a file system that cannot be marked has no room here, as it were."""
        with self._guard:
            if self._is_closed:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            handle = self._hear(path, of_itself=bool(mask & K.IN_MOVE_SELF))
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
        """True once after a file system that was heard was unmounted, even where it is mounted again: that is another one
        to the kernel."""
        with self._guard:
            if self._is_closed or kernel.count_marked(self._queue) >= len(self._marked):
                return False
            self._marked.clear()  # the scan that follows comes by all of them
            return True

    def _hear(self, path: bytes, *, of_itself: bool) -> Handle:
        """Marked each time, which costs little and does nothing where it is: a mark ends with its mount, unseen."""
        try:
            kernel.mark_file_system(self._queue, path, _MASK)
            self._marked.add(Path(os.fsdecode(path)).stat().st_dev)
            if of_itself:
                kernel.mark_directory(self._queue, path, _SELF)
            return kernel.handle_of(path)
        except OSError as error:
            raise OSError(errno.ENOSPC, f"its file system cannot be marked: {error.strerror}") from error

    def _keep(self, heard: Heard) -> None:
        for event in self._put(heard):
            self.place += 1
            size = 100 + len(event[4])
            if self._size + size > self.limit:
                self.dropped += 1
            else:
                self._kept.append(((self.place - 1, *event[1:]), size))
                self._size += size

    def _put(self, heard: Heard) -> Iterator[Event]:
        """As inotify puts it; nothing of what is not the root's."""
        mask = heard.mask
        if mask & kernel.OVERFLOW:
            yield _LOST
            return
        if mask & kernel.RENAME:
            yield from self._renamed(heard)
            return
        if heard.at is None or (watch := self._watches.get(heard.at[0])) is None:
            return
        name = heard.at[1]
        if name == b".":
            yield 0, watch, mask & _SELF, 0, b""
            return
        on_directory = mask & kernel.ON_DIRECTORY
        for bits in (kernel.DELETE, kernel.CREATE, _CONTENT):
            if mask & bits:
                yield 0, watch, mask & bits | on_directory, 0, name

    def _renamed(self, heard: Heard) -> Iterator[Event]:
        if heard.at is None or heard.to is None:  # the kernel says both, always
            yield _LOST
            return
        source, target = self._watches.get(heard.at[0]), self._watches.get(heard.to[0])
        on_directory = heard.mask & kernel.ON_DIRECTORY
        cookie = next(self._numbers)
        if source is not None and target is None:
            yield 0, source, K.IN_DELETE | on_directory, 0, heard.at[1]
        elif source is not None:
            yield 0, source, K.IN_MOVED_FROM | on_directory, cookie, heard.at[1]
        if target is not None:
            yield 0, target, K.IN_MOVED_TO | on_directory, cookie, heard.to[1]
        if source is not None and target is not None and not on_directory:
            yield 0, source, K.IN_CLOSE_WRITE, 0, heard.at[1]
