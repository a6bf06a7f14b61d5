"""Pending alerts: which targets have not settled which alert, and how far the group is. Pure.

Each target gets alerts in order and at its own pace. The group's offset stays before the first alert that is not
settled; the offset's metadata contains how far each target is beyond that, so that after a restart a fast target does
not get again alerts that are only waiting for another target. Of an unsettled alert nothing is kept but its offset:
delivery starts again.
"""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from streams.alerts.attempts import Outgoing
from streams.guard import Received

_EPOCH = "epoch"
MAX_METADATA = 4_000
"""Characters; a broker rejects more than 4,096 bytes (`offset.metadata.max.bytes`)."""


@dataclass(slots=True)
class Pending:
    """A pending alert. `left`: targets that have not settled it; `failed`: by target, its last answer; `poison`: why
    the record is not a valid alert."""

    record: Received
    outgoing: Outgoing | None
    left: set[str]
    failed: dict[str, str] = field(default_factory=dict)
    poison: Exception | None = None

    def settled(self, target: str, failure: str | None = None) -> None:
        """A target has accepted the alert, or has finally refused it."""
        if failure is not None:
            self.failed[target] = failure
        self.left.discard(target)

    def taken_by(self, target: str) -> bool:
        """Whether that target has settled it."""
        return target not in self.left and target not in self.failed


class Line:
    """All pending alerts, in order. `begin`: the next offset of the group; `reached`: the next offset of each target
    that is beyond that."""

    def __init__(self, targets: Iterable[str], begin: int, reached: Mapping[str, int]) -> None:
        self._targets = tuple(targets)
        self._reached = dict(reached)
        self._alerts: deque[Pending] = deque()
        self._read_to = begin

    def __len__(self) -> int:
        return len(self._alerts)

    def takes(self, target: str, offset: int) -> bool:
        """Whether a target has not settled the alert at this offset."""
        return offset >= self._reached.get(_short(target), 0)

    def add(self, alert: Pending) -> None:
        """Add an alert."""
        self._alerts.append(alert)

    def read_to(self, offset: int) -> None:
        """All alerts before this offset have been added; the log may end with entries that readers never receive."""
        self._read_to = offset

    @property
    def next_offset(self) -> int:
        """The group's next offset: all alerts before it are settled."""
        return self._alerts[0].record.offset if self._alerts else self._read_to

    @property
    def first_settled(self) -> Pending | None:
        """The first alert, if all its targets have settled it."""
        return self._alerts[0] if self._alerts and not self._alerts[0].left else None

    def leave_first(self) -> None:
        """Remove the first alert, which is settled."""
        self._alerts.popleft()

    def metadata(self, epoch: str) -> str:
        """The topic's epoch, and how far each target is beyond the next offset."""
        found: dict[str, int | str] = {_EPOCH: epoch}
        for target in self._targets:
            first = next((a.record.offset for a in self._alerts if not a.taken_by(target)), None)
            place = max(self._read_to, self._reached.get(_short(target), 0)) if first is None else first
            if place > self.next_offset:
                found[_short(target)] = place
        text = json.dumps(found, separators=(",", ":"))
        return text if len(text) <= MAX_METADATA else json.dumps({_EPOCH: epoch})


def read_metadata(text: str) -> tuple[str | None, dict[str, int]]:
    """Parse this metadata: the epoch, and how far each target is; (None, {}) for metadata that is not ours."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return None, {}
    if not isinstance(found, dict):
        return None, {}
    epoch = found.pop(_EPOCH, None)
    reached = {name: place for name, place in found.items() if isinstance(place, int)}
    return epoch if isinstance(epoch, str) and epoch else None, reached


def _short(target: str) -> str:
    """A target's name for the metadata, where there is little room."""
    return f"{zlib.crc32(target.encode()):08x}"
