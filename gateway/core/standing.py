"""The state of a subscriber, as one table.

    HELD        a new socket: nothing is sent before its first answer (or its first second)
    HELD_FULL   the same, and its buffer is full
    BEHIND      served from memory or the log, at its own pace
    FULL        behind, and its buffer is full: nothing is sent until it drains
    LIVE        a member of an audience: its position is the end of memory
    ENDED       gone

So a live subscriber is neither held nor full, and only one that is behind is served: other combinations cannot occur.
"""

from __future__ import annotations

from enum import Enum, auto


class Standing(Enum):
    """One of the above."""

    HELD = auto()
    HELD_FULL = auto()
    BEHIND = auto()
    FULL = auto()
    LIVE = auto()
    ENDED = auto()

    @property
    def held(self) -> bool:
        """True before the first answer."""
        return self in (Standing.HELD, Standing.HELD_FULL)

    @property
    def full(self) -> bool:
        """True while its buffer is full."""
        return self in (Standing.HELD_FULL, Standing.FULL)


class Event(Enum):
    """What happens to a subscriber."""

    RELEASED = auto()
    """It has had its first answer, or its first second is over."""
    FILLED = auto()
    """Its buffer is full."""
    DRAINED = auto()
    """Its buffer has room again."""
    LEVELLED = auto()
    """Nothing more is due to it: it joins its audience."""
    MOVED = auto()
    """It subscribes or unsubscribes: it leaves its audience with positions of its own."""
    LEFT = auto()
    """It is gone."""


_NEXT: dict[Standing, dict[Event, Standing]] = {
    Standing.HELD: {
        Event.RELEASED: Standing.BEHIND,
        Event.FILLED: Standing.HELD_FULL,
        Event.DRAINED: Standing.HELD,
        Event.MOVED: Standing.HELD,
        Event.LEFT: Standing.ENDED,
    },
    Standing.HELD_FULL: {
        Event.RELEASED: Standing.FULL,
        Event.FILLED: Standing.HELD_FULL,
        Event.DRAINED: Standing.HELD,
        Event.MOVED: Standing.HELD_FULL,
        Event.LEFT: Standing.ENDED,
    },
    Standing.BEHIND: {
        Event.RELEASED: Standing.BEHIND,
        Event.FILLED: Standing.FULL,
        Event.DRAINED: Standing.BEHIND,
        Event.LEVELLED: Standing.LIVE,
        Event.MOVED: Standing.BEHIND,
        Event.LEFT: Standing.ENDED,
    },
    Standing.FULL: {
        Event.RELEASED: Standing.FULL,
        Event.FILLED: Standing.FULL,
        Event.DRAINED: Standing.BEHIND,
        Event.MOVED: Standing.FULL,
        Event.LEFT: Standing.ENDED,
    },
    Standing.LIVE: {
        Event.RELEASED: Standing.LIVE,
        Event.FILLED: Standing.FULL,
        Event.DRAINED: Standing.LIVE,
        Event.MOVED: Standing.BEHIND,
        Event.LEFT: Standing.ENDED,
    },
    Standing.ENDED: dict.fromkeys(Event, Standing.ENDED),
}
"""LEVELLED is missing for subscribers that are not served: it cannot happen."""


def after(standing: Standing, event: Event) -> Standing:
    """The state after `event`. Raises KeyError if the event cannot happen."""
    return _NEXT[standing][event]
