"""The index of known files: what the fold last said is at each path, found by place, identity or content.

It holds entries and answers; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from msgspec import Struct

from schemas.media import Analysis
from schemas.paths import is_inside
from schemas.raw import FileState, FileType

TINY = 64
"""Below this size (bytes) two files are taken for one only when their names are equal as well."""


class Place(Struct, frozen=True, gc=False):
    """A path in a root."""

    root: str
    path: str

    @property
    def name(self) -> str:
        """The last component."""
        return self.path.rpartition("/")[2]


class Entry(Struct, eq=False):
    """One known path. `media_id` is 0 for what is not a regular file; `job` the open analysis job's id.
    `gone`: settled as deleted and held for a rename; `mover`: the pending path that the kernel says it has gone
    to. Times in milliseconds."""

    library: str
    root: str
    path: str
    type: FileType
    size: int
    mtime_ns: int
    dev: int
    inode: int
    created_at: int
    fingerprint: str | None = None
    media_id: int = 0
    analysis: Analysis | None = None
    job: str | None = None
    gone: object | None = None
    mover: object | None = None

    @classmethod
    def seen(cls, library: str, place: Place, state: FileState, created_at: int) -> Entry:
        """What was seen at a place."""
        return cls(
            library, place.root, place.path, state.type, state.size, state.mtime_ns, state.dev, state.inode,
            created_at,
        )  # fmt: skip

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.root, self.path)

    @property
    def name(self) -> str:
        """The last component of its path."""
        return self.path.rpartition("/")[2]


def same_file(entry: Entry, state: FileState) -> bool:
    """True when the entry already says what was seen. Directories differ by type only; `dev` does not count,
    for a remount gives the same file system another number."""
    return entry.type == state.type and (
        state.type == "dir"
        or (entry.size == state.size and entry.mtime_ns == state.mtime_ns and entry.inode == state.inode)
    )


def same_identity(entry: Entry, state: FileState) -> bool:
    """(dev, inode, size, mtime_ns) agree. Inode alone never counts: file systems use it again at once."""
    return (
        entry.type == "file" == state.type
        and entry.inode == state.inode
        and entry.size == state.size
        and entry.mtime_ns == state.mtime_ns
        and entry.dev == state.dev
    )


T = TypeVar("T")


class Multi(dict[object, "T | list[T]"]):
    """A map with mostly one value per key: the value itself, or a list of several in order of arrival."""

    def put(self, key: object, value: T) -> None:
        """Add one value."""
        there = self.get(key)
        if there is None:
            self[key] = value
        elif isinstance(there, list):
            there.append(value)
        else:
            self[key] = [there, value]

    def drop(self, key: object, value: T) -> None:
        """Take one value away, if it is there."""
        there = self.get(key)
        if there is value:
            del self[key]
        elif isinstance(there, list) and value in there:
            there.remove(value)
            if len(there) == 1:
                self[key] = there[0]

    def all(self, key: object) -> Iterable[T]:
        """All values of a key."""
        there = self.get(key)
        if there is None:
            return ()
        return tuple(there) if isinstance(there, list) else (there,)


class Known:
    """All entries of a lane."""

    def __init__(self) -> None:
        self._roots: dict[str, dict[str, Entry]] = {}
        self._by_inode: Multi[Entry] = Multi()
        self._by_fingerprint: Multi[Entry] = Multi()

    def __len__(self) -> int:
        return sum(map(len, self._roots.values()))

    def get(self, place: Place) -> Entry | None:
        """The entry at a place."""
        paths = self._roots.get(place.root)
        return None if paths is None else paths.get(place.path)

    def add(self, entry: Entry) -> None:
        """Enter one at its place, which must be free."""
        self._roots.setdefault(entry.root, {})[entry.path] = entry
        if entry.type == "file":
            self._by_inode.put(entry.inode, entry)
            if entry.fingerprint is not None:
                self._by_fingerprint.put(entry.fingerprint, entry)

    def remove(self, entry: Entry) -> None:
        """Take one out."""
        del self._roots[entry.root][entry.path]
        if entry.type == "file":
            self._by_inode.drop(entry.inode, entry)
            if entry.fingerprint is not None:
                self._by_fingerprint.drop(entry.fingerprint, entry)

    def update(self, entry: Entry, state: FileState, fingerprint: str | None) -> None:
        """Take over what was seen at the entry's place. The old fingerprint stays only with the same content."""
        self._by_inode.drop(entry.inode, entry)
        unchanged = entry.size == state.size and entry.mtime_ns == state.mtime_ns and entry.inode == state.inode
        entry.size, entry.mtime_ns, entry.dev, entry.inode = state.size, state.mtime_ns, state.dev, state.inode
        if entry.type == "file":
            self._by_inode.put(entry.inode, entry)
            if fingerprint is not None or not unchanged:
                self.set_fingerprint(entry, fingerprint)

    def set_fingerprint(self, entry: Entry, fingerprint: str | None) -> None:
        """Set or take away the fingerprint."""
        if entry.fingerprint is not None:
            self._by_fingerprint.drop(entry.fingerprint, entry)
        entry.fingerprint = fingerprint
        if fingerprint is not None:
            self._by_fingerprint.put(fingerprint, entry)

    def move(self, entry: Entry, root: str, path: str) -> None:
        """Give an entry another place, which must be free."""
        del self._roots[entry.root][entry.path]
        entry.root, entry.path = root, path
        self._roots.setdefault(root, {})[path] = entry

    def like(self, library: str, place: Place, state: FileState, fingerprint: str | None) -> Iterator[Entry]:
        """Entries of the library, elsewhere, that may be the same file: same identity, or same content."""
        for entry in self._by_inode.all(state.inode):
            if same_identity(entry, state) and _may_pair(entry, library, place, state.size):
                yield entry
        if fingerprint is not None:
            for entry in self._by_fingerprint.all(fingerprint):
                if not same_identity(entry, state) and _may_pair(entry, library, place, state.size):
                    yield entry

    def below(self, root: str, directory: str) -> list[Entry]:
        """The entry of a directory and all below it, parents before children. Takes time by the root's size."""
        found = [e for path, e in self._roots.get(root, {}).items() if is_inside(path, directory)]
        return sorted(found, key=lambda entry: entry.path)

    def of_root(self, root: str) -> list[Entry]:
        """All entries of a root, in path order."""
        return self.below(root, "")


def _may_pair(entry: Entry, library: str, place: Place, size: int) -> bool:
    return (
        entry.library == library
        and entry.size == size
        and (entry.path != place.path or entry.root != place.root)
        and (size >= TINY or entry.name == place.name)
    )
