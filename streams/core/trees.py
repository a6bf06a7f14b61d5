"""A directory moved: everything known, pending or held below it is at the new prefix from here on.

The move of a directory that the kernel reports needs no settling: the tables are changed at once. It is published when the
directory has stayed where it is for the debounce window, or at the max hold. So a directory that moves several times is
published once, and two that changed places through a third name are published as a swap. Before anything else of the library
is decided, all moves are published: a change of a path always follows the move that brought it there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from schemas.paths import is_inside
from streams.core import unpublished
from streams.core.catalogue import Catalogue
from streams.core.decide import Decide
from streams.core.known import Known
from streams.core.moment import Moment
from streams.core.renames import Renames
from streams.core.settle import Settle
from streams.core.state import Ended, Entry, Hold, MovedTree, Root, RootPath, Sighting, State
from streams.core.tally import joined, left


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
        self, root: Root, source: RootPath, target: RootPath, seen: Sighting, moment: Moment
    ) -> Generator[Ended, None, bool]:
        """Rewrite the prefix, one path per step. False when the directory was not known (its new place is to be
        observed)."""
        if self._state.trees and (unpublished.near(self._state, source) or unpublished.near(self._state, target)):
            yield from self.publish_all(root.library, moment)
        for entry in self._known.below(root.name, source.path):
            place = _below(entry.place, source, target)
            if self._state.trees and self._is_taken(place):
                yield from self.publish_all(root.library, moment)
            yield self._make_room(place, seen, moment)
        entries = self._known.below(root.name, source.path)  # making room may have moved some out
        stay = self._known.below(root.name, target.path)
        if stay and self._state.trees:
            yield from self.publish_all(root.library, moment)
        if entries:
            yield self._note(root, source, target, seen, moment)
        for entry in entries:
            self._known.move((entry, _below(entry.place, source, target)))
            yield ()
        # these are gone but have not settled; they did not move with the directory, so it is published without them
        if stay and entries:
            yield from self._publish(self._state.trees[target], entries, moment)
        for hold in [hold for hold in self._state.holds if _is_below(hold.place, source)]:
            yield self._rekey_held(hold, _below(hold.place, source, target), seen, moment)
        for pending in [p for p in self._state.pending.values() if _is_below(p.place, source)]:
            yield self._settle.rekey(pending, _below(pending.place, source, target))
        return bool(entries) and entries[0].place == target

    def publish_all(self, library: str, moment: Moment) -> Iterator[Ended]:
        """Publish all moved directories of a library, one path per step."""
        while (tree := next((t for t in self._state.trees.values() if t.library == library), None)) is not None:
            yield from self.publish(tree, moment)

    def publish(self, tree: MovedTree, moment: Moment) -> Iterator[Ended]:
        """Publish a moved directory, and before it the one that has left the place where it is now, and so on. If this
        is a ring, they have changed places."""
        order = [tree]
        while (other := unpublished.moved_from(self._state, order[-1].place)) is not None and other not in order:
            order.append(other)
        published: list[MovedTree] = []

        def is_taken(place: RootPath) -> bool:
            return self._known.get(place) is not None and any(
                _is_below(place, earlier.place) for earlier in published
            )

        for one in reversed(order):
            yield from self._publish(one, self._known.below(one.place.root, one.place.path), moment, is_taken)
            published.append(one)

    def _publish(
        self, tree: MovedTree, entries: list[Entry], moment: Moment,
        is_taken: Callable[[RootPath], bool] = lambda _: False,
    ) -> Iterator[Ended]:  # fmt: skip
        unpublished.leave(self._state, tree)
        tree.deadline = None
        if tree.place != tree.published:
            root = self._state.roots[tree.place.root]
            yield from self._catalogue.tree_moved(root, tree, entries, moment.now, is_taken)
        yield () if tree.seen.tally is None else left(self._state, tree.seen.tally)

    def _note(self, root: Root, source: RootPath, target: RootPath, seen: Sighting, moment: Moment) -> Ended:
        """Note that the move is to be published. If an earlier move of the directory is not published yet, both become
        one."""
        ended: Ended = ()
        if seen.tally is not None:
            joined(self._state, seen.tally)
        tree = self._state.trees.get(source)
        if tree is None:
            tree = MovedTree(target, source, root.library, seen, moment.now, root.windows)
        else:
            unpublished.leave(self._state, tree)
            if tree.seen.tally is not None:
                ended = left(self._state, tree.seen.tally)
            tree.place, tree.seen, tree.windows = target, seen, root.windows
        unpublished.enter(self._state, tree)
        self._state.deadlines.set(tree, tree.due_at(moment.now))
        return ended

    def _is_taken(self, place: RootPath) -> bool:
        """Whether making room there may publish something."""
        return (
            self._known.get(place) is not None
            or self._settle.get(place) is not None
            or self._renames.new_at(place) is not None
        )

    def _make_room(self, place: RootPath, seen: Sighting, moment: Moment) -> Ended:
        """Remove what is pending, held or known at the target: only an empty directory can have been there, so it is
        outdated."""
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


def _is_below(place: RootPath, directory: RootPath) -> bool:
    return place.root == directory.root and is_inside(place.path, directory.path)


def _below(place: RootPath, source: RootPath, target: RootPath) -> RootPath:
    return RootPath(target.root, target.path + place.path[len(source.path) :])
