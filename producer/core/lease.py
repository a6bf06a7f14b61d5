"""Who watches a root: what the log of leases says of it, and what follows from that, as a table.

The log decides, by its order, and never a clock: a claim is valid when it follows the one that was valid before it. A
clock decides only when a producer has been silent for so long that another one claims its roots. It may live all the
same (stopped, cut off); then it finds the other one's claim in the log before it sends again, and what it has under
way by then is of an epoch that the fold no longer takes, for each declaration carries its claim's term.

Nothing here reads a clock or the network: times are given, in monotonic seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from schemas.leases import Beat, Claim, Holding, LeaseRecord

BEAT_SECONDS = 2.0
"""Between signs of life of a producer that holds a root."""

SURE_SECONDS = 6.0
"""So long after a sign of life of ours, seen in the log, was sent, nobody else can have claimed. Less than SILENCE_SECONDS:
a holder that is cut off stops to send before another one begins."""

SILENCE_SECONDS = 8.0
"""A holder of which so long nothing is heard is gone: another one takes over within 15 s of its end."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose the valid claim is. `follows`: the one before it, without the one before that."""

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
    """This process. `producer`: its state folder's, the same after a restart; `life`: its own."""

    producer: str
    life: str
    host: str
    pid: int


Who = Literal["unheard", "nobody", "me", "my_past", "living", "gone"]
"""Who holds a root. `unheard`: the log cannot be read now, or our own signs of life do not arrive in it; `my_past`: a
process that worked on this state folder, which has ended, for the folder is locked; `gone`: another one, which has left or
is silent."""


class Leases:
    """All leases, as far as the log was read. `handed_on`: of each root, what its holder last said of it for whoever
    takes it over."""

    def __init__(self, me: Me) -> None:
        self._me = me
        self._holders: dict[str, Holder] = {}
        self._heard: dict[str, float] = {}
        self._ended: set[str] = set()
        self._let_go: dict[str, int] = {}
        self._held: set[str] = set()
        self._since = float("inf")
        self._complete_at = float("-inf")
        self._sure_until = float("-inf")
        self.handed_on: dict[str, Holding] = {}

    def begun(self) -> None:
        """The log is read by a new connection: while there was none, nobody was silent."""
        self._since, self._complete_at = float("inf"), float("-inf")

    def read(self, record: LeaseRecord, now: float) -> None:
        """The next record of the log, read at `now`."""
        match record:
            case Claim():
                self._claimed(record)
            case Beat():
                self._beaten(record)
            case _:
                assert_never(record)
        self._heard[record.life] = now

    def complete(self, at: float) -> None:
        """All that was in the log at `at` has been read."""
        self._since = min(self._since, at)
        self._complete_at = at

    def arrived(self, sent_at: float) -> None:
        """What we sent at that time has been read."""
        self._sure_until = max(self._sure_until, sent_at + SURE_SECONDS)

    def holder(self, root: str) -> Holder | None:
        """Whose the valid claim is."""
        return self._holders.get(root)

    def mine(self) -> dict[str, Holder]:
        """The roots that are this process's by the log."""
        return {
            root: holder
            for root, holder in self._holders.items()
            if holder.life == self._me.life and not self._is_left(root, holder)
        }

    def let_go(self, root: str) -> None:
        """This process no longer wants the root; our signs of life say so until it is claimed again."""
        holder = self._holders.get(root)
        if holder is not None and holder.life == self._me.life:
            self._let_go[root] = holder.term

    def left(self) -> dict[str, int]:
        """The terms of the claims of this process that it has let go."""
        return {
            root: holder.term
            for root, holder in self._holders.items()
            if holder.life == self._me.life and self._is_left(root, holder)
        }

    def who(self, root: str, now: float) -> Who:
        """Who holds the root."""
        if self._complete_at < now - SURE_SECONDS:
            return "unheard"
        holder = self._holders.get(root)
        if holder is None:
            return "nobody"
        if holder.life == self._me.life:
            if self._is_left(root, holder):
                return "my_past"
            return "me" if now < self._sure_until else "unheard"
        if holder.producer == self._me.producer and root not in self._held:
            return "my_past"
        heard = max(self._heard.get(holder.life, self._since), self._since)
        silent = self._complete_at - heard >= SILENCE_SECONDS
        has_left = holder.life in self._ended or self._is_left(root, holder)
        return "gone" if silent or has_left else "living"

    def claim(self, root: str, log_end: int, at: str) -> Claim:
        """What to write in order to hold the root. `log_end`: of its lane in the change log, which grows with whatever a
        holder writes, so that terms rise even where this log was lost."""
        holder, me = self._holders.get(root), self._me
        after = 0 if holder is None else holder.term
        return Claim(
            root=root, term=max(after, log_end) + 1, after=after, producer=me.producer, life=me.life, host=me.host,
            pid=me.pid, at=at,
        )  # fmt: skip

    def _claimed(self, claim: Claim) -> None:
        before = self._holders.get(claim.root)
        term = 0 if before is None else before.term
        # a claimant that knows of a later one than this log has knows more: the log was lost in between
        if claim.after >= term and claim.term > term:
            follows = before if before is not None and claim.after == before.term else None
            self._hold(claim.root, _holder(claim, claim.term, follows))

    def _beaten(self, beat: Beat) -> None:
        if beat.leaving:
            self._ended.add(beat.life)
        for root, term in beat.left.items():
            if (holder := self._holders.get(root)) is not None and (holder.life, holder.term) == (beat.life, term):
                self._let_go[root] = term
        for root, holding in beat.roots.items():
            holder = self._holders.get(root)
            if holder is None or holding.term > holder.term:
                # its claim was lost with the log: whoever holds has won it
                holder = _holder(beat, holding.term, None)
                self._hold(root, holder)
            if holder.life == beat.life and holding.commands_read is not None:
                self.handed_on[root] = holding

    def _is_left(self, root: str, holder: Holder) -> bool:
        return self._let_go.get(root) == holder.term

    def _hold(self, root: str, holder: Holder) -> None:
        self._holders[root] = holder
        if holder.life == self._me.life:
            self._held.add(root)


def _holder(record: LeaseRecord, term: int, follows: Holder | None) -> Holder:
    before = None if follows is None else replace(follows, follows=None)
    return Holder(term, record.producer, record.life, record.host, record.pid, before)


LeaseStand = Literal["outside", "doubtful", "holding"]
"""How a process stands to a root. `outside`: it is not ours, nothing is observed. `doubtful`: it was ours when that was
last known; it is observed into the outbox and nothing is sent. `holding`: observed and sent."""

LeaseDeed = Literal["claim", "begin", "give_up"]
"""`begin`: observe and send under the valid claim: go on with the outbox where that claim is its own or follows its own, and
else begin it anew."""

STANDS: dict[tuple[LeaseStand, Who], tuple[LeaseStand, LeaseDeed | None]] = {
    ("outside", "unheard"): ("outside", None),
    ("outside", "nobody"): ("outside", "claim"),
    ("outside", "my_past"): ("outside", "claim"),
    ("outside", "gone"): ("outside", "claim"),
    ("outside", "living"): ("outside", None),
    ("outside", "me"): ("holding", "begin"),
    ("doubtful", "unheard"): ("doubtful", None),
    ("doubtful", "nobody"): ("doubtful", "claim"),
    ("doubtful", "my_past"): ("doubtful", "claim"),
    ("doubtful", "gone"): ("outside", "give_up"),
    ("doubtful", "living"): ("outside", "give_up"),
    ("doubtful", "me"): ("holding", "begin"),
    ("holding", "unheard"): ("doubtful", None),
    ("holding", "nobody"): ("outside", "give_up"),
    ("holding", "my_past"): ("outside", "give_up"),
    ("holding", "gone"): ("outside", "give_up"),
    ("holding", "living"): ("outside", "give_up"),
    ("holding", "me"): ("holding", None),
}


def step(stand: LeaseStand, who: Who) -> tuple[LeaseStand, LeaseDeed | None]:
    """The next stand, and what is to be done."""
    return STANDS[stand, who]
