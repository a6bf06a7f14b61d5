"""What the producer needs from outside beside file systems (`producer.backends`): the log, time, and named points at which
a test may end the process. Each has one real implementation and a fake that passes the same contract suite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Point = Literal[
    "before_commit",
    "after_commit",
    "after_journal_commit",
    "after_claim",
    "before_send",
    "after_send",
    "after_ack",
    "after_outbox_delete",
]
"""`before_commit`, `after_commit`: each transaction on a root's state, in any thread; `after_claim`: a claim to a root is in
the log of leases, and has not been read back."""

Points = Callable[[Point], None]


def no_points(_point: Point) -> None:
    """Nothing happens at any point."""


class Log(Protocol):
    """The log that the sender writes to."""

    async def append(self, lane: int, key: bytes, records: Sequence[Outgoing]) -> None:
        """Append in order and return when all are acknowledged. Raises NotAcknowledged: any number of the first ones may
        be in the log, so all are to be passed again."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row of the outbox: the bytes that are sent, each time the same."""

    seq: int
    kind: str
    value: bytes


class Clock(Protocol):
    """Time. `now_iso` is carried in records and decides nothing."""

    def monotonic(self) -> float: ...
    def now_iso(self) -> str: ...
