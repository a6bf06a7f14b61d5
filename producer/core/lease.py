"""Who watches a root: the state of the log of leases, and what follows from it, as a table.

The order of the log decides, and never a clock: a claim is valid when it follows the one that was valid before it. A clock
decides only when a producer has been silent for so long that another one claims its roots. The silent one may still be
alive (suspended, cut off); then it finds the other one's claim in the log before it sends again, and records that it is
sending by then belong to an epoch that the fold no longer accepts, because each declaration carries its claim's term.

Nothing here reads a clock or the network: times are given, in monotonic seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from schemas.leases import Beat, Claim, Holding, LeaseRecord

BEAT_SECONDS = 2.0
"""Between heartbeats of a producer that has a root."""

SURE_SECONDS = 6.0
"""For so long after one of our heartbeats, read back from the log, was sent, nobody else can have claimed. Less than
SILENCE_SECONDS: a holder that is cut off stops sending before another one begins."""

SILENCE_SECONDS = 8.0
"""A holder without a record for so long counts as gone: another one takes over within 15 s of its end."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The owner of the valid claim. `follows`: the holder before it, without that one's `follows`."""

    term: int
    producer: str
    life: str
    host: str
    pid: int
    follows: Holder | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


@dataclass(frozen=True, slots=True)
class Me:
    """This process. `producer`: the id of its state folder, the same after a restart; `life`: the id of the process."""

    producer: str
    life: str
    host: str
    pid: int


HeldBy = Literal["unknown", "nobody", "me", "my_past", "living", "gone"]
"""Who has a root. `unknown`: the log cannot be read now, or our own heartbeats do not arrive in it;
`my_past`: a process that worked on this state folder and has ended, because the folder is locked by us; `gone`: another one,
which has left or is silent."""


class Leases:
    """All leases, as far as the log was read. `handed_over`: for each root, what its holder last reported for its next
    holder."""

    def __init__(self, me: Me) -> None:
        self._me = me
        self._holders: dict[str, Holder] = {}
        self._last_seen: dict[str, float] = {}
        self._ended: set[str] = set()
        self._released: dict[str, int] = {}
        self._held: set[str] = set()
        self._since = float("inf")
        self._complete_at = float("-inf")
        self._sure_until = float("-inf")
        self.handed_over: dict[str, Holding] = {}

    def reconnected(self) -> None:
        """The log is read through a new connection: while there was none, nobody counts as silent."""
        self._since, self._complete_at = float("inf"), float("-inf")

    def read(self, record: LeaseRecord, now: float) -> None:
        """The next record of the log, read at `now`."""
        match record:
            case Claim():
                self._claimed(record)
            case Beat():
                self._heartbeat(record)
            case _:
                assert_never(record)
        self._last_seen[record.life] = now

    def complete(self, at: float) -> None:
        """All that was in the log at `at` has been read."""
        self._since = min(self._since, at)
        self._complete_at = at

    def arrived(self, sent_at: float) -> None:
        """A record of ours that was sent at that time has been read back."""
        self._sure_until = max(self._sure_until, sent_at + SURE_SECONDS)

    def holder(self, root: str) -> Holder | None:
        """The owner of the valid claim."""
        return self._holders.get(root)

    def mine(self) -> dict[str, Holder]:
        """The roots that this process has according to the log."""
        return {
            root: holder
            for root, holder in self._holders.items()
            if holder.life == self._me.life and not self._is_released(root, holder)
        }

    def release(self, root: str) -> None:
        """This process no longer wants the root; its heartbeats announce that until the root is claimed again."""
        holder = self._holders.get(root)
        if holder is not None and holder.life == self._me.life:
            self._released[root] = holder.term

    def released(self) -> dict[str, int]:
        """The terms of this process's claims that it has released."""
        return {
            root: holder.term
            for root, holder in self._holders.items()
            if holder.life == self._me.life and self._is_released(root, holder)
        }

    def held_by(self, root: str, now: float) -> HeldBy:
        """Who has the root."""
        if self._complete_at < now - SURE_SECONDS:
            return "unknown"
        holder = self._holders.get(root)
        if holder is None:
            return "nobody"
        if holder.life == self._me.life:
            if self._is_released(root, holder):
                return "my_past"
            return "me" if now < self._sure_until else "unknown"
        if holder.producer == self._me.producer and root not in self._held:
            return "my_past"
        last_seen = max(self._last_seen.get(holder.life, self._since), self._since)
        silent = self._complete_at - last_seen >= SILENCE_SECONDS
        has_left = holder.life in self._ended or self._is_released(root, holder)
        return "gone" if silent or has_left else "living"

    def claim(self, root: str, log_end: int, at: str) -> Claim:
        """The claim to write. `log_end`: of the root's lane in the change log, which grows with every record of a holder,
        so that terms rise even where the log of leases was lost."""
        holder, me = self._holders.get(root), self._me
        after = 0 if holder is None else holder.term
        return Claim(
            root=root, term=max(after, log_end) + 1, after=after, producer=me.producer, life=me.life, host=me.host,
            pid=me.pid, at=at,
        )  # fmt: skip

    def _claimed(self, claim: Claim) -> None:
        before = self._holders.get(claim.root)
        term = 0 if before is None else before.term
        # a claimant that knows of a later claim than this log has knows more: the log was lost in between
        if claim.after >= term and claim.term > term:
            follows = before if before is not None and claim.after == before.term else None
            self._hold(claim.root, _holder(claim, claim.term, follows))

    def _heartbeat(self, beat: Beat) -> None:
        if beat.leaving:
            self._ended.add(beat.life)
        for root, term in beat.left.items():
            if (holder := self._holders.get(root)) is not None and (holder.life, holder.term) == (beat.life, term):
                self._released[root] = term
        for root, holding in beat.roots.items():
            holder = self._holders.get(root)
            if holder is None or holding.term > holder.term:
                # its claim was lost with the log: its heartbeat proves that it was valid
                holder = _holder(beat, holding.term, None)
                self._hold(root, holder)
            if holder.life == beat.life and holding.commands_read is not None:
                self.handed_over[root] = holding

    def _is_released(self, root: str, holder: Holder) -> bool:
        return self._released.get(root) == holder.term

    def _hold(self, root: str, holder: Holder) -> None:
        self._holders[root] = holder
        if holder.life == self._me.life:
            self._held.add(root)


def _holder(record: LeaseRecord, term: int, follows: Holder | None) -> Holder:
    before = None if follows is None else replace(follows, follows=None)
    return Holder(term, record.producer, record.life, record.host, record.pid, before)


LeaseState = Literal["outside", "doubtful", "holding"]
"""The state of a root's lease in this process. `outside`: the root is not ours, nothing is observed. `doubtful`: it was ours
when that was last known; it is observed into the outbox and nothing is sent. `holding`: observed and sent."""

LeaseAction = Literal["claim", "begin", "give_up"]
"""`begin`: observe and send under the valid claim. The outbox continues where that claim is its own or follows its own, and
starts over otherwise."""

TRANSITIONS: dict[tuple[LeaseState, HeldBy], tuple[LeaseState, LeaseAction | None]] = {
    ("outside", "unknown"): ("outside", None),
    ("outside", "nobody"): ("outside", "claim"),
    ("outside", "my_past"): ("outside", "claim"),
    ("outside", "gone"): ("outside", "claim"),
    ("outside", "living"): ("outside", None),
    ("outside", "me"): ("holding", "begin"),
    ("doubtful", "unknown"): ("doubtful", None),
    ("doubtful", "nobody"): ("doubtful", "claim"),
    ("doubtful", "my_past"): ("doubtful", "claim"),
    ("doubtful", "gone"): ("outside", "give_up"),
    ("doubtful", "living"): ("outside", "give_up"),
    ("doubtful", "me"): ("holding", "begin"),
    ("holding", "unknown"): ("doubtful", None),
    ("holding", "nobody"): ("outside", "give_up"),
    ("holding", "my_past"): ("outside", "give_up"),
    ("holding", "gone"): ("outside", "give_up"),
    ("holding", "living"): ("outside", "give_up"),
    ("holding", "me"): ("holding", None),
}


def step(state: LeaseState, held_by: HeldBy) -> tuple[LeaseState, LeaseAction | None]:
    """The next state, and the action to take."""
    return TRANSITIONS[state, held_by]
