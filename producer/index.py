"""The index: exactly what was last written to the outbox of each path. The difference between index and tree is what
remains to be recorded.

Paths are stored as (parent, name) in bytes: a directory's entries are one range of the key, and everything below it two.
All changes happen inside the caller's transaction. New entries are written together at its end, or before anything but a
single path is queried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import cast

from producer.core.diff import UNIDENTIFIED
from producer.core.facts import IndexEntry
from producer.database import WITHOUT_MD5, Database
from schemas.raw import FileState, FileType

_SELECT = "SELECT parent, name, type, size, mtime_ns, dev, inode, nlink, xxh3, ctime_ns, md5 FROM entry WHERE "
_WITHOUT_MD5 = f"{_SELECT} {WITHOUT_MD5} AND (parent, name) > (?, ?) ORDER BY parent, name LIMIT ?"
_ANY = "SELECT 1 FROM entry WHERE parent = ? LIMIT 1"
_PUT = (
    "INSERT OR REPLACE INTO entry (parent, name, type, size, mtime_ns, dev, inode, nlink, xxh3, ctime_ns, md5)"
    " VALUES"
)
_BELOW = "(parent = ? OR (parent >= ? AND parent < ?))"
_COUNT = f"SELECT count(*) FROM entry WHERE {_BELOW}"  # noqa: S608 - constants
_MOVE = f"UPDATE entry SET parent = CAST(? || substr(parent, ?) AS BLOB) WHERE {_BELOW}"  # noqa: S608 - constants
_SIGN = 1 << 63
Row = tuple[bytes, bytes, str, int, int, int, int, int, str | None, int, str | None]


class Index:
    """The table `entry`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._directories: set[str] = set()
        self._put: dict[tuple[bytes, bytes], Row] = {}
        self._in_table: dict[bytes, bool] = {}
        """Whether the table has anything below a directory, for the directories queried in this transaction."""

    @contextmanager
    def writing(self) -> Iterator[None]:
        """For a transaction, which ends with it. After a rollback nothing has changed here either."""
        self._forget()
        try:
            yield
            self._write()
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        self._directories.clear()
        self._put.clear()
        self._in_table.clear()

    def _write(self) -> None:
        if self._put:
            self._db.insert(_PUT, [*self._put.values()])
            self._in_table.clear()
            self._put.clear()

    def _has_rows(self, parent: bytes) -> bool:
        """False where the table has nothing in this directory: a new tree is queried for each of its files."""
        found = self._in_table.get(parent)
        if found is None:
            found = self._db.execute(_ANY, (parent,)).fetchone() is not None
            self._in_table[parent] = found
        return found

    def get(self, path: str) -> IndexEntry | None:
        """What is known of a path."""
        key = _split(path)
        row = self._put.get(key)
        if row is None and self._has_rows(key[0]):
            row = self._db.execute(_SELECT + "parent = ? AND name = ?", key).fetchone()
        return None if row is None else _known(row)

    def children(self, directory: str) -> dict[str, IndexEntry]:
        """What is known of a directory's entries, by name."""
        self._write()
        rows = self._db.execute(_SELECT + "parent = ?", (_bytes(directory),))
        return {_text(row[1]): _known(row) for row in rows}

    def below(self, directory: str) -> Iterator[IndexEntry]:
        """Everything known below a directory, itself not, children before their parents."""
        self._write()
        rows = self._db.execute(_SELECT + _BELOW, _range(directory)).fetchall()
        rows.sort(key=lambda row: row[0].count(b"/") + bool(row[0]), reverse=True)
        return map(_known, rows)

    def count(self, directory: str = "") -> int:
        """How many paths are known below a directory."""
        self._write()
        row = self._db.execute(_COUNT, _range(directory)).fetchone()
        return int(row[0])

    def by_inode(self, state: FileState) -> list[IndexEntry]:
        """Known paths with the inode number."""
        self._write()
        rows = self._db.execute(_SELECT + "inode = ?", (_signed(state.inode),))
        return [_known(row) for row in rows]

    def unused_beside(self, path: str) -> str:
        """A name in the same directory that no known entry has: while a swap is recorded, one of both is there for a
        moment."""
        parent = path.rpartition("/")[0]
        names = (f"{parent}/.~{number}" if parent else f".~{number}" for number in count(1))
        return next(name for name in names if self.get(name) is None)

    def orphans(self) -> list[str]:
        """Known paths whose parent is not known: a walk of the tree does not reach them."""
        self._write()
        parents = [_text(row[0]) for row in self._db.execute("SELECT DISTINCT parent FROM entry")]
        lost = [parent for parent in parents if parent and not self._is_directory(parent)]
        return [entry.path for parent in lost for entry in self.children(parent).values()]

    def _is_directory(self, path: str) -> bool:
        known = self.get(path)
        return known is not None and known.state.type == "dir"

    def without_md5(self, after: str | None, count: int) -> list[IndexEntry]:
        """Up to `count` known files that are to be read as a whole, after a path (None: the first), in the order of the
        index."""
        self._write()
        behind = (b"", b"") if after is None else _split(after)
        return [_known(row) for row in self._db.execute(_WITHOUT_MD5, (*behind, count))]

    def has_directory(self, path: str) -> bool:
        """As `get`, but cached within a transaction, because it is called for every file. The root always exists."""
        if path not in self._directories and path and not self._is_directory(path):
            return False
        self._directories.add(path)
        return True

    def put(self, path: str, state: FileState, xxh3: str | None, md5: str | None = None) -> None:
        """Store the state of a path."""
        if state.type != "dir":
            self._directories.discard(path)
        parent, name = key = _split(path)
        self._put[key] = (
            parent, name, state.type, state.size, state.mtime_ns, _signed(state.dev), _signed(state.inode), state.nlink,
            xxh3, state.ctime_ns, md5,
        )  # fmt: skip

    def set_md5(self, path: str, md5: str) -> None:
        """Store the MD5 that was recorded for its content."""
        self._write()
        self._db.execute("UPDATE entry SET md5 = ? WHERE parent = ? AND name = ?", (md5, *_split(path)))

    def remove(self, path: str) -> None:
        """Remove the path."""
        self._directories.discard(path)
        key = _split(path)
        self._put.pop(key, None)
        self._db.execute("DELETE FROM entry WHERE parent = ? AND name = ?", key)

    def move_below(self, source: str, target: str) -> None:
        """Move everything below one directory to another one, below which nothing is known."""
        self._write()
        self._directories.clear()
        self._in_table.clear()
        before, after = _bytes(source), _bytes(target)
        self._db.execute(_MOVE, (after, len(before) + 1, *_range(source)))

    def forget_identities(self) -> None:
        """Keep only the content of each path: the root is the same tree at another place."""
        self._write()
        self._db.execute("UPDATE entry SET dev = 0, inode = ?", (UNIDENTIFIED,))

    def renumber(self, before: int, after: int) -> None:
        """Replace a device number: the file system was mounted again and has another one."""
        self._write()
        self._db.execute("UPDATE entry SET dev = ? WHERE dev = ?", (_signed(after), _signed(before)))


def _range(directory: str) -> tuple[bytes, bytes, bytes]:
    """The keys of all parents that are the directory or lie below it: `/` is followed by `0`."""
    if not directory:
        return b"", b"", b"\xff" * 8
    key = _bytes(directory)
    return key, key + b"/", key + b"0"


@lru_cache(maxsize=2)  # what is read is written next
def _split(path: str) -> tuple[bytes, bytes]:
    parent, _, name = _bytes(path).rpartition(b"/")
    return parent, name


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _known(row: Row) -> IndexEntry:
    parent, name, type_, size, mtime_ns, dev, inode, nlink, xxh3, ctime_ns, md5 = row
    path = _text(parent + b"/" + name if parent else name)
    state = FileState(cast(FileType, type_), size, mtime_ns, dev % (1 << 64), inode % (1 << 64), nlink, ctime_ns)
    return IndexEntry(path, state, xxh3, md5)


def _signed(number: int) -> int:
    """SQLite's integers are signed, the kernel's are not: two's complement."""
    return number - 2 * _SIGN if number >= _SIGN else number
