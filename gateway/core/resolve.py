"""From what a client requests to fixed next offsets per partition, with a statement of what is missing.

A partial recovery is never presented as complete: whatever was requested and is gone is named with its range.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec import UNSET

from gateway.core.answers import MissedOffsets, Mode, Subscribed
from gateway.core.memory import MemoryView
from gateway.core.starts import BadOption, OnGap
from schemas.places import AtEach, Bounds, out_of_range

Loss = Literal["retention", "epoch_changed"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Next offsets to start at; `reason` and `missed` if something requested is gone; `since`: what was appended before that
    time (ms) is skipped, because the requested time is in the future."""

    start: Mapping[int, int]
    reason: Loss | None = None
    missed: dict[int, MissedOffsets] = field(default_factory=dict)
    since: int | None = None

    @property
    def recovered(self) -> bool:
        """True if everything that was requested will come."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class End:
    """Where a subscription ends: before `until`, by partition, or before what is appended at the time `at` (ms), which is in
    the future; neither if it does not end."""

    until: Mapping[int, int] | None = None
    at: int | None = None


def fits(wanted: Mapping[int, int], floors: Mapping[int, int], heads: Mapping[int, int]) -> bool:
    """True if memory covers every partition wanted, and every partition is wanted."""
    return wanted.keys() == heads.keys() and all(floors[p] <= wanted[p] <= heads[p] for p in heads)


def refuse(wanted: AtEach, bounds: Bounds[int], name: str, *, beyond: bool = True) -> None:
    """Check offsets that a client named itself against the log: raises BadOption for a partition that does not exist, and
    for an offset beyond the end. `beyond` false: not for the latter, because the log may still grow to it (`until`).
    `name`: the member's name."""
    for unmet in out_of_range(wanted, bounds, int):
        if unmet.kind == "absent":
            raise BadOption(f"{name}: there is no partition {unmet.partition}, there are {unmet.limit}")
        if unmet.kind == "beyond" and beyond:
            raise BadOption(f"{name}.{unmet.partition}: {unmet.wanted} is beyond the end, {unmet.limit}")


def resume(wanted: Mapping[int, int], bounds: Bounds[int], on_gap: OnGap, *, same_epoch: bool = True) -> Resolved:
    """Compare the next offsets wanted, from a cursor or checked by `refuse`, with the range of the log. A partition that is
    not named starts at its earliest offset; one that does not exist, or an offset beyond the end, can only belong to another
    topic of that name."""
    beyond = any(p not in bounds.end or offset > bounds.end[p] for p, offset in wanted.items())
    if beyond or not same_epoch:
        missed = {p: MissedOffsets(offset, None) for p, offset in sorted(wanted.items())}
        return Resolved(_after(bounds, on_gap), "epoch_changed", missed)
    start: dict[int, int] = {p: max(wanted.get(p, 0), earliest) for p, earliest in bounds.earliest.items()}
    missed = {p: MissedOffsets(offset, start[p]) for p, offset in sorted(wanted.items()) if offset < start[p]}
    if not missed:
        return Resolved(start)
    if on_gap == "live":
        missed = {p: MissedOffsets(wanted[p], bounds.end[p]) for p in missed}
        start |= {p: bounds.end[p] for p in missed}
    return Resolved(start, "retention", missed)


def newest(tails: Mapping[int, Sequence[tuple[int, int]]], heads: Mapping[int, int], count: int) -> dict[int, int]:
    """Where the `count` newest events over all partitions start: `tails` has, per partition, (append time, offset) of its
    newest events; a partition without one among them starts at its head."""
    entries = ((at, p, offset) for p, tail in tails.items() for at, offset in tail)
    start = dict(heads)
    for _, partition, offset in heapq.nlargest(count, entries):
        start[partition] = min(start[partition], offset)
    return start


def mode(start: Mapping[int, int], floors: Mapping[int, int], heads: Mapping[int, int]) -> Mode:
    """From where the first events are read."""
    if all(start[p] >= heads[p] for p in heads):
        return "live"
    return "ring" if all(start[p] >= floors[p] for p in heads) else "log"


def subscribed(memory: MemoryView, name: str, resolved: Resolved) -> Subscribed:
    """Where it starts, and what is missing."""
    heads = memory.heads(name)
    return Subscribed(
        channel=name,
        start=dict(resolved.start),
        head=heads,
        epoch=memory.epoch(name),
        mode=mode(resolved.start, memory.floors(name), heads),
        recovered=resolved.recovered,
        cursor=memory.cursor(name, dict(resolved.start)),
        reason=UNSET if resolved.reason is None else resolved.reason,
        missed=resolved.missed or UNSET,
    )


def _after(bounds: Bounds[int], on_gap: OnGap) -> dict[int, int]:
    return dict(bounds.end if on_gap == "live" else bounds.earliest)
