"""Under which claim a root's outbox is written, across restarts.

An outbox continues in its epoch as long as each claim of its producer follows the one before it. If another producer's
claim was in between, the state here is not what was last recorded of the root: it starts over."""

from __future__ import annotations

from producer.core.lease import Holder
from producer.database import Database
from producer.memory import COMMANDS_READ, PAUSED, forget_root
from producer.outbox import TERM
from schemas.leases import Claim, Holding

CLAIMED = "claimed_term"
"""Key of the single value with the term of a claim that was sent and may be valid. Written before the claim is sent, so
that a process killed right afterwards recognises the claim as its own after a restart."""


def is_ours(database: Database) -> bool:
    """True where this process had the root when that was last known."""
    return database.get(TERM) is not None and database.get("epoch") is not None


def record_claim(database: Database, claim: Claim, before: Holder | None) -> None:
    """Store that the claim is about to be sent; `before`: the valid one when it was drafted. Where it follows another
    one, it does not allow the outbox to continue."""
    if before is None or before.term != claim.after or not _continues(database, before, claim.producer):
        return
    with database.transaction():
        database.set(TERM, str(before.term))
        database.set(CLAIMED, str(claim.term))


def begin(database: Database, holder: Holder, handed_over: Holding | None) -> bool:
    """The claim is valid: True where the outbox continues under it. Else the stored state is deleted, and a new epoch
    begins, with what the previous holder `handed_over`. The sender may still have rows of the former epoch."""
    with database.transaction():
        continues = may_continue(database, holder)
        if not continues:
            forget_root(database)
            if handed_over is not None and handed_over.commands_read is not None:
                database.set(COMMANDS_READ, str(handed_over.commands_read))
                database.set(PAUSED, handed_over.paused or "")
        database.set(TERM, str(holder.term))
    return continues


def may_continue(database: Database, holder: Holder) -> bool:
    """What `begin` will return."""
    before = holder.follows
    return database.get(TERM) == str(holder.term) or (
        before is not None and _continues(database, before, holder.producer)
    )


def give_up(database: Database) -> None:
    """Another producer has the root."""
    database.execute("DELETE FROM value WHERE key IN (?, ?)", (TERM, CLAIMED))


def _continues(database: Database, before: Holder, producer: str) -> bool:
    known = (database.get(TERM), database.get(CLAIMED))
    return before.producer == producer and str(before.term) in known and database.get("epoch") is not None
