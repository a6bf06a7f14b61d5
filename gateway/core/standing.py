"""How a subscriber stands, as one table.

    HELD        a fresh socket: nothing goes out before its first answer (or its first second)
    HELD_FULL   the same, and its buffer is full
    BEHIND      served from memory or the log, at its own pace
    FULL        behind, and its buffer is full: nothing goes out until it drains
    LIVE        one of an audience: it stands where memory ends
    ENDED       gone

So who is live is neither held nor full, and only who is behind is served: no other combination can be said.
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
    """It had its first answer, or its first second."""
    FILLED = auto()
    """Its buffer is full."""
    DRAINED = auto()
    """Its buffer has room again."""
    LEVELLED = auto()
    """Nothing is due to it any more: it joins its audience."""
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
"""Not in it: LEVELLED of who is not served, which cannot happen."""


def after(standing: Standing, event: Event) -> Standing:
    """The standing after `event`. Raises KeyError for what cannot happen."""
    return _NEXT[standing][event]
