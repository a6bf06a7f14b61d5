"""What a client may send on an open WebSocket, limited in frames and bytes as well as in messages: frames without a
message (pings, pongs, empty fragments) cost as much to read as those with one.

Times are seconds on any monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.core.limits import Bucket

FRAMES_PER_SECOND = 100.0
FRAME_BURST = 400.0
CONTROL_PER_SECOND = 10.0
CONTROL_BURST = 60.0
"""Pings, pongs and closes."""

BYTES_PER_SECOND = 262_144.0
BYTE_BURST = 2_621_440.0
"""Forty messages of 64 KiB, the burst of messages (`core.limits`)."""

MAX_FRAGMENTS = 128
"""Fragments of one message."""


@dataclass(slots=True)
class FrameBudget:
    """The budget of one client, from the time `at`."""

    at: float
    frames: Bucket = field(init=False)
    control: Bucket = field(init=False)
    size: Bucket = field(init=False)

    def __post_init__(self) -> None:
        self.frames = Bucket(self.at, FRAMES_PER_SECOND, FRAME_BURST)
        self.control = Bucket(self.at, CONTROL_PER_SECOND, CONTROL_BURST)
        self.size = Bucket(self.at, BYTES_PER_SECOND, BYTE_BURST)

    def allows(self, now: float, *, size: int, frames: int, control: int, fragments: int) -> bool:
        """Spend what arrived: bytes, frames of any kind and the control frames among them; False if it is too much.
        `fragments`: those of the message that is arriving."""
        return (
            fragments <= MAX_FRAGMENTS
            and self.size.allows(now, size)
            and self.frames.allows(now, frames)
            and self.control.allows(now, control)
        )
