"""Maps watches to directories, from the events.

A watch is identified by the kernel's own number for it, which belongs to a directory and not to a path. Each directory is
attached to its parent by its name; a path is derived from that. Events are older than the moment at which they are handled:
what they say of a name is used only if the watch attached there was not added since. A directory whose place is not known
(it was moved out, replaced, or the event with its new place is lost) is dropped with everything below it; that costs
nothing, because wherever it appears it is watched again and listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Node:
    """A directory. `watch`: its number, None where it is not watched; `added`: the position in the stream of events that
    the last read of it is not older than."""

    name: str
    watch: int | None = None
    added: int = 0
    parent: Node | None = None
    children: dict[str, Node] = field(default_factory=dict)
    path: str = ""
    drawn: int = -1


class Nodes:
    """The directories below one root."""

    def __init__(self) -> None:
        self.root = Node("")
        self.unwatched: set[Node] = set()
        self._watches: dict[int, Node] = {}
        self._loose: set[Node] = set()
        self._drawing = 0

    @property
    def watched(self) -> int:
        """How many are watched."""
        return len(self._watches)

    def of(self, watch: int) -> Node | None:
        """The directory of a watch."""
        return self._watches.get(watch)

    def at(self, path: str) -> Node | None:
        """The node at a path."""
        node: Node | None = self.root
        for name in path.split("/") if path else ():
            node = None if node is None else node.children.get(name)
        return node

    def path(self, node: Node) -> str | None:
        """The path of the node; None: it is attached to nothing."""
        above: list[Node] = []
        at: Node | None = node
        while at is not self.root:
            if at is None:
                return None
            if at.drawn == self._drawing:
                break
            above.append(at)
            at = at.parent
        path = at.path
        for inner in reversed(above):
            path = f"{path}/{inner.name}" if path else inner.name
            inner.path, inner.drawn = path, self._drawing
        return path

    def put(self, path: str, watch: int | None, added: int) -> None:
        """A directory was read there, and has this watch (None: none was available)."""
        node = None if watch is None else self._watches.get(watch)
        if not path:
            node = self.root
        elif node is None:
            node = self._made(path, watch)
        else:
            self._hang_at(path, node)
        self._unlist(node)
        node.watch, node.added = watch, added
        if watch is None:
            self.unwatched.add(node)
        else:
            self._watches[watch] = node

    def hang(self, parent: Node, name: str, node: Node) -> None:
        """Attach the node at this name, and detach what was there. Where it would be below itself, the event with its
        parent's new place is still to come: until then it is attached to nothing."""
        replaced = parent.children.get(name)
        if replaced is node:
            return
        if _is_above(node, parent):
            self.loosen(node)
            return
        if replaced is not None:
            self.loosen(replaced)
        if node.parent is not None:
            del node.parent.children[node.name]
        node.parent, node.name = parent, name
        parent.children[name] = node
        self._loose.discard(node)
        self._drawing += 1

    def loosen(self, node: Node) -> None:
        """Detach the node."""
        if node.parent is not None:
            del node.parent.children[node.name]
            node.parent = None
            self._loose.add(node)
            self._drawing += 1

    def forget(self, watch: int) -> None:
        """The kernel has ended this watch."""
        node = self._watches.pop(watch, None)
        if node is not None and node.watch == watch:
            node.watch = None

    def drop(self, held: set[Node]) -> list[int]:
        """Forget detached nodes, except for `held`; returns the watches that are no longer needed."""
        dropped = [inner for node in self._loose - held for inner in _below(node)]
        self._loose &= held
        for node in dropped:
            self._unlist(node)
        return [node.watch for node in dropped if node.watch is not None]

    def _unlist(self, node: Node) -> None:
        self.unwatched.discard(node)
        if node.watch is not None and self._watches.get(node.watch) is node:
            del self._watches[node.watch]

    def _made(self, path: str, watch: int | None) -> Node:
        there = self.at(path)
        if there is not None and (there.watch is None or watch is None):
            return there
        node = Node("")
        self._hang_at(path, node)
        return node

    def _hang_at(self, path: str, node: Node) -> None:
        *above, name = path.split("/")
        parent = self.root
        for step in above:
            if step not in parent.children:
                self.hang(parent, step, Node(step))
            parent = parent.children[step]
        self.hang(parent, name, node)


def _is_above(node: Node, other: Node) -> bool:
    at: Node | None = other
    while at is not None and at is not node:
        at = at.parent
    return at is not None


def _below(node: Node) -> Iterator[Node]:
    found = [node]
    while found:
        inner = found.pop()
        yield inner
        found.extend(inner.children.values())
