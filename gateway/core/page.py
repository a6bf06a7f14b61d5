"""One page of a channel's past: the partitions' records, merged by append time, up to a limit, and where to continue. Pure.

A page ends at its limit, or where a partition must be read further: nothing newer from another partition is returned before
that, so that consecutive pages are in the order of the log. Its events are the frames that sockets get, byte for byte; what
is skipped is reported as on a socket, as a `gap` beside the events.
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
"""Of a page; a single event may be larger."""

_GAP = b'{"type":"gap",'
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Source:
    """One partition: `next` is wanted next, before `end`; `records` are read and not returned yet, and `read_to` is the next
    offset after them."""

    next: int
    end: int
    records: deque[Framed] = field(default_factory=deque)
    read_to: int = 0

    @property
    def to_be_read(self) -> bool:
        """True if nothing is left of what was read, and it is not at its end."""
        return not self.records and self.next < self.end

    def supply(self, records: Iterable[Framed], read_to: int) -> None:
        """Take what was read from `next`."""
        self.records = deque(record for record in records if record[0] < self.end)
        self.read_to = min(read_to, self.end)
        if not self.records:
            self.next = self.read_to

    def take(self) -> Framed:
        """Return its next record."""
        record = self.records.popleft()
        self.next = next_offset(record[0]) if self.records else self.read_to
        return record


class Page:
    """A page that is being filled for `viewer` through `view`, with at most `limit` events."""

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
        """The partitions that must be read before the page can continue; none if it is complete or full."""
        return [] if self.full else [p for p, source in self.sources.items() if source.to_be_read]

    def fill(self) -> None:
        """Take what was read, the oldest record first, as long as it is certain which that is."""
        while not self.full and not self.wanted():
            oldest = [(source.records[0][1], p) for p, source in self.sources.items() if source.records]
            if not oldest:
                return
            self._take(self.sources[min(oldest)[1]])

    def _take(self, source: Source) -> None:
        _, _, payload, about = source.records[0]
        shown = self._view.shown([payload], [about], self._viewer.user_id)
        size = sum(map(len, shown))
        if shown and self._size and self._size + size > MAX_BYTES:
            self.full = True
            return
        source.take()
        self._size += size
        target = self.gaps if payload.startswith(_GAP) else self.events
        target += shown
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
    """The answer: the members of `subscribed` for its start, then the events unchanged, gaps, and the next page's start."""
    head = _encode(start)[:-1]
    complete = b"true" if page.complete else b"false"
    return b'%b,"events":[%b],"gaps":[%b],"next":%b,"complete":%b}' % (
        head, b",".join(page.events), b",".join(page.gaps), _encode(cursor), complete,
    )  # fmt: skip
