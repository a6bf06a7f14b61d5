"""A directory moved: everything known, pending or held below it is at the new prefix from here on.

The kernel's word for a directory needs no settling: it is applied at once.
"""

from __future__ import annotations

from collections.abc import Generator

from schemas.paths import is_inside
from streams.core.catalogue import Catalogue
from streams.core.decide import Decide, Moment
from streams.core.known import Known, Place
from streams.core.renames import Hold, Renames
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

    def moved(
        self, root: Root, source: str, target: str, seen: Sighting, moment: Moment
    ) -> Generator[None, None, bool]:
        """Rewrite the prefix, a path a step. False when the directory was not known (its new place is to be
        observed)."""
        for entry in self._known.below(root.name, source):
            self._make_room(_below(entry.place, source, target), seen, moment)
            yield
        entries = self._known.below(root.name, source)  # making room may have moved some out
        if entries:
            yield from self._catalogue.tree_moved(root, entries, source, target, seen, moment.now)
        for hold in [h for h in self._renames if h.place.root == root.name and is_inside(h.place.path, source)]:
            self._rekey_held(hold, _below(hold.place, source, target))
        for pending in [p for p in self._settle if p.place.root == root.name and is_inside(p.place.path, source)]:
            self._settle.rekey(pending, _below(pending.place, source, target))
        return bool(entries) and entries[0].path == target

    def _make_room(self, place: Place, seen: Sighting, moment: Moment) -> None:
        """Only an empty directory can have stood at the target: what is said of paths below it is outdated."""
        self._settle.drop(place)
        held = self._renames.new_at(place)
        if held is not None:
            self._renames.release(held)
        self._decide.vacate(place, moment)
        replaced = self._known.get(place)
        if replaced is not None:
            self._decide.replaced(replaced, seen)

    def _rekey_held(self, hold: Hold, place: Place) -> None:
        there = self._renames.new_at(place)
        if hold.entry is None and (there is not None or self._known.get(place) is not None):
            self._renames.release(hold)
        else:
            self._renames.rekey(hold, place)


def _below(place: Place, source: str, target: str) -> Place:
    return Place(place.root, target + place.path[len(source) :])
