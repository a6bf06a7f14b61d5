"""Facts become records here: each is compared with the index and what differs is written to index and outbox in
one transaction, so that the index always is exactly what has been said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import assert_never

from producer.core.diff import differs, is_unidentified, same_node
from producer.core.facts import Carried, Fact, Gone, Known, Print, There
from producer.database import Database
from producer.index import Index
from producer.outbox import Outbox, Via
from producer.ports import Points
from schemas.raw import Counts, FileState


@dataclass(slots=True)
class Written:
    """What facts came to. `there`: records that name something that is there; `opened`: directories that are new
    at their place, whose contents are not known yet."""

    added: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0
    there: int = 0
    opened: list[str] = field(default_factory=list)

    def add(self, other: Written) -> None:
        """Sum up; `opened` is not carried over."""
        self.added += other.added
        self.changed += other.changed
        self.moved += other.moved
        self.gone += other.gone
        self.there += other.there

    def counts(self) -> Counts:
        """As records carry it."""
        return Counts(self.added, self.changed, self.moved, self.gone)


class Journal:
    """The one writer of a root's index and outbox. Used by the root's thread only. Raises sqlite3.Error, and then
    nothing has been written. `committed` is called after each transaction."""

    def __init__(
        self, database: Database, index: Index, outbox: Outbox, points: Points, committed: Callable[[], None]
    ) -> None:
        self._db = database
        self._index = index
        self._outbox = outbox
        self._points = points
        self._committed = committed

    def write(self, facts: Iterable[Fact], via: Via, *, resend: bool = False) -> Written:
        """Write what differs, in the order of the facts. `resend`: say it even where it does not (a baseline)."""
        written = Written()

        def apply() -> None:
            for fact in facts:
                self._apply(fact, via, resend, written)

        self.say(apply)
        return written

    def say(self, statements: Callable[[], None]) -> None:
        """Run statements on index and outbox as one transaction."""
        with self._db.transaction():
            self._outbox.begin()
            statements()
            self._outbox.end()
        self._points("after_journal_commit")
        self._committed()

    def _apply(self, fact: Fact, via: Via, resend: bool, written: Written) -> None:
        match fact:
            case There(path, state, print_):
                self._there(path, state, print_, via, resend, written)
            case Gone(path, cause):
                known = self._index.get(path)
                if known is not None:
                    self._gone(known, via if cause is None else Via(via.origin, via.scan, cause), written)
            case Carried():
                self._carried(fact, via, resend, written)
            case _:
                assert_never(fact)

    def _there(
        self, path: str, state: FileState, print_: Print | None, via: Via, resend: bool, written: Written
    ) -> None:
        known = self._index.get(path)
        if known is not None and not resend and is_unidentified(known.state) and _same(known, state, print_):
            self._index.put(path, state, known.xxh3)  # at another place it has another identity: nothing to say
            known = Known(path, state, known.xxh3)
        xxh3 = None if known is None else known.xxh3
        if resend or known is None or is_unidentified(known.state) or differs(known.state, state):
            if known is not None and known.state.type == "dir" and state.type != "dir":
                self._empty(path, via, written)
            self._outbox.observed(path, state, via)
            self._index.put(path, state, None)
            self._count_there(known, state, path, written)
            xxh3 = None
        if print_ is not None and print_.of(state) and print_.xxh3 != xxh3:
            self._outbox.fingerprint(path, print_)
            self._index.set_xxh3(path, print_.xxh3)

    @staticmethod
    def _count_there(known: Known | None, state: FileState, path: str, written: Written) -> None:
        written.there += 1
        if known is None:
            written.added += 1
        elif is_unidentified(known.state) or differs(known.state, state):
            written.changed += 1
        if state.type == "dir" and (known is None or differs(known.state, state)):
            written.opened.append(path)

    def _gone(self, known: Known, via: Via, written: Written) -> None:
        if known.state.type == "dir":
            self._empty(known.path, via, written)
        self._outbox.observed(known.path, None, via)
        self._index.remove(known.path)
        written.gone += 1

    def _empty(self, directory: str, via: Via, written: Written) -> None:
        for inner in self._index.below(directory):
            self._outbox.observed(inner.path, None, via)
            self._index.remove(inner.path)
            written.gone += 1

    def _carried(self, fact: Carried, via: Via, resend: bool, written: Written) -> None:
        known = self._index.get(fact.source)
        state = fact.state
        if known is not None and state is not None and same_node(known.state, state):
            self._move(known, fact.path, state, via, written)
        elif known is not None and (fact.trusted or fact.left is None or not same_node(known.state, fact.left)):
            # it is not where it was, and no longer where the kernel says it went: it has been moved on, or deleted,
            # and that will be told next; without its name in between it would lose its identity
            self._move(known, fact.path, known.state, via, written)
        elif state is not None:
            self._there(fact.path, state, None, via, resend, written)

    def _move(self, known: Known, path: str, state: FileState, via: Via, written: Written) -> None:
        replaced = self._index.get(path)
        if replaced is not None and replaced.state.type == "dir":
            self._empty(path, via, written)  # a rename replaces only an empty directory
        self._outbox.moved(known.path, path, state, via)
        self._index.remove(known.path)
        self._index.put(path, state, None if differs(known.state, state) else known.xxh3)
        if state.type == "dir":
            self._index.move_below(known.path, path)
            written.opened.append(path)
        written.moved += 1
        written.there += 1


def _same(known: Known, state: FileState, print_: Print | None) -> bool:
    """True when what is there is what was known, whatever its identity; the content is compared where it was read."""
    return not differs(known.state, state) and (print_ is None or known.xxh3 in (None, print_.xxh3))
