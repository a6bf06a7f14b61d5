"""Looks at what the kernel's events point to. An event is only a hint: what is believed is what is there now."""

from __future__ import annotations

from collections.abc import Iterable

from producer.backends.interface import Tree
from producer.core.diff import differs
from producer.core.facts import Carried, Fact, Gone, There
from producer.core.filters import Filters
from producer.core.normalise import Look, Work
from producer.core.pace import Pace
from producer.errors import Unreadable
from producer.index import Index
from schemas.raw import FileState


class Examiner:
    """Of one root. Reads the index and the tree, changes neither."""

    def __init__(self, index: Index, filters: Filters, pace: Pace) -> None:
        self._index = index
        self._filters = filters
        self._pace = pace

    def moves(self, work: Work, tree: Tree) -> list[Fact]:
        """The moves, in order; those whose target is not observed leave it to their source to be seen gone."""
        facts: list[Fact] = []
        for number, move in enumerate(work.moves):
            state = _state(tree, move.target)
            if self._admits(move.target, state):
                left = _state(tree, move.source)
                facts.append(Carried(move.source, move.target, state, left, work.moved_on(number)))
        return facts

    def looks(self, work: Work, tree: Tree, now: float) -> list[Fact]:
        """What is at the paths that were touched and are due to be looked at."""
        return [
            fact
            for path, look in work.looks.items()
            if self._is_due(path, look, now) and (fact := self._look(path, look, tree)) is not None
        ]

    def again(self, paths: Iterable[str], tree: Tree) -> list[Fact]:
        """What is at paths that have been written to for a while."""
        return [fact for path in paths if (fact := self._look(path, Look(), tree)) is not None]

    def _is_due(self, path: str, look: Look, now: float) -> bool:
        if look.whole:
            self._pace.forget(path)
            return True
        return self._pace.admit(path, now) or not look.paced

    def _look(self, path: str, look: Look, tree: Tree) -> Fact | None:
        try:
            state = tree.stat(path)
        except Unreadable:  # it may be there: nothing may be said, the next scan looks again
            return None
        if state is None and look.brought:  # moved on, or deleted, since: that event is still to come
            return None
        if state is None or not self._admits(path, state):
            return Gone(path) if self._index.get(path) is not None else None
        if state.type != "file" or not (look.whole or state.nlink > 1):
            return There(path, state) if self._is_news(path, state) else None
        return There(path, state, tree.fingerprint(path))

    def _is_news(self, path: str, state: FileState) -> bool:
        known = self._index.get(path)
        return known is None or differs(known.state, state)

    def _admits(self, path: str, state: FileState | None) -> bool:
        return self._filters.admits(path, is_dir=state is None or state.type == "dir")


def _state(tree: Tree, path: str) -> FileState | None:
    try:
        return tree.stat(path)
    except Unreadable:
        return None
