"""A scan: the tree below a directory, listed and compared with the index, a step at a time.

Each directory is watched before it is listed, so that no change falls in between. What is there is recorded first, in the
order of the walk, parents before their contents. A file at a path where none or another one was known may have been
renamed: that is decided when the whole tree has been seen, and before anything else is recorded for these paths, because
what a file is decides where it came from, and not the order in which it is met. What is gone comes last, after a second
check. If so much is gone that it looks like a fault, it is withheld unless an earlier scan has found the same."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from producer.backends.interface import Tree, Watch
from producer.core.diff import GONE_SMALL, differs, is_unidentified, same_node, suspicious, tied
from producer.core.facts import Fact, Gone, IndexEntry, Moved, There
from producer.core.filters import Filters
from producer.errors import Unreadable
from producer.examine import other_names
from producer.index import Index
from producer.ports import Clock
from schemas.raw import FileState

STEP_SECONDS = 0.1
LONGEST_STEP_SECONDS = 0.3
"""Events wait for a scan no longer than this. Between the two limits a step ends only at the end of a directory, because
every difference that was listed in one step has to be checked again in the next."""

STEP_FACTS = 2_048
LOOKS_BETWEEN = 1_000
"""Entries of one directory after which a step may end, where none of them differs."""


class Scan:
    """One scan of `subtree`, or of the entries of `directories` alone and of everything below those of them that are new.
    `resend`: everything there is a fact, known or not, and nothing is a rename. `confirmed`: paths that an earlier scan has
    found gone and withheld. `is_lost`: true of paths for which nothing may be recorded. `alone`: it is of `directories`
    alone. `took`: the seconds of its steps. After the last step `withheld` has what this scan withheld. The facts of a step
    are to be written before the next one."""

    def __init__(
        self, index: Index, filters: Filters, watch: Watch | None, clock: Clock, *, subtree: str = "",
        resend: bool = False, confirmed: frozenset[str] = frozenset(),
        is_lost: Callable[[str], bool] = lambda _: False, directories: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        self._given = set(directories or ())
        self._index = index
        self._filters = filters
        self._watch = watch
        self._clock = clock
        self._confirmed = confirmed
        self._is_lost = is_lost
        self.alone = directories is not None
        self.subtree = subtree
        self.resend = resend
        self.done = False
        self.looked = 0
        self.took = 0.0
        self.unreadable: list[Unreadable] = []
        self.withheld: frozenset[str] = frozenset()
        self._directories = deque([subtree] if directories is None else directories)
        self._later: list[str] = []
        self._gone: list[str] = []
        self._steps = 0
        self._write_first = False
        self._tree: Tree | None = None
        self._facts = self._all()

    def step(self, tree: Tree) -> list[Fact]:
        """Continue for a while; returns the facts found. `done` once there are no more."""
        self._tree = tree
        self._steps += 1
        began = self._clock.monotonic()
        found: list[Fact] = []
        for fact in self._facts:
            if fact is not None:
                found.append(fact)
            if self._write_first:
                self._write_first = False
                return found
            most = STEP_SECONDS if fact is None else LONGEST_STEP_SECONDS
            if len(found) >= STEP_FACTS or self._clock.monotonic() >= began + most:
                return found
        self.done = True
        return found

    def take_in(self, directories: Sequence[str]) -> bool:
        """List these too; False where the scan has begun, or covers everything below its subtree anyway."""
        if self._steps or not self.alone:
            return False
        fresh = [path for path in directories if path not in self._given]
        self._given.update(fresh)
        self._directories.extend(fresh)
        return True

    @property
    def is_ahead(self) -> bool:
        """True while it has not begun, and will cover everything below its subtree."""
        return self._steps == 0 and not self.alone

    def _all(self) -> Iterator[Fact | None]:
        """Facts, and None after each directory, where a step may end."""
        while self._directories:
            while self._directories:
                yield from self._directory(self._directories.popleft())
                yield None
            yield from self._renamed()
        self._write_first = True  # what was renamed is not to be counted as gone
        yield None
        yield from self._missing()

    @property
    def _now(self) -> Tree:
        assert self._tree is not None
        return self._tree

    def _directory(self, path: str) -> Iterator[Fact | None]:
        if self._is_lost(path) or self._has_left(path):
            return
        if self._watch is not None:
            self._watch.add(path)
        try:
            listing = self._now.entries(path)
        except Unreadable as error:
            self.unreadable.append(error)
            return
        if listing is None:
            self._gone.append(path)
            return
        known = self._index.children(path)
        listed_at = self._steps
        for name, listed in listing:
            inner = f"{path}/{name}" if path else name
            is_fresh = self._steps == listed_at or self._is_unchanged(listed, known.get(name))
            state = listed if is_fresh else self._again(inner)
            if state is None or not self._filters.admits_child(inner, name, is_dir=state.type == "dir"):
                continue
            yield from self._entry(inner, state, known.pop(name, None))
            if self.looked % LOOKS_BETWEEN == 0:
                yield None
        self._gone.extend(entry.path for entry in known.values())

    def _is_unchanged(self, listed: FileState, known: IndexEntry | None) -> bool:
        """True where nothing would be recorded for the listed entry, however old the listing is by now."""
        if self.resend or known is None or is_unidentified(known.state) or differs(known.state, listed):
            return False
        return listed.type != "file" or not _is_unread(known, listed)

    def _has_left(self, path: str) -> bool:
        """True of a given directory that is no longer known: what is there now is in its parent's listing."""
        if path not in self._given:
            return False
        self._given.discard(path)
        return bool(path) and self._index.get(path) is None

    def _again(self, path: str) -> FileState | None:
        """Read the state again: events were handled since the listing, which may be older than them."""
        try:
            return self._now.stat(path)
        except Unreadable as error:
            self.unreadable.append(error)
            return None

    def _entry(self, path: str, state: FileState, known: IndexEntry | None) -> Sequence[Fact]:
        self.looked += 1
        if not self.resend and self._may_have_moved(known, state):
            self._later.append(path)
            return ()
        if state.type == "dir" and not (self.alone and known is not None and same_node(known.state, state)):
            self._directories.append(path)
        return self._differences(path, state, known)

    def _may_have_moved(self, known: IndexEntry | None, state: FileState) -> bool:
        """True where recording must wait for the renames: this file may have been moved here, or the known one away."""
        if known is None:
            return bool(tied(state, self._index.by_inode(state)))
        if known.state.type == state.type == "dir" or is_unidentified(known.state):
            return False
        return not same_node(known.state, state)

    def _differences(self, path: str, state: FileState, known: IndexEntry | None) -> Sequence[Fact]:
        is_changed = self.resend or known is None or is_unidentified(known.state) or differs(known.state, state)
        if state.type == "file" and (is_changed or _is_unread(known, state)):
            there = There(path, state, self._now.fingerprint(path, state))
            return (there,) if state.nlink < 2 else (there, *other_names(there, self._index, self._now))
        return (There(path, state),) if is_changed else ()

    def _renamed(self) -> Iterator[Fact | None]:
        later, self._later = self._later, []
        there = {path: state for path in later if (state := self._again(path)) is not None}
        yield from self._moves(there)
        for path in there:
            if (state := self._again(path)) is None:
                continue
            if state.type == "dir":
                self._directories.append(path)
            yield from self._differences(path, state, self._index.get(path))
            if self.looked % LOOKS_BETWEEN == 0:
                yield None

    def _moves(self, there: dict[str, FileState]) -> Iterator[Fact]:
        """Renames that leave no doubt, each before the one that takes its source's place."""
        sources = {path: self._sources(path, state) for path, state in there.items()}
        claims = Counter(source.path for found in sources.values() for source in found)
        moves = {
            path: found[0] for path, found in sources.items() if len(found) == 1 and claims[found[0].path] == 1
        }
        yield from in_order(moves, there, self._index.unused_beside)

    def _sources(self, path: str, state: FileState) -> list[IndexEntry]:
        return [
            known
            for known in tied(state, self._index.by_inode(state))
            if known.path != path and self._is_gone(known)
        ]

    def _is_gone(self, known: IndexEntry) -> bool:
        try:
            state = self._now.stat(known.path)
        except Unreadable:
            return False
        return state is None or not same_node(known.state, state)

    def _missing(self) -> Iterator[Fact]:
        lost = [] if self.subtree or self.alone else self._index.orphans()
        gone = [
            path for path in (*self._gone, *lost) if not self._is_lost(path) and self._index.get(path) is not None
        ]
        plain = [path for path in gone if self._admits(path)]
        doubted = [path for path in plain if path not in self._confirmed]
        missing = sum(1 + self._index.count(path) for path in doubted)
        if missing > GONE_SMALL and suspicious(
            missing, self._index.count()
        ):  # counting all that is known takes long
            self.withheld = frozenset(doubted)
        for path in gone:
            if path in self.withheld:
                continue
            if not self._admits(path):
                yield Gone(path, "excluded")
            elif self._is_nothing(path):
                yield Gone(path)

    def _admits(self, path: str) -> bool:
        known = self._index.get(path)
        return self._filters.admits(path, is_dir=known is not None and known.state.type == "dir")

    def _is_nothing(self, path: str) -> bool:
        try:
            return self._now.stat(path) is None
        except Unreadable as error:
            self.unreadable.append(error)
            return False


def _is_unread(known: IndexEntry | None, state: FileState) -> bool:
    """True where the content has never been read, or may have changed since although size and time have not."""
    return known is None or known.xxh3 is None or known.state.ctime_ns != state.ctime_ns


def in_order(
    moves: Mapping[str, IndexEntry], there: Mapping[str, FileState], unused_beside: Callable[[str], str]
) -> Iterator[Moved]:
    """The moves (known entries, by their present path) in an order in which none overwrites an entry that has still to
    move. In a cycle one is moved aside first, to a name that nothing has."""
    left = dict(moves)
    targets = {known.path: path for path, known in moves.items()}
    while left:
        path = next((path for path in left if path not in targets), None)
        if path is None:
            path = next(iter(left))
            aside = unused_beside(path)
            follower = targets.pop(path)
            yield Moved(path, aside, there[follower], moves[follower].state, fresh=True)
            left[follower] = IndexEntry(aside, there[follower])
            continue
        while (known := left.pop(path, None)) is not None:
            yield Moved(known.path, path, there[path], moves[path].state, fresh=True)
            targets.pop(known.path, None)
            path = known.path
