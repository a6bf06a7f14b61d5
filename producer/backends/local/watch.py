"""inotify, through watchdog's reader thread and with our own answer to everything else.

The reader only appends what the kernel said to a queue: no I/O, nothing that can raise. Directories are watched
one by one by whoever walks them, so excluded ones never are and the limit is noticed. Descriptors are turned into
paths in the order of the events, when they are drained, so a directory's move renames what follows it and nothing
before it. Overflow keeps all watches and asks for a scan (watchdog's own answer, watching everything anew,
overflows again)."""

from __future__ import annotations

import ctypes
import errno
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchdog.observers.inotify_c import InotifyConstants as K
from watchdog.observers.inotify_c import InotifyEvent, InotifyFD, Mask, inotify_add_watch, inotify_rm_watch

from producer.backends.interface import Coverage, Drained, Missed
from producer.core.normalise import Event, Renamed, Sign, Touched
from schemas.paths import is_inside

WATCHES = "fs.inotify.max_user_watches"

QUEUE_LIMIT = 1_000_000
"""Events kept while the journal is busy; beyond it they are dropped and a scan makes up for them."""

PAIR_SECONDS = 0.05
"""The kernel queues both halves of a move in one system call; only our own reading can come between them."""

DRAIN_LIMIT = 4_000
OVERFLOW = Missed("overflow")
DIED = Missed("watcher_died", is_dead=True)

_MASK: Final = Mask(
    K.IN_CREATE | K.IN_DELETE | K.IN_MOVED_FROM | K.IN_MOVED_TO | K.IN_CLOSE_WRITE | K.IN_MODIFY | K.IN_ATTRIB
    | K.IN_ONLYDIR | K.IN_DONT_FOLLOW | K.IN_EXCL_UNLINK
)  # fmt: skip
_ROOT_MASK: Final = Mask((_MASK & ~K.IN_DONT_FOLLOW) | K.IN_MOVE_SELF | K.IN_DELETE_SELF)
_ELSEWHERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES})
"""Gone again, or unreadable: whoever lists the directory finds out and says so."""


class Reader(InotifyFD):
    """watchdog's inotify thread, raw. Raises OSError when the kernel gives no instance."""

    def __init__(self, take: Callable[[InotifyEvent], None]) -> None:
        super().__init__()
        self._take = take

    def handle_event(self, event: InotifyEvent) -> None:
        """Hand the event over as it is."""
        self._take(event)

    def add_watch(self, path: bytes, mask: Mask) -> int:
        """The descriptor. Raises OSError, also where watchdog keeps silent (EACCES)."""
        descriptor = inotify_add_watch(self._inotify_fd, path, mask)
        if descriptor == -1:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return descriptor

    def remove_watch(self, descriptor: int) -> None:
        """Forget a watch; one that the kernel has removed already is no error."""
        inotify_rm_watch(self._inotify_fd, descriptor)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Half:
    """A move's source, waiting for its target."""

    path: str
    is_dir: bool
    at: float


class InotifyWatch:
    """Watches below one root; see the interface `Watch`. `woken` is called from the reader's thread after each event.

    Raises OSError where the kernel gives no instance or does not let the root be watched."""

    def __init__(
        self,
        root: Path,
        woken: Callable[[], None],
        *,
        queue_limit: int = QUEUE_LIMIT,
        watch_limit: int | None = None,
    ) -> None:
        self._root = os.fsencode(root)
        self._woken = woken
        self._queue: deque[InotifyEvent] = deque()
        self._queue_limit = queue_limit
        self._watch_limit = watch_limit
        self._dropped = self._told = 0
        self._paths: dict[int, str] = {}
        self._descriptors: dict[str, int] = {}
        self._unwatched: set[str] = set()
        self._halves: dict[int, _Half] = {}
        self._reader = self.make_reader(self._take)
        self._reader.start()

    @staticmethod
    def make_reader(take: Callable[[InotifyEvent], None]) -> Reader:
        """The reader thread."""
        return Reader(take)

    @property
    def coverage(self) -> Coverage:
        """See the interface."""
        return Coverage(len(self._paths), len(self._unwatched), WATCHES)

    def add(self, path: str) -> None:
        """See the interface."""
        if self._is_full and path not in self._descriptors:
            self._unwatched.add(path)
            return
        full = self._root + (b"/" + os.fsencode(path) if path else b"")
        try:
            descriptor = self._reader.add_watch(full, _MASK if path else _ROOT_MASK)
        except OSError as error:
            if error.errno not in _ELSEWHERE:
                self._unwatched.add(path)
            return
        self._unwatched.discard(path)
        before = self._paths.get(descriptor)
        if before is not None and self._descriptors.get(before) == descriptor:
            del self._descriptors[before]  # the same directory, found at another place
        self._paths[descriptor] = path
        self._descriptors[path] = descriptor

    @property
    def _is_full(self) -> bool:
        return self._watch_limit is not None and len(self._paths) >= self._watch_limit

    def remove(self, path: str) -> None:
        """See the interface."""
        for inner in [p for p in self._descriptors if is_inside(p, path)]:
            descriptor = self._descriptors.pop(inner)
            if self._paths.get(descriptor) == inner:
                del self._paths[descriptor]
                self._reader.remove_watch(descriptor)
        self._unwatched = {p for p in self._unwatched if not is_inside(p, path)}

    def drain(self, now: float) -> Drained:
        """See the port. At most DRAIN_LIMIT kernel events at a time."""
        events: list[Event] = []
        missed, suspect = self._losses(), False
        for _ in range(min(len(self._queue), DRAIN_LIMIT)):
            event = self._queue.popleft()
            if event.mask & K.IN_Q_OVERFLOW:
                missed = OVERFLOW
            elif event.mask & K.IN_UNMOUNT or (
                event.mask & (K.IN_MOVE_SELF | K.IN_DELETE_SELF) and self._paths.get(event.wd) == ""
            ):
                suspect = True
            elif event.mask & K.IN_IGNORED:
                self._ignored(event.wd)
            elif (directory := self._paths.get(event.wd)) is not None and event.name:
                name = os.fsdecode(event.name)
                self._resolve(event, f"{directory}/{name}" if directory else name, now, events)
        self._give_up(now, events, everything=missed is not None)
        return Drained(tuple(events), missed, suspect)

    def next_due(self) -> float | None:
        """See the interface."""
        if self._queue:
            return 0.0
        return min((half.at + PAIR_SECONDS for half in self._halves.values()), default=None)

    def close(self) -> None:
        """See the interface."""
        self._reader.stop()
        if self._reader.is_alive():
            self._reader.join()

    def _take(self, event: InotifyEvent) -> None:
        if len(self._queue) < self._queue_limit:
            self._queue.append(event)
        else:
            self._dropped += 1
        self._woken()

    def _losses(self) -> Missed | None:
        if not self._reader.is_alive():
            return DIED
        dropped = self._dropped  # counted by the reader's thread alone: a flag taken down here could hide a drop
        told, self._told = self._told, dropped
        return OVERFLOW if dropped != told else None

    def _resolve(self, event: InotifyEvent, path: str, now: float, events: list[Event]) -> None:
        is_dir = bool(event.mask & K.IN_ISDIR)
        if event.mask & K.IN_MOVED_FROM:
            self._halves[event.cookie] = _Half(path, is_dir, now)
        elif event.mask & K.IN_MOVED_TO:
            half = self._halves.pop(event.cookie, None)
            if half is None:
                events.append(Touched(path, "arrived"))
                return
            if is_dir:
                self._carry(half.path, path)
            events.append(Renamed(half.path, path))
        else:
            events.append(Touched(path, _sign(event.mask)))

    def _carry(self, source: str, target: str) -> None:
        for inner in [p for p in self._descriptors if is_inside(p, target)]:
            self._paths.pop(self._descriptors.pop(inner), None)  # what a directory replaced was empty
        for inner in [p for p in self._descriptors if is_inside(p, source)]:
            descriptor = self._descriptors.pop(inner)
            moved = target + inner[len(source) :]
            self._descriptors[moved] = descriptor
            self._paths[descriptor] = moved
        self._unwatched = {
            target + p[len(source) :] if is_inside(p, source) else p for p in self._unwatched
        }  # fmt: skip

    def _ignored(self, descriptor: int) -> None:
        path = self._paths.pop(descriptor, None)
        if path is not None and self._descriptors.get(path) == descriptor:
            del self._descriptors[path]

    def _give_up(self, now: float, events: list[Event], *, everything: bool) -> None:
        for cookie, half in list(self._halves.items()):
            if everything or (not self._queue and now - half.at >= PAIR_SECONDS):
                del self._halves[cookie]
                if half.is_dir:
                    self.remove(half.path)  # moved out of the root: its watches would go on telling of it
                events.append(Touched(half.path, "gone"))


def _sign(mask: int) -> Sign:
    if mask & K.IN_CLOSE_WRITE:
        return "closed"
    if mask & K.IN_DELETE:
        return "gone"
    return "appeared" if mask & K.IN_CREATE else "written"
