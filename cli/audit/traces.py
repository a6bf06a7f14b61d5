"""Finds the last records that name certain paths, to show where a difference comes from. Pure.

This takes a second pass over a lane, made only if there is something to explain: to remember the last record of every path
that was ever deleted would take more memory than all present paths together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.errors import SchemaError
from schemas.log_record import LogRecord
from schemas.raw import Moved, Observed
from streams.core import intake
from streams.core.rules import NEWEST, RULES


@dataclass(frozen=True, slots=True)
class LastRecord:
    """A record's offset, append time (ms), kind and cause."""

    offset: int
    at: int
    kind: str
    cause: str | None


class Traces:
    """Traces root paths, and the directories above them."""

    def __init__(self, wanted: Iterable[tuple[str, str]]) -> None:
        self._last: dict[tuple[str, str], LastRecord | None] = {}
        for root, path in wanted:
            for above in _and_above(path):
                self._last.setdefault((root, above), None)

    def read(self, log: LogRecord) -> None:
        """Process the next record of the log."""
        try:
            record = intake.read(RULES[NEWEST], log.value, log.headers)
        except SchemaError:
            return
        if not isinstance(record, Observed | Moved):
            return
        kind = "moved" if isinstance(record, Moved) else "observed" if record.file is not None else "gone"
        for path in (record.path, record.from_path) if isinstance(record, Moved) else (record.path,):
            if (record.root, path) in self._last:
                self._last[record.root, path] = LastRecord(log.offset, log.timestamp, kind, record.cause)

    def of(self, root: str, path: str) -> LastRecord | None:
        """The last record that names the path, or else the nearest directory above it."""
        return next(filter(None, (self._last.get((root, above)) for above in _and_above(path))), None)

    def last_at(self, root: str, path: str) -> int:
        """Append time of the last record about the path or a directory above it (ms); 0: there is none."""
        records = (self._last.get((root, above)) for above in _and_above(path))
        return max((record.at for record in records if record is not None), default=0)


def _and_above(path: str) -> Iterable[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
