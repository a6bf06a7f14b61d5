"""Roots and their epochs: which records of producers are accepted.

An epoch is adopted by `root_declared` in log order, unless one of a higher term has been adopted: a producer that lost a
root while it was stopped or disconnected cannot take it back with records that were still unsent. Records of another epoch,
of a root never declared, or whose `seq` does not rise (resent) are dropped and counted; a jump of `seq` is a gap and is
published. This applies only to producers' records.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.identity import same_root
from schemas.paths import is_inside
from schemas.raw import GapClosed, GapOpen, ProducerRecord, RootDeclared
from streams.core.rules import Rules, Windows
from streams.core.state import ReportedGap, Root, State


@dataclass(frozen=True, slots=True)
class Jump:
    """The range of sequence numbers that never arrived."""

    first: int
    last: int


class Roots:
    """All roots of a lane."""

    def __init__(self, state: State, rules: Rules) -> None:
        self._state = state
        self._roots = state.roots
        self._dropped = state.dropped
        self._rules = rules

    def admit(self, record: ProducerRecord, library: str) -> tuple[Root, Jump | None] | None:
        """The record's root, with the jump before it; None when the record is dropped."""
        root = self._roots.get(record.root)
        if isinstance(record, RootDeclared):
            if record.library != library or (root is not None and root.library != library):
                self._dropped["other_library"] += 1
                return None
            if root is None or root.epoch != record.epoch:
                if root is not None and record.term < root.term:
                    self._dropped["other_epoch"] += 1
                    return None
                if root is not None and record.seq <= root.former.get(record.epoch, 0):
                    self._dropped["resent"] += 1
                    return None
                root = self._adopt(root, record)
        elif root is None or root.library != library:
            self._dropped["undeclared_root"] += 1
            return None
        if root.epoch != record.epoch:
            self._dropped["other_epoch"] += 1
            return None
        expected = root.last_seq + 1
        if record.seq < expected:
            self._dropped["resent"] += 1
            return None
        root.last_seq = record.seq
        if record.seq == expected:
            return root, None
        root.jumps += 1
        return root, Jump(expected, record.seq - 1)

    def declare(self, root: Root, record: RootDeclared) -> None:
        """Apply the declared settings."""
        root.site, root.protocol, root.location = record.site, record.protocol, record.location
        root.term = max(root.term, record.term)
        debounce = max(record.debounce_ms, 0)
        longest = max(record.max_hold_ms, debounce, 1)  # time must pass before a hold begins again
        root.windows = Windows(debounce, longest, max(record.rename_window_ms, 0))
        if record.identity is not None:
            root.identity = record.identity

    @staticmethod
    def gap_open(root: Root, record: GapOpen) -> None:
        """A gap is open; its producer closes it, unless its epoch ends before."""
        gap = ReportedGap(record.subtree, record.cause)
        if gap not in root.gaps:
            root.gaps.append(gap)

    @staticmethod
    def gap_closed(root: Root, record: GapClosed) -> None:
        """A gap is closed, and with it the gaps of the same cause below it."""
        root.gaps = [g for g in root.gaps if g.cause != record.cause or not is_inside(g.subtree, record.subtree)]

    def _adopt(self, before: Root | None, record: RootDeclared) -> Root:
        root = Root(
            record.root, record.library, record.epoch, record.site, record.protocol, record.location,
            record.identity, self._rules.windows, term=record.term,
        )  # fmt: skip
        if before is not None:
            root.former = before.former | ({before.epoch: before.last_seq} if before.epoch else {})
            root.last_seq = root.former.pop(record.epoch, 0)
            root.jumps = before.jumps
            root.batch = before.batch
            root.left_gaps = before.left_gaps + [gap for gap in before.gaps if gap not in before.left_gaps]
            for number, tally in enumerate(before.scans.values(), 1):
                self._state.tallies[tally].number = -number  # numbers are unique only within an epoch
                root.scans[-number] = tally
            root.same_identity = before.identity is None or (
                record.identity is not None and same_root(before.identity, record.identity)
            )
        self._roots[record.root] = root
        return root
