"""A directory moved: everything known, pending or held below it is at the new prefix from here on.

The kernel's word for a directory needs no settling: it is applied at once.
"""

from __future__ import annotations

from collections.abc import Generator

from schemas.paths import is_inside
from streams.core.catalogue import Catalogue
from streams.core.decide import Decide
from streams.core.known import Known
from streams.core.moment import Moment
from streams.core.renames import Renames
from streams.core.settle import Settle
from streams.core.state import Ended, Hold, Root, RootPath, Sighting, State


class Trees:
    """Moves of directories inside a root."""

    def __init__(
        self, state: State, known: Known, settle: Settle, renames: Renames, decide: Decide, catalogue: Catalogue
    ) -> None:
        self._state = state
        self._known = known
        self._settle = settle
        self._renames = renames
        self._decide = decide
        self._catalogue = catalogue

    def moved(
        self, root: Root, source: str, target: str, seen: Sighting, moment: Moment
    ) -> Generator[Ended, None, bool]:
        """Rewrite the prefix, a path a step. False when the directory was not known (its new place is to be
        observed)."""
        for entry in self._known.below(root.name, source):
            yield self._make_room(_below(entry.place, source, target), seen, moment)
        entries = self._known.below(root.name, source)  # making room may have moved some out
        if entries:
            yield from self._catalogue.tree_moved(root, entries, source, target, seen, moment.now)
        for hold in [hold for hold in self._state.holds if _is_below(hold.place, root, source)]:
            yield self._rekey_held(hold, _below(hold.place, source, target), seen, moment)
        for pending in [p for p in self._state.pending.values() if _is_below(p.place, root, source)]:
            yield self._settle.rekey(pending, _below(pending.place, source, target))
        return bool(entries) and entries[0].path == target

    def _make_room(self, place: RootPath, seen: Sighting, moment: Moment) -> Ended:
        """Only an empty directory can have stood at the target: what is pending, held or known of paths below it
        is outdated."""
        ended = self._settle.drop(place)
        ended += self._renames.release(self._renames.new_at(place))
        ended += self._decide.vacate(place, moment)
        replaced = self._known.get(place)
        return ended if replaced is None else ended + self._decide.replaced(replaced, seen)

    def _rekey_held(self, hold: Hold, place: RootPath, seen: Sighting, moment: Moment) -> Ended:
        if hold.is_gone:  # its entry has been moved, and room was made for that
            self._renames.rekey(hold, place)
            return ()
        ended = self._make_room(place, seen, moment)
        if self._renames.new_at(hold.place) is hold:  # making room may have decided it
            self._renames.rekey(hold, place)
        return ended


def _is_below(place: RootPath, root: Root, directory: str) -> bool:
    return place.root == root.name and is_inside(place.path, directory)


def _below(place: RootPath, source: str, target: str) -> RootPath:
    return RootPath(place.root, target + place.path[len(source) :])
