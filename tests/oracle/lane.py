"""The change log of a library, in memory: folded as it is written, in simulated time."""

from __future__ import annotations

import json

from schemas.headers import raw_headers
from streams.core.fold import Fold
from tests.oracle.reader import Reader
from tests.support.producer_root import StandingClock

START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000


class Lane:
    """The change log of a library, folded as it is written, and the reader of its outputs."""

    def __init__(self, number: int, library: str, clock: StandingClock, reader: Reader) -> None:
        self.library = library
        self._clock = clock
        self._fold = Fold(number)
        self._offset = 0
        self._passed = 0
        self._reader = reader

    def write(self, value: bytes) -> None:
        """Append a record now."""
        now = START_MS + self._passed + round(self._clock.now * 1_000)
        kind = json.loads(value)["kind"]
        for output in self._fold.apply_bytes(self._offset, now, self.library.encode(), value, raw_headers(kind)):
            self._reader.read(output.topic.name, output.key.decode(), output.value)
        self._offset += 1

    def quiet(self) -> None:
        """Let time pass until nothing is due within an hour."""
        while (due := self._fold.next_due) is not None and due - self._fold.now < HOUR_MS:
            self._passed += max(1, due - self._fold.now)
            self.write(b'{"kind":"tick"}')
