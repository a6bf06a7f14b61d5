"""How long a process waits before it retries something: all retry delays in one table, and how they grow.

Time-outs, and delays that clients are asked to observe, are defined where they are used.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waits:
    """A retry delay in seconds: doubled after each failure, from the first to the longest."""

    first: float
    longest: float

    def after(self, failures: int) -> float:
        """The wait after so many failures in a row, from 1."""
        return min(self.first * 2.0 ** min(failures - 1, 32), self.longest)


def always(seconds: float) -> Waits:
    """The same delay each time."""
    return Waits(seconds, seconds)


KAFKA = Waits(0.2, 5.0)
"""For Kafka: to send, to report, to read the operators' commands."""

TOKENS = Waits(0.5, 10.0)
"""To request a token for Kafka again: every new connection needs one, and many clients connect at once."""

LEASES = Waits(0.2, 1.0)
"""To read the leases of roots: an owner that reconnects only after others count it as silent loses its lease."""

TAIL = Waits(0.2, 2.0)
"""To read the channels again; short, because browsers wait."""

REPLAY = always(1.0)
"""To read the log for clients that replay it."""

PUBLISHER = always(2.0)
"""For a gateway's producer, which sends notifications and commands."""

POSITIONS = always(1.0)
"""To read the positions of sessions, which other gateways publish."""

LANE = always(0.2)
"""To start a lane again; the group may have assigned it to another worker meanwhile."""

COMMIT = always(0.5)
"""To commit again: the group is rebalancing."""

PROJECTOR = Waits(0.1, 5.0)
"""For the projector's database and its positions."""

EVENT = Waits(0.25, 5.0)
"""To process an event again, before it becomes a dead letter."""

ALERT = Waits(1.0, 120.0)
"""To send an alert again to a target that did not accept it: ten times in ten minutes."""

CHILD = always(1.0)
"""To start a probing child."""

SHARE = always(2.0)
"""To read a file of a share once more."""

ROOT = Waits(1.0, 60.0)
"""For a root whose thread failed: its state cannot be written, or the program is wrong."""

OUTBOX = always(0.5)
"""To check whether an outbox that is nearly full has room again."""

UNREACHABLE = Waits(1.0, 15.0)
"""To connect to a share's server that does not answer."""

REFUSED = Waits(5.0, 60.0)
"""To connect to one that refuses us: a NAS blocks an address after some ten attempts in five minutes."""

COMPONENT = Waits(0.2, 10.0)
"""To start a component of `up` that ended."""

PROVISIONER = Waits(0.1, 1.0)
"""To provision topics while others do; plus a random delay of up to PROVISIONERS_APART_SECONDS, so that they do not collide
again."""

PROVISIONERS_APART_SECONDS = 0.2

COME_BACK_SECONDS = 5
"""For clients: the `Retry-After` of a request that is rejected temporarily."""


class Backoff:
    """The delays of one thing that is retried again and again."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._failures = 0

    def next_seconds(self) -> float:
        """Count a failure; the delay until the next attempt."""
        self._failures += 1
        return self._waits.after(self._failures)

    def reset(self) -> None:
        """Call after success: the next delay is the first one."""
        self._failures = 0
