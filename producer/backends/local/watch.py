"""inotify behind the interface `Watch`: turns the kernel's events of watches into events of paths.

Directories are watched one by one by the code that walks them, so excluded ones never are and the limit is noticed. Events
are turned into paths in their order, when they are drained, so a directory's move renames what follows it and nothing
before it (`nodes` explains how). After an overflow all watches are kept and a scan is requested (watchdog's own reaction, to
watch everything again, overflows again)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchdog.observers.inotify_c import InotifyConstants as K
from watchdog.observers.inotify_c import Mask

from producer.backends.interface import Coverage, Drained, Missed
from producer.backends.local.below import open_below
from producer.backends.local.nodes import Node, Nodes
from producer.backends.local.reader import EventReader, Reader
from producer.core.normalise import Event, MoveEvent, Sign, Touched

WATCHES = "fs.inotify.max_user_watches"

QUEUE_LIMIT = 64 << 20
"""Bytes of events (32 each, mostly) kept while the journal is busy; beyond it they are dropped and a scan makes up for
them."""

PAIR_SECONDS = 0.05
"""The kernel queues both halves of a move in one system call; only our own reading can come between them."""

DRAIN_LIMIT = 4_000
OVERFLOW = Missed("overflow")
DIED = Missed("watcher_died", is_dead=True)

_MASK: Final = Mask(
    K.IN_CREATE | K.IN_DELETE | K.IN_MOVED_FROM | K.IN_MOVED_TO | K.IN_CLOSE_WRITE | K.IN_MODIFY | K.IN_ATTRIB
    | K.IN_ONLYDIR | K.IN_EXCL_UNLINK
)  # fmt: skip
_ROOT_MASK: Final = Mask(_MASK | K.IN_MOVE_SELF | K.IN_DELETE_SELF)
_FULL: Final = frozenset({errno.ENOSPC, errno.ENOMEM})
"""No room for another watch. Any other error: the directory is gone or unreadable, which is noticed when it is listed."""


@dataclass(frozen=True, slots=True)
class _Half:
    """A move's source, waiting for its target. `node`: the directory that moves, where it was watched."""

    path: str
    node: Node | None
    at: float


class InotifyWatch:
    """Watches below one root; see the interface `Watch`. `wake` is called from the reader's thread.

    Raises OSError where the kernel provides no instance or does not let the root be watched. `why`: the reason for watching
    in this way."""

    def __init__(
        self,
        root: Path,
        wake: Callable[[], None],
        *,
        queue_limit: int = QUEUE_LIMIT,
        watch_limit: int | None = None,
        why: str = "",
    ) -> None:
        self._root = os.fsencode(root)
        self._why = why
        self._watch_limit = watch_limit
        self._reported = 0
        self._nodes = Nodes()
        self._halves: dict[int, _Half] = {}
        self._reader = self.make_reader(wake, queue_limit)
        self._reader.start()

    @staticmethod
    def make_reader(wake: Callable[[], None], limit: int) -> EventReader:
        """The reader thread."""
        return Reader(wake, limit)

    @property
    def coverage(self) -> Coverage:
        """See the interface."""
        return Coverage(self._nodes.watched, len(self._nodes.unwatched), WATCHES, "inotify", self._why)

    def add(self, path: str) -> None:
        """See the interface."""
        place = self._reader.pull()
        node = self._nodes.at(path)
        if self._is_full and (node is None or node.watch is None):
            self._nodes.put(path, None, place)
            return
        try:
            self._nodes.put(path, self._added(path), place)
        except OSError as error:
            if error.errno in _FULL:
                self._nodes.put(path, None, place)

    def _added(self, path: str) -> int:
        root = os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            directory = open_below(root, path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                return self._reader.add_watch(b"/proc/self/fd/%d" % directory, _MASK if path else _ROOT_MASK)
            finally:
                os.close(directory)
        finally:
            os.close(root)

    @property
    def _is_full(self) -> bool:
        return self._watch_limit is not None and self._nodes.watched >= self._watch_limit

    def remove(self, path: str) -> None:
        """See the interface."""
        node = self._nodes.at(path)
        if node is not None:
            self._nodes.loosen(node)
            self._drop()

    def drain(self, now: float) -> Drained:
        """See the interface. At most DRAIN_LIMIT kernel events at a time."""
        self._reader.pull()
        events: list[Event | None] = []
        missed, suspect = self._losses(), False
        for place, watch, mask, cookie, name in self._reader.take(DRAIN_LIMIT):
            if mask & K.IN_Q_OVERFLOW:
                missed = OVERFLOW
            elif mask & K.IN_IGNORED:
                self._nodes.forget(watch)
            elif (node := self._nodes.of(watch)) is None:
                continue
            elif mask & K.IN_UNMOUNT or (mask & (K.IN_MOVE_SELF | K.IN_DELETE_SELF) and node is self._nodes.root):
                suspect = True
            elif name and (directory := self._nodes.path(node)) is not None:
                inner = os.fsdecode(name)
                path = f"{directory}/{inner}" if directory else inner
                events.append(self._resolved(place, mask, cookie, node, inner, path, now))
        self._give_up(now, events, everything=missed is not None)
        return Drained(tuple(event for event in events if event is not None), missed, suspect)

    def next_due(self) -> float | None:
        """See the interface."""
        if self._reader.has_events:
            return 0.0
        return min((half.at + PAIR_SECONDS for half in self._halves.values()), default=None)

    def close(self) -> None:
        """See the interface."""
        self._reader.stop()
        if self._reader.is_alive():
            self._reader.join()

    def _losses(self) -> Missed | None:
        if not self._reader.is_alive():
            return DIED
        dropped = self._reader.dropped  # a count that only rises: a flag reset here could hide a drop
        reported, self._reported = self._reported, dropped
        return OVERFLOW if dropped != reported else None

    def _resolved(
        self, place: int, mask: int, cookie: int, node: Node, name: str, path: str, now: float
    ) -> Event | None:
        is_dir = bool(mask & K.IN_ISDIR)
        there = node.children.get(name) if is_dir else None
        is_known = there is not None and there.added > place  # it was read there after this happened
        if mask & K.IN_MOVED_FROM:
            self._halves[cookie] = _Half(path, None if is_known else there, now)
            self._loosen(there, is_known)
            return None
        if mask & K.IN_MOVED_TO:
            half = self._halves.pop(cookie, None)
            if half is not None and half.node is not None and half.node.parent is None and not is_known:
                self._nodes.hang(node, name, half.node)
            elif half is None or half.node is not there:
                self._loosen(there, is_known)
            return Touched(path, "arrived") if half is None else MoveEvent(half.path, path)
        if is_known and mask & K.IN_CREATE:
            return Touched(path, "written")
        if mask & (K.IN_CREATE | K.IN_DELETE):
            self._loosen(there, is_known)
        return Touched(path, _sign(mask))

    def _loosen(self, node: Node | None, is_known: bool) -> None:
        if node is not None and not is_known:
            self._nodes.loosen(node)

    def _give_up(self, now: float, events: list[Event | None], *, everything: bool) -> None:
        for cookie, half in list(self._halves.items()):
            if everything or (not self._reader.has_events and now - half.at >= PAIR_SECONDS):
                del self._halves[cookie]
                events.append(Touched(half.path, "gone"))
        self._drop()

    def _drop(self) -> None:
        held = {half.node for half in self._halves.values() if half.node is not None}
        for watch in self._nodes.drop(held):
            self._reader.remove_watch(watch)


def _sign(mask: int) -> Sign:
    if mask & K.IN_CLOSE_WRITE:
        return "closed"
    if mask & K.IN_DELETE:
        return "gone"
    if mask & K.IN_ATTRIB:
        return "altered"
    return "appeared" if mask & K.IN_CREATE else "written"
