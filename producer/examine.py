"""Examines the paths that the kernel's events name. An event is only a hint: what is there now is what counts."""

from __future__ import annotations

from collections.abc import Iterable

from producer.backends.interface import Tree
from producer.core.diff import differs, same_node
from producer.core.facts import Fact, Gone, IndexEntry, Moved, Swapped, There
from producer.core.filters import Filters
from producer.core.normalise import Look, MoveEvent, Work
from producer.core.pace import Pace
from producer.errors import Unreadable
from producer.index import Index
from schemas.paths import is_inside
from schemas.raw import FileState


class Examiner:
    """Of one root. Reads the index and the tree, changes neither."""

    def __init__(self, index: Index, filters: Filters, pace: Pace) -> None:
        self._index = index
        self._filters = filters
        self._pace = pace

    def moves(self, work: Work, tree: Tree) -> list[Fact]:
        """The moves, in order. Where the target is not observed, the source is found gone instead."""
        facts: list[Fact] = []
        number = 0
        while number < len(work.moves):
            move = work.moves[number]
            state, left = _state(tree, move.target), _state(tree, move.source)
            if (swapped := self._swapped(work.moves[: number + 2], number, state, left)) is not None:
                facts.append(swapped)
                number += 1
            elif self._admits(move.target, state):
                facts += self._parents(move.target, tree)
                facts.append(Moved(move.source, move.target, state, left, number in work.fresh))
            number += 1
        return facts

    def _swapped(
        self, moves: list[MoveEvent], number: int, at_target: FileState | None, at_source: FileState | None
    ) -> Swapped | None:
        """`renameat2` reports an exchange as two moves, like a move there and back; what was known and what is there now
        tell them apart. What has come to the target may have been moved on or deleted since: that event is still to come."""
        pair = [(move.source, move.target) for move in moves[number:]]
        if len(pair) < 2 or pair[1] != pair[0][::-1]:
            return None
        one, other = (self._index.get(_before(moves[:number], path)) for path in pair[0])
        if one is None or other is None or at_source is None or one.state.inode == other.state.inode:
            return None
        came = at_target is not None and same_node(one.state, at_target)
        if not (same_node(other.state, at_source) if came else not differs(other.state, at_source)):
            return None
        return Swapped(*pair[0], at_source, at_target if came and at_target else one.state)

    def looks(self, work: Work, tree: Tree, now: float) -> list[Fact]:
        """What is at the paths that were touched and are due to be examined."""
        return [
            fact
            for path, look in work.looks.items()
            if self._is_due(path, look, now)
            for fact in self._look(path, look, tree)
        ]

    def again(self, due: Iterable[str], quiet: Iterable[str], tree: Tree) -> list[Fact]:
        """What is at paths that have been written to for a while, and at those where writing has ended."""
        looks = [(path, Look()) for path in due] + [(path, Look(whole=True)) for path in quiet]
        return [fact for path, look in looks for fact in self._look(path, look, tree)]

    def _is_due(self, path: str, look: Look, now: float) -> bool:
        if look.whole:
            self._pace.forget(path)
            return True
        return self._pace.admit(path, now) or not look.paced

    def _look(self, path: str, look: Look, tree: Tree) -> list[Fact]:
        known = self._index.get(path)
        try:
            state = tree.stat(path)
        except Unreadable:  # it may be there: nothing may be recorded, the next scan tries again
            return []
        if state is None or state.type != "file":
            self._pace.finish(path)
        if state is None and look.brought:  # moved on, or deleted, since: that event is still to come
            return []
        if state is None or not self._admits(path, state):
            return [Gone(path)] if known is not None else []
        there = self._there(path, state, known, look, tree)
        if there is None:
            return []
        parents: list[Fact] = [] if known is not None else self._parents(path, tree)
        return [*parents, there, *other_names(there, self._index, tree)]

    def _there(
        self, path: str, state: FileState, known: IndexEntry | None, look: Look, tree: Tree
    ) -> There | None:
        is_changed = known is None or differs(known.state, state)
        if state.type == "dir":
            return There(path, state, another=look.another) if is_changed or look.another else None
        if state.type == "file" and (look.whole or state.nlink > 1 or _only_altered(known, state, look)):
            return There(path, state, tree.fingerprint(path, state))
        return There(path, state) if is_changed else None

    def _parents(self, path: str, tree: Tree) -> list[Fact]:
        """Directories above a path that are not recorded yet: a path can be recorded only after its parents."""
        facts: list[Fact] = []
        above = path.rpartition("/")[0]
        while above and self._index.get(above) is None:
            state = _state(tree, above)
            if state is None or state.type != "dir":
                return []
            facts.append(There(above, state, another=True))
            above = above.rpartition("/")[0]
        return facts[::-1]

    def _admits(self, path: str, state: FileState | None) -> bool:
        return self._filters.admits(path, is_dir=state is None or state.type == "dir")


def other_names(there: There, index: Index, tree: Tree) -> list[Fact]:
    """A write through one name of a file is seen at all its other known names."""
    if there.state.type != "file" or there.state.nlink < 2:
        return []
    facts: list[Fact] = []
    for known in index.by_inode(there.state):
        state = _state(tree, known.path) if known.path != there.path else None
        if state is not None and same_node(known.state, state) and same_node(state, there.state):
            facts.append(There(known.path, state, there.print))
    return facts


def _before(moves: list[MoveEvent], path: str) -> str:
    """Where what is at a path after the moves was before them: the index does not contain them yet."""
    for move in reversed(moves):
        if is_inside(path, move.target):
            path = move.source + path[len(move.target) :]
    return path


def _only_altered(known: IndexEntry | None, state: FileState, look: Look) -> bool:
    """True when the content may have changed although no write was seen: take a fingerprint at once."""
    if known is None or not look.altered or known.state.size != state.size:
        return False
    return known.state.ctime_ns != state.ctime_ns or known.state.mtime_ns != state.mtime_ns


def _state(tree: Tree, path: str) -> FileState | None:
    try:
        return tree.stat(path)
    except Unreadable:
        return None
