"""A tree in memory behind the producer's interface `Backend`, with methods that change it and methods that break it.

Everything happens at once: an event can be drained when the method that caused it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from producer.backends.interface import Coverage, Drained, Missed
from producer.core.facts import Print
from producer.core.fingerprint import xxh3_of
from producer.core.identity import Faulty
from producer.core.normalise import Event, MoveEvent, Sign, Touched
from producer.errors import RootFault, Unreadable, WatchUnavailable
from schemas.paths import is_inside
from schemas.raw import FileState, FileType, RootIdentity


@dataclass(slots=True)
class Node:
    """What is at a path."""

    type: FileType
    inode: int
    content: bytes = b""
    mtime_ns: int = 1
    readable: bool = True


@dataclass
class FakeBackend:
    """`nodes`: by path; `""`, the root, is there or not. `broken`: paths whose every access is an I/O error;
    `vanishing`: paths that go as soon as they have been listed; `watch_limit`: directories that can be watched, None
    without a limit; `watchable`: False where the system provides no watch."""

    nodes: dict[str, Node] = field(default_factory=lambda: {"": Node("dir", 1)})
    identity: RootIdentity = field(default_factory=lambda: RootIdentity(1, 1, 1))
    inodes: int = 1
    broken: set[str] = field(default_factory=set)
    vanishing: set[str] = field(default_factory=set)
    watch_limit: int | None = None
    watchable: bool = True
    watches: list[FakeWatch] = field(default_factory=list)
    mounted: dict[str, RootIdentity] = field(default_factory=dict)
    reports_all: bool = True

    # -- what happens to the tree ------------------------------------------------------------------------------

    def make(self, path: str, type_: FileType, content: bytes = b"") -> None:
        """Create something at the path, complete."""
        self.inodes += 1
        self.nodes[path] = Node(type_, self.inodes, content, mtime_ns=self.inodes)
        self._notify(path, "closed" if type_ == "file" else "appeared")

    def take(self, path: str) -> None:
        """Delete what is at the path, and below it."""
        for inner in [p for p in self.nodes if is_inside(p, path)]:
            del self.nodes[inner]
        self._notify(path, "gone")

    def move(self, source: str, target: str) -> None:
        """Move what is at one path, and below it, to the other."""
        for inner in [p for p in self.nodes if is_inside(p, source)]:
            self.nodes[target + inner[len(source) :]] = self.nodes.pop(inner)
        for watch in self.watches:
            watch.moved(source, target)

    def unmount(self) -> None:
        """Put an empty directory of another file system there; what is open answers as an empty one."""
        self.inodes += 1
        self.nodes = {"": Node("dir", self.inodes)}
        self.identity = RootIdentity(9, self.inodes, 9)
        for watch in self.watches:
            watch.suspect = True

    # -- what goes wrong with the watches ----------------------------------------------------------------------

    def overflow(self) -> None:
        """Lose the events that were not drained."""
        for watch in self.watches:
            watch.events.clear()
            watch.missed = Missed("overflow")

    def lose_watch(self) -> None:
        """End the reader of events."""
        for watch in self.watches:
            watch.missed = Missed("watcher_died", is_dead=True)

    # -- the interface -----------------------------------------------------------------------------------------

    def open(self) -> FakeTree:
        """See the interface."""
        root = self.nodes.get("")
        if root is None:
            raise RootFault(Faulty("missing", "not there"))
        if root.type != "dir":
            raise RootFault(Faulty("not_a_directory", "no directory"))
        if "" in self.broken or not root.readable:
            raise RootFault(Faulty("unreadable", "Input/output error"))
        return FakeTree(self, self.identity, set(self.nodes) <= {""})

    def mounts(self) -> dict[str, RootIdentity]:
        """See the interface."""
        return dict(self.mounted)

    def watch(self, wake: Callable[[], None]) -> FakeWatch:
        """See the interface."""
        if not self.watchable:
            raise WatchUnavailable("the fake gives no watch")
        watch = FakeWatch(self, wake)
        self.watches.append(watch)
        return watch

    def close(self) -> None:
        """Nothing is kept."""

    def _notify(self, path: str, sign: Sign) -> None:
        for watch in self.watches:
            watch.touched(path, sign)


@dataclass
class FakeTree:
    """The tree, opened."""

    backend: FakeBackend
    identity: RootIdentity
    is_empty: bool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def stat(self, path: str) -> FileState | None:
        """See the interface."""
        self._check(path)
        node = self.backend.nodes.get(path)
        if node is None:
            return None
        links = 2 if node.type == "dir" else 1
        return FileState(node.type, len(node.content), node.mtime_ns, self.identity.dev, node.inode, links)

    def entries(self, path: str) -> list[tuple[str, FileState]] | None:
        """See the interface."""
        self._check(path)
        directory = self.backend.nodes.get(path)
        if directory is None or directory.type != "dir":
            return None
        if not directory.readable:
            raise Unreadable(path, "Permission denied")
        found = []
        for inner in list(self.backend.nodes):
            parent, _, name = inner.rpartition("/")
            if inner and parent == path and (state := self.stat(inner)) is not None:
                found.append((name, state))
                if inner in self.backend.vanishing:
                    del self.backend.nodes[inner]
        return found

    def fingerprint(self, path: str, seen: FileState) -> Print | None:
        """See the interface."""
        node = self.backend.nodes.get(path)
        if node is None or node.type != "file" or not node.readable or path in self.backend.broken:
            return None
        content = node.content
        xxh3 = xxh3_of(len(content), lambda length, start: content[start : start + length])
        found = Print(len(content), node.mtime_ns, node.inode, xxh3)
        return found if found.of(seen) else None

    def piece(self, path: str, start: int, length: int) -> tuple[FileState, bytes] | None:
        """See the interface."""
        node = self.backend.nodes.get(path)
        if node is None or node.type != "file" or not node.readable or path in self.backend.broken:
            return None
        state = self.stat(path)
        return None if state is None else (state, node.content[start : start + length])

    def _check(self, path: str) -> None:
        if path in self.backend.broken:
            raise Unreadable(path, "Input/output error")


@dataclass
class FakeWatch:
    """Watches on a fake's directories."""

    backend: FakeBackend
    wake: Callable[[], None]
    directories: set[str] = field(default_factory=set)
    unwatched: set[str] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    missed: Missed | None = None
    suspect: bool = False

    @property
    def coverage(self) -> Coverage:
        """See the interface."""
        return Coverage(len(self.directories), len(self.unwatched), "the fake's limit")

    def add(self, path: str) -> None:
        """See the interface."""
        node = self.backend.nodes.get(path)
        if node is None or node.type != "dir" or not node.readable or path in self.directories:
            return
        limit = self.backend.watch_limit
        full = limit is not None and len(self.directories) >= limit
        (self.unwatched if full else self.directories).add(path)

    def remove(self, path: str) -> None:
        """See the interface."""
        self.directories = {p for p in self.directories if not is_inside(p, path)}
        self.unwatched = {p for p in self.unwatched if not is_inside(p, path)}

    def drain(self, now: float) -> Drained:
        """See the interface."""
        drained = Drained(tuple(self.events), self.missed, self.suspect)
        self.events.clear()
        self.suspect = False
        if self.missed is not None and not self.missed.is_dead:
            self.missed = None
        return drained

    def next_due(self) -> float | None:
        """See the interface."""
        return 0.0 if self.events else None

    def close(self) -> None:
        """See the interface."""
        self.backend.watches.remove(self)

    def touched(self, path: str, sign: Sign) -> None:
        """Something happened to the entry of a directory."""
        if self._sees(path):
            self.events.append(Touched(path, sign))
        if sign == "gone":
            self.remove(path)
        self.wake()

    def moved(self, source: str, target: str) -> None:
        """A move, as far as it is watched."""
        match self._sees(source), self._sees(target):
            case True, True:
                self.events.append(MoveEvent(source, target))
                self._carry(source, target)
            case True, False:
                self.events.append(Touched(source, "gone"))
                self.remove(source)
            case False, True:
                self.events.append(Touched(target, "arrived"))
            case _:
                pass
        self.wake()

    def _sees(self, path: str) -> bool:
        return bool(path) and path.rpartition("/")[0] in self.directories

    def _carry(self, source: str, target: str) -> None:
        self.directories = {target + p[len(source) :] if is_inside(p, source) else p for p in self.directories}
