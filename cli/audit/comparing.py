"""Compares paths between log and disk, and between log and catalogue. Pure.

Files are compared by type, size and time, directories by type alone. Whether a difference is a fault is not decided here: a
path may have changed between two checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cli.audit.believed_tree import BelievedTree, TreeNode
from cli.audit.findings import PathState, What
from schemas.paths import is_inside

DiskTree = Mapping[str, PathState]
"""What is at each path."""


def seen_of(node: TreeNode | None) -> PathState | None:
    """A node's state, in the form that is compared."""
    return None if node is None or node.type is None else PathState(node.type, node.size, node.mtime_ns)


def differing_fields(log: PathState | None, other: PathState | None) -> tuple[str, ...]:
    """The fields that differ; empty if one of the two has nothing."""
    if log is None or other is None:
        return ()
    if log.type != other.type:
        return ("type",)
    return tuple(name for name in ("size", "mtime_ns") if getattr(log, name) != getattr(other, name))


def what_of_disk(log: PathState | None, disk: PathState | None) -> What | None:
    """How log and disk differ; None: not at all."""
    if log == disk:
        return None
    return "missing" if log is None else "phantom" if disk is None else "changed"


def what_of_catalogue(log: PathState | None, row: PathState | None) -> What | None:
    """How log and catalogue differ; None: not at all."""
    if log == row:
        return None
    return "only_in_catalogue" if log is None else "not_in_catalogue" if row is None else "catalogue_differs"


def unlike_disk(tree: BelievedTree, disk: DiskTree, unread: Iterable[str]) -> set[str]:
    """Paths at which log and disk differ, except below directories that could not be read."""
    differing = {path for path, seen in disk.items() if seen_of(tree.get(path)) != seen}
    differing |= {path for path, _ in tree.walk() if path not in disk}
    places = tuple(unread)
    return {path for path in differing if not any(is_inside(path, place) for place in places)}


class CatalogueLook:
    """One pass over the catalogue's rows of a root, which come in any order."""

    def __init__(self, tree: BelievedTree) -> None:
        self._tree = tree
        self._differing: set[str] = set()

    def row(self, path: str, seen: PathState) -> None:
        """The next row."""
        node = self._tree.get(path)
        if node is not None:
            node.has_row = True
        if seen_of(node) != seen:
            self._differing.add(path)

    def differing(self) -> set[str]:
        """After the last row: the paths at which log and catalogue differ."""
        return self._differing | set(self._without_row())

    def _without_row(self) -> Iterator[str]:
        return (path for path, node in self._tree.walk() if not node.has_row)
