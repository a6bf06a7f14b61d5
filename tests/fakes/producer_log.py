"""A log in memory behind the producer's port `Log`; a test may make it unavailable, before or after it has appended
records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from producer.errors import NotAcknowledged
from producer.ports import Outgoing

SendFault = Literal["before", "half", "after"]


class FakeLog:
    """`records`: per lane, what was appended. `faults`: what happens to the next appends, one each."""

    def __init__(self) -> None:
        self.records: dict[int, list[tuple[bytes, Outgoing]]] = {}
        self.faults: list[SendFault | None] = []

    async def append(self, lane: int, key: bytes, records: Sequence[Outgoing]) -> None:
        """See the port."""
        fault = self.faults.pop(0) if self.faults else None
        taken = {"before": 0, "half": len(records) // 2}.get(fault or "", len(records))
        self.records.setdefault(lane, []).extend((key, record) for record in records[:taken])
        if fault is not None:
            raise NotAcknowledged(fault)
