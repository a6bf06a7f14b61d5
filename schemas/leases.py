"""Which producer watches which root: claims and heartbeats (topic `catalog.leases.v1`).

A claim is valid when it follows the claim that was valid before it. The order of the log decides that, so all readers
agree, and of several producers that claim at once exactly one succeeds. Every claim has a key of its own and is kept; of
the heartbeats compaction keeps the last of each producer.
"""

from __future__ import annotations

from msgspec import Struct

from schemas.admin import Pause


class Claim(Struct, frozen=True, kw_only=True, tag_field="kind", tag="claim"):
    """A producer wants to watch `root`, as the one that follows the claim of term `after` (0: none). `term`: higher
    than any before it, also if this topic was recreated. `producer`: id of a state folder; `life`: id of one
    process."""

    root: str
    term: int
    after: int
    producer: str
    life: str
    host: str
    pid: int
    at: str


class Holding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A root that a producer holds the lease of. `commands_read`: how far the control topic was read for it; `paused`:
    what an operator has paused of it; the next holder must keep that pause."""

    term: int
    commands_read: int | None = None
    paused: Pause | None = None


class Beat(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="beat"):
    """Heartbeat: the producer is alive and holds these roots. Sent every 2 s while it holds any, or has released any.
    `left`: the roots that it has released, with the terms of their claims; `leaving`: it ends because it was asked to,
    and holds nothing from here on."""

    producer: str
    life: str
    host: str
    pid: int
    at: str
    roots: dict[str, Holding] = {}
    left: dict[str, int] = {}
    leaving: bool = False


LeaseRecord = Claim | Beat
