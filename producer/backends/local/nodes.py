"""Which watch stands for which directory, as the events tell it.

A watch is known by the kernel's own number for it, which belongs to a directory and not to a path, and each directory
hangs at its parent by its name; a path is only what these come to. Events are older than the moment at which they are
taken in: what they say of a name is believed only if the watch that hangs there was not added since. A directory that
nobody can place (it was moved out, replaced, or the event that says where to is lost) is dropped with all that hangs
below it; that costs nothing, because wherever it appears it is watched anew and listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Node:
    """A directory. `watch`: its number, None where it is not watched; `added`: the place in the stream of events that
    the last look at it is not older than."""

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
        """Whose watch it is."""
        return self._watches.get(watch)

    def at(self, path: str) -> Node | None:
        """What hangs at a path."""
        node: Node | None = self.root
        for name in path.split("/") if path else ():
            node = None if node is None else node.children.get(name)
        return node

    def path(self, node: Node) -> str | None:
        """Where it hangs; None: at nothing."""
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
        """A directory was looked at there, and has this watch (None: none could be had)."""
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
        """It is there now, and what was there is loose. Where it would hang below itself, the event that says what
        its parent is now is still to come: until then it hangs at nothing."""
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
        """It hangs at nothing any more."""
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
        """Forget what hangs at nothing, but for `held`; returns the watches that are of no use any more."""
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
