"""One root's persisted state: one SQLite file with the index (what was last recorded of each path), the outbox (records
that Kafka has not acknowledged yet), the scans to be finished, the commands that were carried out and a few single values,
changed only together.

WAL with `synchronous=FULL`: a transaction that was committed survives a power cut. The journal's thread is the only writer
except for the sender, which only deletes rows of the outbox that Kafka has acknowledged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from producer.ports import Points, no_points

BUSY_SECONDS = 30.0
"""The two writers wait for each other; neither keeps the lock while it accesses files or the network."""

ROWS = 64
"""Rows inserted by one statement. SQLite allows 32,766 values since 3.32, 999 before."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    parent BLOB NOT NULL, name BLOB NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    dev INTEGER NOT NULL, inode INTEGER NOT NULL, nlink INTEGER NOT NULL, xxh3 TEXT,
    ctime_ns INTEGER NOT NULL DEFAULT 0, md5 TEXT, PRIMARY KEY (parent, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_inode ON entry (inode);
CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS gap (id INTEGER PRIMARY KEY AUTOINCREMENT, cause TEXT NOT NULL, subtree BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS mount (path BLOB PRIMARY KEY, identity BLOB NOT NULL, lost INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scan (
    id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT UNIQUE, origin TEXT NOT NULL, cause TEXT NOT NULL,
    subtree BLOB NOT NULL, number INTEGER, added INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL DEFAULT 0,
    moved INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0, there INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS command (id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS value (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
"""

MD5_LIMIT = 100 * 1024 * 1024
"""Bytes; smaller files have an MD5. The source is the seed document: "MD5 of files under 100 MB"."""

WITHOUT_MD5 = f"type = 'file' AND md5 IS NULL AND xxh3 IS NOT NULL AND size < {MD5_LIMIT}"
"""Condition for an entry whose file is to be read as a whole."""

_WITHOUT_MD5_INDEX = f"CREATE INDEX IF NOT EXISTS entry_without_md5 ON entry (parent, name) WHERE {WITHOUT_MD5}"


class Database:
    """A connection. Used by one thread at a time."""

    def __init__(self, path: Path, *, durable: bool = True, points: Points = no_points) -> None:
        self.path = path
        self._points = points
        self._connection = sqlite3.connect(
            path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        self._connection.executescript(_SCHEMA)
        self.execute = self._connection.execute
        self.executemany = self._connection.executemany
        self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        """Add the MD5 column to a file of an older version."""
        if not self._has_md5():
            self.execute("BEGIN IMMEDIATE")
            if not self._has_md5():  # another connection may have been first
                self.execute("ALTER TABLE entry ADD COLUMN md5 TEXT")
            self.execute("COMMIT")
        self.execute(_WITHOUT_MD5_INDEX)

    def _has_md5(self) -> bool:
        return any(name == "md5" for _, name, *_ in self.execute("PRAGMA table_info(entry)"))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Immediate: a deferred one would fail where the sender deleted rows meanwhile."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._points("before_commit")
        except BaseException:
            if self._connection.in_transaction:  # SQLite has rolled back by itself when the disk is full
                self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")
        self._points("after_commit")

    def insert(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run `INSERT … VALUES` with these rows, many of them in one statement: with a statement for each it takes a third
        longer."""
        if not rows:
            return
        values = f"({', '.join('?' * len(rows[0]))})"
        whole = len(rows) - len(rows) % ROWS
        if whole:
            many = f"{statement} {', '.join([values] * ROWS)}"
            for at in range(0, whole, ROWS):
                self.execute(many, [*chain.from_iterable(rows[at : at + ROWS])])
        if whole < len(rows):
            self.executemany(f"{statement} {values}", rows[whole:])

    def get(self, key: str) -> str | None:
        """A single value."""
        row = self.execute("SELECT value FROM value WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Store a single value."""
        self.execute(
            "INSERT INTO value VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (key, value)
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def is_damaged(error: sqlite3.Error) -> bool:
    """True when the file itself is at fault, not the disk or the moment."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
