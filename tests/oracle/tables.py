"""The tree according to PostgreSQL's rows: the tables of the catalogue, read in one snapshot by plain SQL."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field

import psycopg

from tests.oracle.model import Thing, Tree

_FILES = """SELECT root, path, path_b64, type, size, mtime_ns, media_id FROM media_files
    WHERE deleted_at IS NULL"""
_ITEMS = "SELECT id, storage_root, path, path_b64 FROM media_items WHERE deleted_at IS NULL"


@dataclass
class Rows:
    """`ids`: the item of each path; `items`: the path of each item; `twice`: paths with more than one row."""

    trees: dict[str, Tree] = field(default_factory=dict)
    ids: dict[tuple[str, bytes], int] = field(default_factory=dict)
    items: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)


class Tables:
    """A connection of its own."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def read(self) -> Rows:
        """The present rows."""
        rows = Rows()
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            files = self._connection.execute(_FILES).fetchall()
            items = self._connection.execute(_ITEMS).fetchall()
        for root, path, b64, kind, size, mtime_ns, media_id in files:
            exact, is_dir = _exact(path, b64), kind == "dir"
            tree = rows.trees.setdefault(root, {})
            rows.twice += [f"{root}/{path}"] if exact in tree else []
            tree[exact] = Thing(kind, 0 if is_dir else size, 0 if is_dir else mtime_ns, None)
            if media_id is not None:
                rows.ids[root, exact] = media_id
        for id_, root, path, b64 in items:
            place = root, _exact(path, b64)
            rows.twice += [f"item at {root}/{path}"] if place in rows.items.values() else []
            rows.items[id_] = place
        return rows

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()


def _exact(path: str, b64: str | None) -> bytes:
    return b64decode(b64) if b64 else path.encode()
