"""Checks sequence numbers: consecutive from 1 for each life of a producer's outbox, each once. Pure.

Every record of a producer is counted, whether the fold accepts it or not. A repeated number is a record that was sent again
and is ignored by its number. A skipped number is a record that nobody will ever read, because if it arrives later it is
taken for a repetition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from zlib import crc32

from cli.audit.findings import Hole, Repeated

REMEMBERED = 65_536
"""How many records of each outbox are remembered, to report the first offset of a repeated one. A producer repeats only what
was not acknowledged: far less than this."""


@dataclass(slots=True)
class _Hole:
    first: int
    last: int
    offset: int
    late: int = 0
    healed_at: int | None = None


@dataclass(slots=True)
class _Run:
    """Repeated records with consecutive numbers."""

    first: int
    last: int
    offset: int
    last_offset: int
    first_offset: int | None
    same: bool | None
    healed_at: int | None = None


@dataclass(slots=True)
class _Numbers:
    """The numbers of one outbox, which writes to one partition."""

    partition: int
    last: int = 0
    holes: list[_Hole] = field(default_factory=list)
    repeated: list[_Run] = field(default_factory=list)
    recent: dict[int, tuple[int, int]] = field(default_factory=dict)


class Contiguity:
    """The sequence numbers of one lane. Memory: its holes, its repetitions, and at most some 15 MB for each outbox."""

    def __init__(self) -> None:
        self._outboxes: dict[tuple[str, str], _Numbers] = {}

    def count(self, root: str, epoch: str, seq: int, partition: int, offset: int, value: bytes) -> None:
        """Count the next record of the log."""
        numbers = self._outboxes.get((root, epoch))
        if numbers is None:
            numbers = self._outboxes[root, epoch] = _Numbers(partition)
        if seq > numbers.last:
            if seq > numbers.last + 1:
                numbers.holes.append(_Hole(numbers.last + 1, seq - 1, offset))
            numbers.last = seq
        elif (hole := _hole_of(numbers, seq)) is not None and seq not in numbers.recent:
            hole.late += 1
        else:
            _again(numbers, seq, offset, value)
            return
        numbers.recent[seq] = offset, crc32(value)
        if len(numbers.recent) > REMEMBERED:
            del numbers.recent[next(iter(numbers.recent))]

    def heal(self, root: str, begun: int, ended: int) -> None:
        """A complete baseline of the root began and ended at these offsets: earlier holes are repaired."""
        for numbers in (numbers for (of, _), numbers in self._outboxes.items() if of == root):
            for found in chain[_Hole | _Run](numbers.holes, numbers.repeated):
                if found.healed_at is None and found.offset < begun:
                    found.healed_at = ended

    def findings(self) -> Iterator[Hole | Repeated]:
        """What was found, by root and outbox."""
        for (root, epoch), numbers in sorted(self._outboxes.items()):
            for hole in numbers.holes:
                yield Hole(
                    severity="fault" if hole.healed_at is None else "note", root=root, epoch=epoch,
                    first_seq=hole.first, last_seq=hole.last, partition=numbers.partition, offset=hole.offset,
                    late=hole.late, healed_at=hole.healed_at,
                )  # fmt: skip
            for run in numbers.repeated:
                other = run.same is False
                yield Repeated(
                    severity="fault" if other and run.healed_at is None else "note", root=root, epoch=epoch,
                    first_seq=run.first, last_seq=run.last, partition=numbers.partition, offset=run.offset,
                    last_offset=run.last_offset, first_offset=run.first_offset, same=run.same,
                    healed_at=run.healed_at if other else None,
                    why="two different records have one number" if other else "",
                )  # fmt: skip


def _hole_of(numbers: _Numbers, seq: int) -> _Hole | None:
    return next((hole for hole in numbers.holes if hole.first <= seq <= hole.last), None)


def _again(numbers: _Numbers, seq: int, offset: int, value: bytes) -> None:
    before = numbers.recent.get(seq)
    same = None if before is None else before[1] == crc32(value)
    run = numbers.repeated[-1] if numbers.repeated else None
    if run is not None and run.last + 1 == seq and run.same == same:
        run.last, run.last_offset = seq, offset
    else:
        numbers.repeated.append(_Run(seq, seq, offset, offset, None if before is None else before[0], same))
