"""What the hub returns: what to write to whom, and what to look up in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.framing import Bundle
from gateway.core.memory import ChannelPartition
from gateway.core.subscriber import Subscriber, Subscription, Write


@dataclass(frozen=True, slots=True)
class Delivery:
    """The same bundles for each of `writes`: one write per subscriber."""

    bundles: tuple[Bundle, ...]
    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True)
class Pumped:
    """What to write to one subscriber, which reads of the log it needs (partition, next offset), and whether more
    is due at once."""

    payloads: Sequence[bytes] = ()
    needs: tuple[tuple[ChannelPartition, int], ...] = ()
    more: bool = False


NOTHING = Pumped()


@dataclass(frozen=True, slots=True)
class Ending:
    """A subscription that ends at the time `at` (ms), which has been reached."""

    subscriber: Subscriber
    channel: str
    subscription: Subscription
    at: int
