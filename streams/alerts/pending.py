"""Alerts on their way: which of them is left for which target, and how far the group has come. Pure.

Each target takes alerts in their order and at its own pace. The group's offset stays before the first alert that is not
settled; how far each target is beyond that stands in the offset's metadata, so that after a restart a target that was quick
does not get again what another one has kept waiting. Of what a target has not taken nothing is kept but its place: it is
tried anew.
"""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from streams.alerts.attempts import Outgoing
from streams.guard import Received

MAX_METADATA = 4_000
"""Characters; a broker refuses more than 4,096 bytes (`offset.metadata.max.bytes`)."""


@dataclass(slots=True)
class Pending:
    """An alert on its way. `left`: targets that have not settled it; `failed`: by target, what it said at last; `poison`:
    why it is no alert."""

    record: Received
    outgoing: Outgoing | None
    left: set[str]
    failed: dict[str, str] = field(default_factory=dict)
    poison: Exception | None = None

    def settled(self, target: str, failure: str | None = None) -> None:
        """A target has taken it, or never will."""
        if failure is not None:
            self.failed[target] = failure
        self.left.discard(target)

    def taken_by(self, target: str) -> bool:
        """It needs nothing more of that target."""
        return target not in self.left and target not in self.failed


class Line:
    """All alerts on their way, in their order. `begin`: the next offset of the group; `reached`: of each target, where it is
    beyond that."""

    def __init__(self, targets: Iterable[str], begin: int, reached: Mapping[str, int]) -> None:
        self._targets = tuple(targets)
        self._reached = dict(reached)
        self._alerts: deque[Pending] = deque()
        self._read_to = begin

    def __len__(self) -> int:
        return len(self._alerts)

    def takes(self, target: str, offset: int) -> bool:
        """A target has not had the alert at this offset."""
        return offset >= self._reached.get(_short(target), 0)

    def add(self, alert: Pending) -> None:
        """One more has come."""
        self._alerts.append(alert)

    def read_to(self, offset: int) -> None:
        """All that there is before this offset has been added; at an end may stand what readers never see."""
        self._read_to = offset

    @property
    def next_offset(self) -> int:
        """Of the group: all before it is settled."""
        return self._alerts[0].record.offset if self._alerts else self._read_to

    @property
    def first_settled(self) -> Pending | None:
        """The first alert, where all its targets have settled it."""
        return self._alerts[0] if self._alerts and not self._alerts[0].left else None

    def leave_first(self) -> None:
        """The first alert needs nothing any more."""
        self._alerts.popleft()

    def metadata(self) -> str:
        """How far each target is beyond the next offset; empty where none is."""
        found: dict[str, int] = {}
        for target in self._targets:
            first = next((a.record.offset for a in self._alerts if not a.taken_by(target)), None)
            place = max(self._read_to, self._reached.get(_short(target), 0)) if first is None else first
            if place > self.next_offset:
                found[_short(target)] = place
        text = json.dumps(found, separators=(",", ":")) if found else ""
        return text if len(text) <= MAX_METADATA else ""


def read_metadata(text: str) -> dict[str, int]:
    """The same read back; nothing of what is not ours."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: place for name, place in found.items() if isinstance(place, int)}


def _short(target: str) -> str:
    """A target's name as it stands in metadata, where there is little room."""
    return f"{zlib.crc32(target.encode()):08x}"
