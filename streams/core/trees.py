"""A directory moved: everything known, pending or held below it is at the new prefix from here on.

The kernel's word for a directory needs no settling: it is applied at once.
"""

from __future__ import annotations

from schemas.paths import is_inside
from streams.core.catalogue import Catalogue
from streams.core.decide import Decide
from streams.core.known import Known, Place
from streams.core.renames import Renames
from streams.core.roots import Root
from streams.core.settle import Settle, Sighting


class Trees:
    """Moves of directories inside a root."""

    def __init__(
        self, known: Known, settle: Settle, renames: Renames, decide: Decide, catalogue: Catalogue
    ) -> None:
        self._known = known
        self._settle = settle
        self._renames = renames
        self._decide = decide
        self._catalogue = catalogue

    def moved(self, root: Root, source: str, target: str, seen: Sighting, now: int) -> bool:
        """Rewrite the prefix. False when the directory was not known (its new place is to be observed)."""
        entries = self._known.below(root.name, source)
        held = [h for h in self._renames if h.place.root == root.name and is_inside(h.place.path, source)]
        for entry in entries:
            self._replace(root, target + entry.path[len(source) :], seen)
        if entries:
            self._catalogue.tree_moved(root, entries, source, target, seen, now)
        for hold in held:
            self._renames.rekey(hold, self._below(hold.place, source, target))
        self._rekey_pending(root, source, target)
        return bool(entries) and entries[0].path == target

    def _replace(self, root: Root, path: str, seen: Sighting) -> None:
        replaced = self._known.get(root.name, path)
        if replaced is not None:  # only an empty directory can stand there; what is known below it is outdated
            self._decide.replaced(replaced, seen)

    def _rekey_pending(self, root: Root, source: str, target: str) -> None:
        for pending in list(self._settle):
            if pending.place.root == root.name and is_inside(pending.place.path, source):
                self._settle.rekey(pending, self._below(pending.place, source, target))
            origin = pending.came_from
            if origin is not None and origin.root == root.name and is_inside(origin.path, source):
                pending.came_from = self._below(origin, source, target)
        self._decide.rekey_moves(lambda place: self._rewritten(root, place, source, target))

    def _rewritten(self, root: Root, place: Place, source: str, target: str) -> Place:
        inside = place.root == root.name and is_inside(place.path, source)
        return self._below(place, source, target) if inside else place

    @staticmethod
    def _below(place: Place, source: str, target: str) -> Place:
        return Place(place.root, target + place.path[len(source) :])
