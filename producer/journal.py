"""Turns facts into records: each is compared with the index, and what differs is written to index and outbox in one
transaction, so that the index always is exactly what has been recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import assert_never

from msgspec import structs

from producer.core.diff import differs, is_unidentified, same_node
from producer.core.facts import Fact, Gone, IndexEntry, Moved, Print, Sums, Swapped, There
from producer.database import Database
from producer.index import Index
from producer.outbox import Outbox, Via
from producer.ports import Points
from schemas.paths import is_inside
from schemas.raw import FileState


@dataclass(slots=True)
class Written:
    """The result of writing facts. `opened`: directories that are new at their place, or may be, whose contents are not
    known yet; `unplaced`: directories to be listed because something was found below them whose parents are not known;
    `closed`: directories that no longer exist."""

    sums: Sums = field(default_factory=Sums)
    opened: list[str] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


class Journal:
    """The only writer of a root's index and outbox. Used by the root's thread only. Raises sqlite3.Error, and then
    nothing has been written. `committed` is called after each transaction; `records_md5`: record MD5s where known."""

    def __init__(
        self, database: Database, index: Index, outbox: Outbox, points: Points, committed: Callable[[], None],
        *, records_md5: bool = False,
    ) -> None:  # fmt: skip
        self._records_md5 = records_md5
        self._db = database
        self._index = index
        self._outbox = outbox
        self._points = points
        self._committed = committed

    def write(
        self, facts: Iterable[Fact], via: Via, *, resend: bool = False,
        also: Callable[[Sums], None] = lambda _: None,
    ) -> Written:  # fmt: skip
        """Write what differs, in the order of the facts. `resend`: write also what does not differ (a baseline).
        `also`: called with the sums inside the same transaction."""
        written = Written()

        def apply() -> None:
            for fact in facts:
                self._apply(fact, via, resend, written)
            also(written.sums)

        self.transact(apply)
        return written

    def transact(self, statements: Callable[[], None]) -> None:
        """Run statements on index and outbox as one transaction."""
        with self._db.transaction(), self._index.writing():
            self._outbox.begin()
            statements()
            self._outbox.end()
        self._points("after_journal_commit")
        self._committed()

    def _apply(self, fact: Fact, via: Via, resend: bool, written: Written) -> None:
        match fact:
            case There(path) | Moved(path=path) if (above := self._unknown_above(path)) is not None:
                written.unplaced.append(above)
            case There():
                self._there(fact, via, resend, written)
            case Gone(path, cause):
                known = self._index.get(path)
                if known is not None:
                    self._gone(known, via if cause is None else Via(via.origin, via.scan, cause), written)
            case Moved():
                self._moved(fact, via, resend, written)
            case Swapped():
                self._swapped(fact, via, resend, written)
            case _:
                assert_never(fact)

    def _unknown_above(self, path: str) -> str | None:
        """Where a directory above the path is not known, the nearest known one, which is to be listed; None where the
        parent is known. A path below an unknown directory would never be visited by a scan."""
        above = path.rpartition("/")[0]
        if self._index.has_directory(above):
            return None
        while not self._index.has_directory(above):
            above = above.rpartition("/")[0]
        return above

    def _there(self, fact: There, via: Via, resend: bool, written: Written) -> None:
        path, state, print_ = fact.path, fact.state, fact.print
        known = self._index.get(path)
        if known is not None and not resend and is_unidentified(known.state) and _same(known, state, print_):
            self._index.put(path, state, known.xxh3, known.md5)  # only its place differs: nothing to record
            known = IndexEntry(path, state, known.xxh3, known.md5)
        before = None if known is None else known.xxh3
        to_record = resend or known is None or is_unidentified(known.state) or differs(known.state, state)
        if to_record:
            if known is not None and known.state.type == "dir" and state.type != "dir":
                self._empty(path, via, written)
                written.closed.append(path)
            self._outbox.observed(path, state, via)
            self._count_there(known, state, path, written)
            before = None
        if fact.another and state.type == "dir":
            written.opened.append(path)
        xxh3 = before
        md5 = None if to_record or known is None else known.md5
        if print_ is not None and print_.of(state) and print_.xxh3 != before:
            if print_.md5 is not None and not self._records_md5:
                print_ = structs.replace(print_, md5=None)
            xxh3, md5 = print_.xxh3, print_.md5
            self._outbox.fingerprint(path, print_)
        if to_record or known is None or known.state.ctime_ns != state.ctime_ns or xxh3 != before:
            self._index.put(path, state, xxh3, md5)

    @staticmethod
    def _count_there(known: IndexEntry | None, state: FileState, path: str, written: Written) -> None:
        written.sums.there += 1
        if known is None:
            written.sums.added += 1
        elif is_unidentified(known.state) or differs(known.state, state):
            written.sums.changed += 1
        if state.type == "dir" and (known is None or differs(known.state, state)):
            written.opened.append(path)

    def _gone(self, known: IndexEntry, via: Via, written: Written) -> None:
        if known.state.type == "dir":
            self._empty(known.path, via, written)
            written.closed.append(known.path)
        self._outbox.observed(known.path, None, via)
        self._index.remove(known.path)
        written.sums.gone += 1

    def _empty(self, directory: str, via: Via, written: Written) -> None:
        for inner in self._index.below(directory):
            self._outbox.observed(inner.path, None, via)
            self._index.remove(inner.path)
            written.sums.gone += 1

    def _moved(self, fact: Moved, via: Via, resend: bool, written: Written) -> None:
        # a directory's content that took the directory's place is not recorded as a move: no path can be below itself
        known = None if is_inside(fact.source, fact.path) else self._index.get(fact.source)
        state = fact.state
        if known is not None and state is not None and _is_it(known.state, state, exactly=fact.fresh):
            self._move(known, fact.path, state, via, written)
        elif known is not None and not fact.fresh and (fact.left is None or not same_node(known.state, fact.left)):
            # it is neither where it was nor where the kernel reported it: it was moved on, or deleted, and that event
            # follows; without the name in between the record of it would lose its identity
            self._move(known, fact.path, known.state, via, written)
        elif state is not None:
            self._there(There(fact.path, state), via, resend, written)

    def _swapped(self, fact: Swapped, via: Via, resend: bool, written: Written) -> None:
        one, other = self._index.get(fact.one), self._index.get(fact.other)
        if not (
            one is not None and same_node(one.state, fact.at_other)
            and other is not None and same_node(other.state, fact.at_one)
        ):  # fmt: skip
            self._there(There(fact.one, fact.at_one), via, resend, written)
            self._there(There(fact.other, fact.at_other), via, resend, written)
            return
        aside = self._index.unused_beside(fact.one)
        self._move(one, aside, fact.at_other, via, written)
        gone_aside = self._index.get(aside)
        assert gone_aside is not None
        self._move(other, fact.one, fact.at_one, via, written)
        self._move(gone_aside, fact.other, fact.at_other, via, written)

    def _move(self, known: IndexEntry, path: str, state: FileState, via: Via, written: Written) -> None:
        replaced = self._index.get(path)
        if replaced is not None and replaced.state.type == "dir":
            self._empty(path, via, written)  # a rename replaces only an empty directory
        self._outbox.moved(known.path, path, state, via)
        self._index.remove(known.path)
        content = (None, None) if differs(known.state, state) else (known.xxh3, known.md5)
        self._index.put(path, state, *content)
        if state.type == "dir":
            self._index.move_below(known.path, path)
            written.opened.append(path)
        written.sums.moved += 1
        written.sums.there += 1


def _is_it(known: FileState, seen: FileState, *, exactly: bool) -> bool:
    """True when what is seen is what was known: the same inode and, where that may have been reused, the same size and
    time."""
    return same_node(known, seen) and not (exactly and differs(known, seen))


def _same(known: IndexEntry, state: FileState, print_: Print | None) -> bool:
    """True when what is there is what was known, whatever its identity; content is compared where it was read."""
    return not differs(known.state, state) and (print_ is None or known.xxh3 in (None, print_.xxh3))
