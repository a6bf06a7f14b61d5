"""One page of a channel's past: what the partitions hold, merged by append time, up to a bound, and where to go on. Pure.

A page ends at its bound, or where a partition must be read on: what another one has is not given before it, so that pages
follow each other in the order of the log. Its events are the frames that sockets get, byte for byte; what is skipped is
told as they are told it, as a `gap` beside the events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from gateway.core.about import Framed
from gateway.core.answers import Subscribed
from gateway.core.subscriber import Viewer
from gateway.core.view import View
from schemas.places import next_offset

MAX_BYTES = 4 * 1_048_576
"""Of a page, but one event."""

_GAP = b'{"type":"gap",'
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Source:
    """One partition: `next` is wanted next, before `end`; `records` are read and not given yet, and `read_to` is the next
    offset after them."""

    next: int
    end: int
    records: deque[Framed] = field(default_factory=deque)
    read_to: int = 0

    @property
    def to_be_read(self) -> bool:
        """True when nothing is left of what was read, and it is not at its end."""
        return not self.records and self.next < self.end

    def supply(self, records: Iterable[Framed], read_to: int) -> None:
        """Take what was read from `next` on."""
        self.records = deque(record for record in records if record[0] < self.end)
        self.read_to = min(read_to, self.end)
        if not self.records:
            self.next = self.read_to

    def take(self) -> Framed:
        """Its next record."""
        record = self.records.popleft()
        self.next = next_offset(record[0]) if self.records else self.read_to
        return record


class Page:
    """A page that is being filled. `view` and `viewer`: for whom; `limit`: events at most."""

    def __init__(self, sources: Mapping[int, Source], view: View, viewer: Viewer, limit: int) -> None:
        self.sources = sources
        self.events: list[bytes] = []
        self.gaps: list[bytes] = []
        self.full = False
        self._view = view
        self._viewer = viewer
        self._limit = limit
        self._size = 0

    def wanted(self) -> list[int]:
        """The partitions that must be read before it can go on; none when it is at its end or full."""
        return [] if self.full else [p for p, source in self.sources.items() if source.to_be_read]

    def fill(self) -> None:
        """Take what was read, the oldest first, as far as it can be told which that is."""
        while not self.full and not self.wanted():
            holding = [(source.records[0][1], p) for p, source in self.sources.items() if source.records]
            if not holding:
                return
            self._take(self.sources[min(holding)[1]])

    def _take(self, source: Source) -> None:
        _, _, payload, about = source.records[0]
        shown = self._view.shown([payload], [about], self._viewer.user_id)
        size = sum(map(len, shown))
        if shown and self._size and self._size + size > MAX_BYTES:
            self.full = True
            return
        source.take()
        self._size += size
        told = self.gaps if payload.startswith(_GAP) else self.events
        told += shown
        self.full = len(self.events) >= self._limit or len(self.gaps) >= self._limit

    @property
    def next_offsets(self) -> dict[int, int]:
        """Where the next page begins, by partition."""
        return {p: source.next for p, source in self.sources.items()}

    @property
    def complete(self) -> bool:
        """True when nothing is left before the end."""
        return all(source.next >= source.end for source in self.sources.values())


def encoded(page: Page, start: Subscribed, cursor: str) -> bytes:
    """The answer: what `subscribed` says of a start, then the events as they are, gaps, and where the next page begins."""
    head = _encode(start)[:-1]
    complete = b"true" if page.complete else b"false"
    return b'%b,"events":[%b],"gaps":[%b],"next":%b,"complete":%b}' % (
        head, b",".join(page.events), b",".join(page.gaps), _encode(cursor), complete,
    )  # fmt: skip
