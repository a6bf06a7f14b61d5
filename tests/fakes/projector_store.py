"""The projector's store in memory: tables are dicts, rows are written by the same rules."""

from __future__ import annotations

from dataclasses import replace

from streams.projector.errors import RowsRefused
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.rows import LAWS, CoverGoneRow, GapClosedRow, Law, UpsertRow, grouped
from streams.projector.store import Batch

Cell = object
Record = dict[str, Cell]
Tables = dict[str, dict[tuple[Cell, ...], Record]]

DEFAULTS: dict[str, Record] = {
    "media_items": {"category": None, "year": None, "quality": None, "rating": None, "file_size": 0,
                    "cover_image": None, "deleted_at": None},
    "storage_roots": {"site": "", "protocol": "local", "location": "", "cause": None, "status": "healthy",
                      "message": None, "details": None, "status_at": None, "status_offset": -1},
    "scans": {"total": None, "counts": None, "started_at": None, "ended_at": None},
    "gaps": {"closed_at": None, "closed_offset": None, "counts": None},
}  # fmt: skip
"""The values of columns that a kind of row does not write."""

MAX_INT = 2**63 - 1


class FakeStore:
    """`tables` is what a dump of the database would show, without generated columns."""

    def __init__(self) -> None:
        self.tables: Tables = {}
        self.kept: dict[Partition, PartitionPosition] = {}
        self.empty()

    def empty(self) -> None:
        """Empty it."""
        self.tables = {law.table: {} for law in LAWS.values()}
        self.kept = {}

    async def positions(self) -> dict[Partition, PartitionPosition]:
        """All positions."""
        return dict(self.kept)

    async def begin(self, partition: Partition, position: PartitionPosition) -> None:
        """The first position stays."""
        self.kept.setdefault(partition, position)

    async def move(self, partition: Partition, expected: int, to: int) -> bool:
        """Compare and set."""
        position = self.kept.get(partition)
        if position is None or position.next_offset != expected:
            return False
        self.kept[partition] = replace(position, next_offset=to)
        return True

    async def apply(self, batch: Batch) -> bool:
        """All or nothing."""
        groups = grouped(batch.rows)
        for rows in groups.upserts.values():
            for row in rows.values():
                _check(row)
        if not await self.move(batch.partition, batch.expected, batch.next_offset):
            return False
        for kind, rows in groups.upserts.items():
            for row in rows.values():
                self._upsert(row, LAWS[kind])
        for closing in groups.gaps_closed:
            self._close_gaps(closing)
        for gone in groups.covers_gone:
            self._drop_cover(gone)
        return True

    async def close(self) -> None:
        """Nothing to close."""

    def _upsert(self, row: UpsertRow, law: Law) -> None:
        new: Record = {name: getattr(row, name) for name in row.__struct_fields__}
        key = tuple(new[column] for column in law.key)
        old = self.tables[law.table].get(key)
        if old is None:
            self.tables[law.table][key] = DEFAULTS.get(law.table, {}) | new
        elif _guard(old, law) <= _guard(new, law):
            columns = law.update or new.keys()
            self.tables[law.table][key] = old | {column: new[column] for column in columns}

    def _close_gaps(self, row: GapClosedRow) -> None:
        for key, gap in self.tables["gaps"].items():
            partition, offset, closed = gap["src_partition"], gap["src_offset"], gap["closed_offset"]
            assert isinstance(offset, int) and (closed is None or isinstance(closed, int))
            inside = row.subtree in ("", gap["subtree"]) or str(gap["subtree"]).startswith(row.subtree + "/")
            same = (gap["root"], gap["cause"], partition) == (row.root, row.cause, row.src_partition)
            if same and inside and offset < row.src_offset and (closed is None or closed >= row.src_offset):
                self.tables["gaps"][key] = gap | {
                    "closed_at": row.closed_at,
                    "counts": row.counts,
                    "closed_offset": row.src_offset,
                }

    def _drop_cover(self, row: CoverGoneRow) -> None:
        cover = self.tables["covers"].get((row.hash,))
        if cover is not None and _int(cover["src_offset"]) <= row.src_offset:
            del self.tables["covers"][(row.hash,)]


def _guard(record: Record, law: Law) -> tuple[int, ...]:
    return tuple(_int(record[column]) for column in law.guard)


def _int(cell: Cell) -> int:
    assert isinstance(cell, int)
    return cell


def _check(row: UpsertRow) -> None:
    for name in row.__struct_fields__:
        cell = getattr(row, name)
        if isinstance(cell, int) and abs(cell) > MAX_INT:
            raise RowsRefused(f"{name} out of range")
        if isinstance(cell, str) and "\0" in cell:
            raise RowsRefused(f"{name} has a NUL")
