"""The kernel's events, in their order: inotify through watchdog's own calls.

watchdog's reader makes an object of each event and hands it to a thread; here whole buffers are kept as they were read, and
parsed when their events are taken. A thread of its own empties the kernel's queue, which is small, a few milliseconds after
something is in it. Before acting on events, the caller empties it too, so that an event's position in the stream shows
whether it is older than what was seen of the tree."""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from watchdog.observers.inotify_c import InotifyFD, Mask, inotify_add_watch, inotify_rm_watch

GATHER_SECONDS = 0.003
"""Between two readings, so that a storm is read in large pieces; the kernel's queue has room for 50 times as much."""

THREAD_NAME = b"inotify"
"""The thread's name in the system's tools (`top -H`), which distinguishes its load from the journal's."""

_SET_NAME = 15
_prctl = ctypes.CDLL(None).prctl
_PIECE = 1 << 18
_LONGEST_EVENT = 16 + 256
_HEAD = struct.Struct("iIII")

Event = tuple[int, int, int, int, bytes]
"""Its position in the stream, the watch, the mask, the cookie, the name."""


class EventReader(Protocol):
    """Reads the kernel's queue in a thread, and keeps the events until they are taken. `dropped`: how often more was read
    than is kept."""

    limit: int
    dropped: int

    @property
    def has_events(self) -> bool:
        """True while there is something to take."""

    def pull(self) -> int:
        """Read all that the kernel has now; returns the position in the stream that everything later is behind."""

    def take(self, count: int) -> Iterator[Event]:
        """Up to so many events, each once; in one thread."""

    def add_watch(self, path: bytes, mask: Mask) -> int:
        """The number of the directory's watch. Raises OSError."""

    def remove_watch(self, watch: int) -> None:
        """Forget a watch."""

    def start(self) -> None:
        """Start the thread."""

    def stop(self) -> None:
        """End the thread soon."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""

    def is_alive(self) -> bool:
        """True while it runs."""


class Reader(InotifyFD):
    """Raises OSError when the kernel provides no instance. `limit`: bytes kept until they are taken; what is read beyond it
    is dropped and counted in `dropped`. `wake` is called from the thread after each reading."""

    def __init__(self, wake: Callable[[], None], limit: int) -> None:
        super().__init__()
        os.set_blocking(self._inotify_fd, False)
        self._wake = wake
        self.limit = limit
        self.dropped = 0
        self.place = 0
        self._kept: deque[tuple[int, bytes]] = deque()
        self._size = 0
        self._at = 0
        self._guard = threading.Lock()
        self._pause = threading.Event()

    def run(self) -> None:
        """The thread: read whatever there is, until it is stopped."""
        _prctl(_SET_NAME, THREAD_NAME)
        try:
            while self.should_keep_running() and self._check_inotify_fd():
                self.pull()
                self._wake()
                self._pause.wait(GATHER_SECONDS)
        finally:
            with self._guard, self._lock:
                self._closed = True
                self._close_resources()

    def on_thread_stop(self) -> None:
        """See BaseThread."""
        self._pause.set()
        super().on_thread_stop()

    def pull(self) -> int:
        """Read all that the kernel has now; returns the position in the stream that everything later is behind."""
        with self._guard:
            while not self._closed:
                try:
                    piece = os.read(self._inotify_fd, _PIECE)
                except BlockingIOError:
                    break
                self._keep(piece)
                if len(piece) < _PIECE - _LONGEST_EVENT:
                    break
            return self.place

    def _keep(self, piece: bytes) -> None:
        place, self.place = self.place, self.place + len(piece)
        if self._size + len(piece) > self.limit:
            self.dropped += 1
            return
        self._kept.append((place, piece))
        self._size += len(piece)

    @property
    def has_events(self) -> bool:
        """True while there is something to take."""
        return bool(self._kept)

    def take(self, count: int) -> Iterator[Event]:
        """Up to so many events, each once; in one thread."""
        while self._kept and count > 0:
            base, piece = self._kept[0]
            at = self._at
            while at < len(piece) and count > 0:
                watch, mask, cookie, length = _HEAD.unpack_from(piece, at)
                end = at + 16 + length
                name = piece[at + 16 : end].rstrip(b"\0")
                yield base + at, watch, mask, cookie, name
                at = self._at = end
                count -= 1
            if at >= len(piece):
                self._at = 0
                with self._guard:
                    self._kept.popleft()
                    self._size -= len(piece)

    def add_watch(self, path: bytes, mask: Mask) -> int:
        """The watch's number. Raises OSError, also where watchdog ignores the error (EACCES)."""
        with self._guard:
            if self._closed:
                raise OSError(9, os.strerror(9))
            watch = inotify_add_watch(self._inotify_fd, path, mask)
        if watch == -1:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return watch

    def remove_watch(self, watch: int) -> None:
        """Forget a watch; one that the kernel has removed already is no error."""
        with self._guard:
            if not self._closed:
                inotify_rm_watch(self._inotify_fd, watch)  # type: ignore[arg-type]
