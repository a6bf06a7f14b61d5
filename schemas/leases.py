"""Which producer watches which root: claims and signs of life (topic `catalog.leases.v1`).

A claim is valid when it follows the one that was valid before it: that is decided by the order of the log, so all
who read it agree, and of several producers that claim at once exactly one succeeds. Claims have keys of their own and
stay; of the signs of life compaction keeps the last of each producer.
"""

from __future__ import annotations

from msgspec import Struct

from schemas.admin import Pause


class Claim(Struct, frozen=True, kw_only=True, tag_field="kind", tag="claim"):
    """A producer wants to watch `root`, as the one that follows the claim of term `after` (0: none). `term`: higher than
    any before it, also where this topic was made anew. `producer`: of a state folder; `life`: of one process."""

    root: str
    term: int
    after: int
    producer: str
    life: str
    host: str
    pid: int
    at: str


class Holding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A root that is held. `commands_read`: how far the control topic was read for it; `paused`: what an operator has paused
    of it, which whoever takes it over heeds too."""

    term: int
    commands_read: int | None = None
    paused: Pause | None = None


class Beat(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="beat"):
    """A producer lives and holds these roots; every 2 s while it holds any, or has let any go. `left`: those that it has let
    go, with the terms of their claims; `leaving`: it ends as it was asked to, and holds nothing from here on."""

    producer: str
    life: str
    host: str
    pid: int
    at: str
    roots: dict[str, Holding] = {}
    left: dict[str, int] = {}
    leaving: bool = False


LeaseRecord = Claim | Beat
