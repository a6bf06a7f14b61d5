"""The index of known files: what the fold last published at each path, found by place, identity or content.

It finds entries and keeps their indexes; it decides nothing.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator

from schemas.identity import same_content, same_identity
from schemas.raw import FileState
from streams.core import directories, ties
from streams.core.neighbours import Neighbours
from streams.core.rules import Rules
from streams.core.state import BY_ID, Entry, RootPath, State


class Known:
    """All entries of a lane."""

    def __init__(self, state: State, rules: Rules) -> None:
        self._state = state
        self._roots = state.known
        self._directories = state.directories
        self._by_inode = state.by_inode
        self._by_fingerprint = state.by_fingerprint
        self._rules = rules
        self.neighbours = None if rules.beside is None else Neighbours(state, rules, rules.beside)

    def __len__(self) -> int:
        return sum(map(len, self._roots.values()))

    def get(self, place: RootPath) -> Entry | None:
        """The entry at a place."""
        paths = self._roots.get(place.root)
        return None if paths is None else paths.get(place.path)

    def add(self, entry: Entry) -> None:
        """Add an entry at its place, which must be free."""
        self._roots.setdefault(entry.root, {})[entry.path] = entry
        directories.put(self._directories.setdefault(entry.root, {}), entry.path)
        self._entered(entry)
        if entry.media_id and self._state.by_age is not None:
            insort(self._state.by_age, entry, key=BY_ID)
        if entry.type == "file":
            self._by_inode.put(entry.inode, entry)
            if entry.fingerprint is not None:
                self._by_fingerprint.put(entry.fingerprint, entry)

    def remove(self, entry: Entry) -> None:
        """Remove an entry."""
        self._leaving(entry)
        del self._roots[entry.root][entry.path]
        directories.drop(self._directories[entry.root], entry.path, self._roots[entry.root])
        if entry.type == "file":
            self._by_inode.drop(entry.inode, entry)
            if entry.fingerprint is not None:
                self._by_fingerprint.drop(entry.fingerprint, entry)

    def update(self, entry: Entry, state: FileState, fingerprint: str | None) -> None:
        """Update the entry with what was observed at its place. The old fingerprint is kept only for the same
        content."""
        self._state.changing(entry)
        self._by_inode.drop(entry.inode, entry)
        unchanged = same_content(entry, state)
        entry.size, entry.mtime_ns, entry.dev, entry.inode = state.size, state.mtime_ns, state.dev, state.inode
        if entry.type == "file":
            self._by_inode.put(entry.inode, entry)
            if fingerprint is not None or not unchanged:
                self.set_fingerprint(entry, fingerprint)

    def set_fingerprint(self, entry: Entry, fingerprint: str | None) -> None:
        """Set or remove the fingerprint."""
        self._state.changing(entry)
        if entry.fingerprint is not None:
            self._by_fingerprint.drop(entry.fingerprint, entry)
        entry.fingerprint = fingerprint
        if fingerprint is not None:
            self._by_fingerprint.put(fingerprint, entry)

    def move(self, *moves: tuple[Entry, RootPath]) -> None:
        """Move entries to other places, which must be free, or be left by one of these entries."""
        for entry, _ in moves:
            self._leaving(entry)
            del self._roots[entry.root][entry.path]
            directories.drop(self._directories[entry.root], entry.path, self._roots[entry.root])
        for entry, place in moves:
            if self._state.movers:
                ties.entry_moved(self._state, entry.place, place)
            self._state.changing(entry)
            if entry.job is not None:
                job = self._state.jobs[entry.job]
                self._state.changing(job)
                job.place = place
            entry.root, entry.path = place.root, place.path
            self._roots.setdefault(place.root, {})[place.path] = entry
            directories.put(self._directories.setdefault(place.root, {}), place.path)
            self._entered(entry)

    def _entered(self, entry: Entry) -> None:
        if entry.media_id and self.neighbours is not None:
            self.neighbours.entered(entry)

    def _leaving(self, entry: Entry) -> None:
        if entry.media_id and self.neighbours is not None:
            self.neighbours.left(entry)

    def same(self, library: str, place: RootPath, state: FileState) -> Iterator[Entry]:
        """Entries of the library, elsewhere, that may be the same file by its identity."""
        for entry in self._by_inode.all(state.inode):
            if same_identity(entry, state) and may_pair(self._rules, entry, library, place, state.size):
                yield entry

    def alike(self, library: str, place: RootPath, state: FileState, fingerprint: str | None) -> Iterator[Entry]:
        """Entries of the library, elsewhere, of another identity that have the same fingerprint."""
        for entry in () if fingerprint is None else self._by_fingerprint.all(fingerprint):
            other = not same_identity(entry, state)
            if other and may_pair(self._rules, entry, library, place, state.size):
                yield entry

    def by_age(self) -> list[Entry]:
        """All items by media id, and perhaps some that are not known any more (`is_known`)."""
        if self._state.by_age is None:
            entries = (entry for paths in self._roots.values() for entry in paths.values() if entry.media_id)
            self._state.by_age = sorted(entries, key=BY_ID)
        return self._state.by_age

    def is_known(self, entry: Entry) -> bool:
        """Whether it is what is known at its place."""
        return self._roots[entry.root].get(entry.path) is entry

    def item(self, media_id: int, place: RootPath) -> Entry | None:
        """The known file of an item that was at `place` recently; if it is not there any more, all entries are
        searched."""
        there = self.get(place)
        if there is not None and there.media_id == media_id:
            return there
        entries = (entry for paths in self._roots.values() for entry in paths.values())
        return next((entry for entry in entries if entry.media_id == media_id), None)

    def below(self, root: str, directory: str) -> list[Entry]:
        """The entry of a directory and all below it, parents before directories."""
        paths = self._roots.get(root, {})
        found = directories.below(self._directories.get(root, {}), directory)
        return [paths[path] for path in sorted(found) if path in paths]


def may_pair(rules: Rules, entry: Entry, library: str, place: RootPath, size: int) -> bool:
    """Whether a file of that size at `place` may be the entry's, moved: another place of the same library, and not
    by a few bytes alone."""
    return (
        entry.library == library
        and entry.size == size
        and (entry.path != place.path or entry.root != place.root)
        and (size >= rules.tiny_bytes or entry.name == place.name)
    )
