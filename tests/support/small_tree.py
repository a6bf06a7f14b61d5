"""A little file system of two roots, and a faithful little producer that watches it into a lane.

The disk gives freed inodes out again at once, as ext4 does; its clock is the lane's. The producer is the law of
the real one in little: events only say where to look, what is found is compared with an index, and whatever
differs is written; a move is one record where both halves are known, and two where its tie was lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from producer.core.diff import differs, same_node, tied
from producer.core.facts import IndexEntry
from producer.core.normalise import Event, MoveEvent, normalise
from schemas import raw
from schemas.paths import is_inside
from schemas.raw import FileState
from tests.support.lane import Lane

ROOTS = ("films", "music")


def moved_on(moves: list[MoveEvent], index: int) -> bool:
    """True when a later move leaves from, or lands on, the target of move `index`: what stands there now is then not
    what that move brought."""
    target = moves[index].target
    later = moves[index + 1 :]
    return any(is_inside(target, m.source) or is_inside(target, m.target) for m in later)


@dataclass(eq=False)
class Node:
    """An inode. `content`: two files with the same have the same fingerprint."""

    inode: int
    is_dir: bool
    size: int = 0
    mtime_ns: int = 0
    content: int = 0
    links: int = 1

    @property
    def state(self) -> FileState:
        """As `lstat` says it."""
        if self.is_dir:
            return FileState("dir", 4096, self.mtime_ns, 1, self.inode, 2)
        return FileState("file", self.size, self.mtime_ns, 1, self.inode, self.links)


Tree = dict[str, Node]


@dataclass
class Disk:
    """Two roots on one file system."""

    trees: dict[str, Tree] = field(default_factory=lambda: {root: {} for root in ROOTS})
    free: list[int] = field(default_factory=list)
    last_inode: int = 10
    contents: int = 0

    def inode(self) -> int:
        """A free inode: the one freed last, else a new one."""
        if self.free:
            return self.free.pop()
        self.last_inode += 1
        return self.last_inode

    def state(self, root: str, path: str) -> FileState | None:
        """`lstat`."""
        node = self.trees[root].get(path)
        return None if node is None else node.state

    def children(self, root: str, directory: str) -> list[str]:
        """Paths directly in a directory."""
        return sorted(p for p in self.trees[root] if p != directory and p.rpartition("/")[0] == directory)

    def below(self, root: str, path: str) -> list[str]:
        """A path and all below it, parents first."""
        return sorted(p for p in self.trees[root] if is_inside(p, path))

    def parents(self, root: str, path: str, now_ns: int) -> list[str] | None:
        """Make the directories above a path; the new ones, or None where a file stands in the way."""
        made: list[str] = []
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            directory = "/".join(parts[:depth])
            node = self.trees[root].get(directory)
            if node is None:
                self.trees[root][directory] = Node(self.inode(), True, 0, now_ns)
                made.append(directory)
            elif not node.is_dir:
                return None
        return made

    def write(self, node: Node, size: int, now_ns: int, content: int | None = None) -> None:
        """New content."""
        self.contents += 1
        node.size, node.mtime_ns = size, now_ns
        node.content = self.contents if content is None else content

    def unlink(self, root: str, path: str) -> None:
        """Take one name away."""
        node = self.trees[root].pop(path)
        node.links -= 1
        if node.links == 0:
            self.free.append(node.inode)

    def rename(self, root: str, source: str, to: str, target: str) -> bool:
        """`rename(2)`, within a root or across; False where the kernel refuses or does nothing."""
        tree, there = self.trees[root], self.trees[to].get(target)
        node = tree[source]
        if there is node or (root == to and is_inside(target, source)):
            return False
        if there is not None:
            if there.is_dir != node.is_dir or self.children(to, target):
                return False
            self.unlink(to, target)
        for path in self.below(root, source):
            self.trees[to][target + path[len(source) :]] = tree.pop(path)
        return True


@dataclass
class Scan:
    """A walk under way, a directory at a step."""

    number: int
    origin: raw.Origin
    todo: list[str]
    met: set[str] = field(default_factory=set)
    there: int = 0
    ties: bool = False


@dataclass
class Watcher:
    """The producer of one root."""

    lane: Lane
    disk: Disk
    root: str
    epoch: str = "e1"
    index: dict[str, FileState] = field(default_factory=dict)
    queue: list[Event] = field(default_factory=list)
    scan: Scan | None = None
    scans: int = 0
    opened: list[str] = field(default_factory=list)

    def declare(self) -> None:
        """Declare the root and begin a baseline."""
        self.lane.epoch = self.epoch
        self.lane.declare(self.root)
        self.begin("baseline")

    def look(self, count: int | None = None) -> None:
        """Handle the next events of the queue, all of them by default."""
        run, self.queue = self.queue[:count], self.queue[count:] if count is not None else []
        work = normalise(run)
        for number, move in enumerate(work.moves):
            self._carried(move.source, move.target, trusted=moved_on(work.moves, number))
        for path, look in work.looks.items():
            self._looked(path, another=look.another)
        self._open()

    # -- scans -------------------------------------------------------------------------------------------------

    def begin(self, origin: raw.Origin, *, ties: bool = False) -> None:
        """A scan of the whole root starts."""
        self.finish()
        self.scans += 1
        self.scan = Scan(self.scans, origin, [""], ties=ties)
        self._make(raw.ScanStarted, scan=self.scans, origin=origin, cause="asked")

    def step(self) -> None:
        """One directory; after the last, what is gone, and the end."""
        scan = self.scan
        if scan is None:
            return
        if scan.todo:
            for path in self.disk.children(self.root, scan.todo.pop()):
                scan.met.add(path)
                self._scanned(scan, path)
                if self.disk.trees[self.root][path].is_dir:
                    scan.todo.append(path)
            self._open()
            return
        for path in sorted(set(self.index) - scan.met, reverse=True):
            state = self.disk.state(self.root, path)
            if state is None:
                self._gone(path, scan)
            else:
                self._there(path, state, scan)
        self._open()
        self.scan = None
        self._make(
            raw.ScanFinished, scan=scan.number, origin=scan.origin, cause="asked", total=scan.there,
            counts=raw.Counts(),
        )  # fmt: skip

    def finish(self) -> None:
        """To the end of the scan under way."""
        while self.scan is not None:
            self.step()

    def restart(self, *, ties: bool) -> None:
        """Killed and started again on the same outbox: what was in memory is lost, and a scan makes up for it."""
        baseline = self.scan is not None and self.scan.origin == "baseline"
        self.queue.clear()
        self.opened.clear()
        self.scan = None
        if baseline:
            self.begin("baseline")
        else:
            self.begin("scan", ties=ties)

    def new_epoch(self, epoch: str) -> None:
        """The outbox was lost: a new life begins with a baseline."""
        self.epoch = epoch
        self.index.clear()
        self.queue.clear()
        self.opened.clear()
        self.scan = None
        self.scans = 0
        self.declare()

    def _scanned(self, scan: Scan, path: str) -> None:
        state = self.disk.state(self.root, path)
        assert state is not None
        if scan.ties and path not in self.index:
            for known in tied(state, (IndexEntry(p, s) for p, s in self.index.items())):
                if self.disk.state(self.root, known.path) is None:
                    self._move(known.path, path, state, scan)
                    return
        self._there(path, state, scan)

    # -- what is written ---------------------------------------------------------------------------------------

    def again(self, path: str) -> None:
        """Publish a path's last observation once more."""
        self._make(raw.Observed, path=path, file=self.index.get(path), origin="live")

    def finger(self, path: str) -> None:
        """Fingerprint a file, if it is as the index has it."""
        node, known = self.disk.trees[self.root].get(path), self.index.get(path)
        if node is not None and known is not None and known == node.state and known.type == "file":
            self._make(
                raw.Fingerprint, path=path, size=known.size, mtime_ns=known.mtime_ns, inode=known.inode,
                xxh3=f"{node.content:032x}",
            )  # fmt: skip

    def _looked(self, path: str, *, another: bool = False) -> None:
        state = self.disk.state(self.root, path)
        if state is not None:
            self._there(path, state, None)
            if another and state.type == "dir" and path not in self.opened:
                self.opened.append(path)  # it looks the same, and may be another one with the same inode
        elif path in self.index:
            self._gone(path, None)

    def _open(self) -> None:
        while self.opened:
            directory = self.opened.pop()
            for path in [p for p in self.disk.below(self.root, directory) if p != directory]:
                self._looked(path)
            for path in [p for p in self.index if is_inside(p, directory) and p != directory]:
                if self.disk.state(self.root, path) is None:
                    self._gone(path, None)

    def _there(self, path: str, state: FileState, scan: Scan | None) -> None:
        if (above := self._unknown_above(path)) is not None:
            self.opened.append(above)
            return
        known = self.index.get(path)
        resend = self.scan is not None and self.scan.origin == "baseline"
        if known is not None and not differs(known, state) and not resend:
            return
        if known is not None and known.type == "dir" and state.type != "dir":
            self._empty(path, scan)
        self._observed(path, state, scan)
        self.index[path] = state
        if state.type == "dir" and (known is None or differs(known, state)):
            self.opened.append(path)

    def _unknown_above(self, path: str) -> str | None:
        """If a directory above was not published (a walk came below it just when it was gone): the nearest one that was, to
        be listed."""
        above, unknown = path.rpartition("/")[0], False
        while above and above not in self.index:
            above, unknown = above.rpartition("/")[0], True
        return above if unknown else None

    def _gone(self, path: str, scan: Scan | None) -> None:
        if path not in self.index:
            return
        self._empty(path, scan)
        self._observed(path, None, scan)
        del self.index[path]

    def _empty(self, directory: str, scan: Scan | None) -> None:
        for path in [p for p in self.index if is_inside(p, directory) and p != directory]:
            self._observed(path, None, scan)
            del self.index[path]

    def _carried(self, source: str, target: str, *, trusted: bool) -> None:
        if (above := self._unknown_above(target)) is not None:
            self.opened.append(above)
            return
        known, state = self.index.get(source), self.disk.state(self.root, target)
        if known is not None and trusted and (state is None or not same_node(known, state)):
            self._move(source, target, known, None)
        elif known is not None and state is not None and same_node(known, state):
            self._move(source, target, state, None)
        elif state is not None:
            self._there(target, state, None)

    def _move(self, source: str, target: str, state: FileState, scan: Scan | None) -> None:
        replaced = self.index.get(target)
        if replaced is not None and replaced.type == "dir":
            self._empty(target, scan)
        if scan is not None:
            scan.there += 1
        self._make(
            raw.Moved, path=target, from_path=source, file=state, origin="live" if scan is None else scan.origin,
            scan=None if scan is None else scan.number,
        )  # fmt: skip
        del self.index[source]
        self.index[target] = state
        for path in [p for p in self.index if is_inside(p, source) and p != source]:
            self.index[target + path[len(source) :]] = self.index.pop(path)
        if state.type == "dir":
            self.opened.append(target)

    def _observed(self, path: str, state: FileState | None, scan: Scan | None) -> None:
        if scan is not None and state is not None:
            scan.there += 1
        self._make(
            raw.Observed, path=path, file=state, origin="live" if scan is None else scan.origin,
            scan=None if scan is None else scan.number,
        )  # fmt: skip

    def _make(self, type_: type, **fields: object) -> None:
        self.lane.epoch = self.epoch
        self.lane.make(type_, self.root, **fields)
