"""A tree in memory behind the producer's port `Files`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import xxhash

from producer.core.facts import Print
from producer.core.identity import Faulty
from producer.errors import RootFault, Unreadable
from producer.files import SAMPLE, sample_starts
from schemas.raw import FileState, FileType, RootIdentity


@dataclass(slots=True)
class Node:
    """What stands at a path."""

    type: FileType
    inode: int
    content: bytes = b""
    mtime_ns: int = 1
    readable: bool = True


@dataclass
class FakeFiles:
    """`nodes`: by path; `""`, the root, is there or not."""

    nodes: dict[str, Node] = field(default_factory=lambda: {"": Node("dir", 1)})
    inodes: int = 1

    def make(self, path: str, type_: FileType, content: bytes = b"") -> None:
        """Something new at the path."""
        self.inodes += 1
        self.nodes[path] = Node(type_, self.inodes, content, mtime_ns=self.inodes)

    def open(self) -> FakeTree:
        """See the port."""
        root = self.nodes.get("")
        if root is None:
            raise RootFault(Faulty("missing", "not there"))
        if root.type != "dir":
            raise RootFault(Faulty("not_a_directory", "no directory"))
        return FakeTree(self, RootIdentity(1, root.inode, 1))

    def is_empty(self) -> bool:
        """See the port."""
        return set(self.nodes) <= {""}


@dataclass
class FakeTree:
    """The tree, opened."""

    files: FakeFiles
    identity: RootIdentity

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def state(self, path: str) -> FileState | None:
        """See the port."""
        node = self.files.nodes.get(path)
        if node is None:
            return None
        return FileState(
            node.type, len(node.content), node.mtime_ns, 1, node.inode, 2 if node.type == "dir" else 1
        )

    def listing(self, path: str) -> list[tuple[str, FileState]] | None:
        """See the port."""
        directory = self.files.nodes.get(path)
        if directory is None or directory.type != "dir":
            return None
        if not directory.readable:
            raise Unreadable(path, "Permission denied")
        found = []
        for inner in self.files.nodes:
            parent, _, name = inner.rpartition("/")
            state = self.state(inner)
            if inner and parent == path and state is not None:
                found.append((name, state))
        return found

    def fingerprint(self, path: str) -> Print | None:
        """See the port."""
        node = self.files.nodes.get(path)
        if node is None or node.type != "file" or not node.readable:
            return None
        size = len(node.content)
        digest = xxhash.xxh3_128(size.to_bytes(8, "little"))
        for start in sample_starts(size):
            digest.update(node.content[start : start + SAMPLE])
        return Print(size, node.mtime_ns, node.inode, digest.hexdigest())
