"""Roots and their epochs: which records of producers count.

An epoch is adopted by `root_declared` in log order. Records of another epoch, of a root never declared, or
whose `seq` does not rise (resent) are dropped and counted; a jump of `seq` is a gap and is told. The rule is
for producers' records only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.raw import ProducerRecord, Protocol, RootDeclared, RootIdentity
from streams.core.settle import Windows
from streams.core.tally import Tally


@dataclass(slots=True)
class Root:
    """What the fold knows of a root. `scans`: by the producer's number, those not complete. `batch`: the account
    of jobs outside scans. `jumps`: of seq, not yet made up for. `same_identity`:
    as before the present epoch. `former`: earlier epochs and the last seq of each, so that a declaration sent
    again cannot bring one back."""

    name: str
    library: str
    epoch: str
    site: str
    protocol: Protocol
    location: str
    identity: RootIdentity | None
    windows: Windows
    last_seq: int = 0
    jumps: int = 0
    same_identity: bool = True
    scans: dict[int, Tally] = field(default_factory=dict)
    batch: Tally | None = None
    baseline: Tally | None = None
    former: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Jump:
    """The range of sequence numbers that never arrived."""

    first: int
    last: int


class Roots:
    """All roots of a lane."""

    def __init__(self) -> None:
        self._roots: dict[str, Root] = {}
        self.dropped: Counter[str] = Counter()

    def get(self, name: str) -> Root | None:
        """A declared root."""
        return self._roots.get(name)

    def of(self, name: str) -> Root:
        """The root of something pending: it has been declared. Raises KeyError otherwise."""
        return self._roots[name]

    def __iter__(self) -> Iterator[Root]:
        return iter(self._roots.values())

    def admit(self, record: ProducerRecord, library: str) -> tuple[Root, Jump | None] | None:
        """The record's root, with the jump before it; None when the record does not count."""
        root = self._roots.get(record.root)
        if isinstance(record, RootDeclared):
            if record.library != library or (root is not None and root.library != library):
                self.dropped["other_library"] += 1
                return None
            if root is None or root.epoch != record.epoch:
                if root is not None and record.seq <= root.former.get(record.epoch, 0):
                    self.dropped["resent"] += 1
                    return None
                root = self._adopt(root, record)
        elif root is None or root.library != library:
            self.dropped["undeclared_root"] += 1
            return None
        if root.epoch != record.epoch:
            self.dropped["other_epoch"] += 1
            return None
        expected = root.last_seq + 1
        if record.seq < expected:
            self.dropped["resent"] += 1
            return None
        root.last_seq = record.seq
        if record.seq == expected:
            return root, None
        root.jumps += 1
        return root, Jump(expected, record.seq - 1)

    def declare(self, root: Root, record: RootDeclared) -> None:
        """Take over the declared settings."""
        root.site, root.protocol, root.location = record.site, record.protocol, record.location
        debounce = max(record.debounce_ms, 0)
        longest = max(record.max_hold_ms, debounce, 1)  # time must pass before a hold begins anew
        root.windows = Windows(debounce, longest, max(record.rename_window_ms, 0))
        if record.identity is not None:
            root.identity = record.identity

    def _adopt(self, before: Root | None, record: RootDeclared) -> Root:
        root = Root(
            record.root, record.library, record.epoch, record.site, record.protocol, record.location,
            record.identity, Windows(),
        )  # fmt: skip
        if before is not None:
            root.former = before.former | {before.epoch: before.last_seq}
            root.last_seq = root.former.pop(record.epoch, 0)
            root.jumps = before.jumps
            root.batch = before.batch
            for number, tally in enumerate(before.scans.values(), 1):
                tally.number = -number  # numbers are unique per epoch only
                root.scans[tally.number] = tally
            root.same_identity = before.identity is None or before.identity == record.identity
        self._roots[record.root] = root
        return root
