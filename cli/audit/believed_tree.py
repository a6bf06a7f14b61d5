"""The contents of one root according to the log, as a tree of names: a moved directory includes everything below it. Pure.

A name stays in the tree as long as there is something at it or below it. Entries below a path that was removed are kept, so
that the audit shows them: the writer of the log has left them behind.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.raw import FileState, FileType


class TreeNode:
    """One name. `type` None: there is nothing here. `offset`, `at`: of the record that reported it (ms). `seen`: number of
    the baseline that found it last; `has_row`: the catalogue has a row for it."""

    __slots__ = ("at", "children", "has_row", "mtime_ns", "offset", "seen", "size", "type")

    def __init__(self) -> None:
        self.children: dict[str, TreeNode] | None = None
        self.type: FileType | None = None
        self.size = self.mtime_ns = self.at = self.seen = 0
        self.offset = -1
        self.has_row = False

    def take(self, file: FileState, offset: int, at: int, seen: int) -> None:
        """Set what is here now."""
        is_dir = file.type == "dir"
        self.type, self.offset, self.at, self.seen = file.type, offset, at, seen
        self.size, self.mtime_ns = (0, 0) if is_dir else (file.size, file.mtime_ns)

    def take_over(self, other: TreeNode) -> None:
        """Copy what is at the other node, including its record."""
        self.type, self.size, self.mtime_ns = other.type, other.size, other.mtime_ns
        self.offset, self.at, self.seen = other.offset, other.at, other.seen

    def child(self, name: str) -> TreeNode:
        """The child of that name, created if missing."""
        if self.children is None:
            self.children = {}
        found = self.children.get(name)
        if found is None:
            found = self.children[name] = TreeNode()
        return found


class BelievedTree:
    """The tree of one root. Memory: some 250 bytes for each path."""

    def __init__(self) -> None:
        self._root = TreeNode()

    def get(self, path: str) -> TreeNode | None:
        """The node at a path; None: there is nothing."""
        node = self._find(path)
        return None if node is None or node.type is None else node

    def put(self, path: str, file: FileState, offset: int, at: int, seen: int = 0) -> None:
        """Set what is at the path."""
        self._made(path).take(file, offset, at, seen)

    def remove(self, path: str) -> None:
        """Remove what is at the path. Entries below it stay."""
        node = self._find(path)
        if node is not None:
            node.type = None
            self._prune(path)

    def move(self, source: str, target: str) -> None:
        """Move what is below a directory to another one; existing entries there stay unless they are replaced."""
        node = self._find(source)
        if node is None:
            return
        below, node.children, node.type = node.children, None, None
        self._prune(source)
        if below:
            _merge(self._made(target), below)

    def clear(self) -> None:
        """Remove everything."""
        self._root = TreeNode()

    def walk(self, path: str = "") -> Iterator[tuple[str, TreeNode]]:
        """All entries below a directory, parents first. The tree must not be changed meanwhile."""
        top = self._find(path)
        waiting = [] if top is None else [(path, top)]
        while waiting:
            above, node = waiting.pop()
            for name, inner in (node.children or {}).items():
                at = f"{above}/{name}" if above else name
                if inner.type is not None:
                    yield at, inner
                if inner.children:
                    waiting.append((at, inner))

    def _find(self, path: str) -> TreeNode | None:
        node: TreeNode | None = self._root
        for name in path.split("/") if path else ():
            node = None if node is None or node.children is None else node.children.get(name)
        return node

    def _made(self, path: str) -> TreeNode:
        node = self._root
        for name in path.split("/") if path else ():
            node = node.child(name)
        return node

    def _prune(self, path: str) -> None:
        """Remove names that have nothing at them or below them."""
        nodes = [self._root]
        names = path.split("/")
        for name in names:
            children = nodes[-1].children
            if children is None or name not in children:
                return
            nodes.append(children[name])
        for above, name in zip(reversed(nodes[:-1]), reversed(names), strict=True):
            inner = above.children
            if inner is None or inner[name].type is not None or inner[name].children:
                return
            del inner[name]


def _merge(target: TreeNode, below: dict[str, TreeNode]) -> None:
    if not target.children:
        target.children = below
        return
    for name, node in below.items():
        inner = target.child(name)
        if node.type is not None:
            inner.take_over(node)
        if node.children:
            _merge(inner, node.children)
