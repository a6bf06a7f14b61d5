"""How long a process waits before it tries something again: few waits, all in this table, and how they grow.

What clients are told to wait, and how long something may take, is not a wait of ours and stands where it belongs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waits:
    """In seconds: doubled after each failure, from the first to the longest."""

    first: float
    longest: float

    def after(self, failures: int) -> float:
        """The wait after so many failures in a row, from 1."""
        return min(self.first * 2.0 ** min(failures - 1, 32), self.longest)


def always(seconds: float) -> Waits:
    """The same each time."""
    return Waits(seconds, seconds)


KAFKA = Waits(0.2, 5.0)
"""For Kafka: to send, to report, to read what operators ask."""

TOKENS = Waits(0.5, 10.0)
"""To ask for a token for Kafka again: every connection that is made wants one, from many clients at once."""

LEASES = Waits(0.2, 1.0)
"""To read who watches a root: a holder that is back later than others think is silent loses it."""

TAIL = Waits(0.2, 2.0)
"""To read the channels again: browsers wait."""

REPLAY = always(1.0)
"""To read the log for clients that replay it."""

PUBLISHER = always(2.0)
"""For a gateway's producer, which sends notifications and orders."""

POSITIONS = always(1.0)
"""To read where sessions stand, which other gateways tell."""

LANE = always(0.2)
"""To start a lane again, whose group has given it to somebody else meanwhile or not."""

COMMIT = always(0.5)
"""To commit again: the group is being shared out anew."""

PROJECTOR = Waits(0.1, 5.0)
"""For the projector's database and its positions."""

EVENT = Waits(0.25, 5.0)
"""To process an event again, before it is a dead letter."""

ALERT = Waits(1.0, 120.0)
"""To send an alert again to a target that does not take it: ten times in ten minutes."""

CHILD = always(1.0)
"""To start a probing child."""

SHARE = always(2.0)
"""To read a file of a share once more."""

ROOT = Waits(1.0, 60.0)
"""For a root whose thread failed: its state cannot be written, or the program is wrong."""

OUTBOX = always(0.5)
"""To look whether an outbox that is nearly full has room again."""

UNREACHABLE = Waits(1.0, 15.0)
"""To connect to a share's server that does not answer."""

REFUSED = Waits(5.0, 60.0)
"""To connect to one that says no: a NAS blocks an address after some ten tries in five minutes."""

COMPONENT = Waits(0.2, 10.0)
"""To start a component of `up` that ended."""

PROVISIONER = Waits(0.1, 1.0)
"""To provision topics while others do; by chance up to PROVISIONERS_APART_SECONDS more, or they would meet again."""

PROVISIONERS_APART_SECONDS = 0.2

COME_BACK_SECONDS = 5
"""The one that others are told: `Retry-After` of what is refused for now."""


class Backoff:
    """The waits of one thing that is tried again and again."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._failures = 0

    def next_seconds(self) -> float:
        """It failed: so long until it is tried again."""
        self._failures += 1
        return self._waits.after(self._failures)

    def reset(self) -> None:
        """It succeeded."""
        self._failures = 0
