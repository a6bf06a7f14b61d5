"""Under which claim a root's outbox is written, across restarts.

An outbox goes on in its epoch as long as each claim of its producer follows the one before it. Where another producer's
lies between, what is known here is not what was last told of the root: it begins anew."""

from __future__ import annotations

from producer.core.lease import Holder
from producer.database import Database
from producer.memory import COMMANDS_READ, PAUSED, forget_root
from producer.outbox import TERM
from schemas.leases import Claim, Holding

CLAIMED = "claimed_term"
"""Value of the database: the term of a claim that was made and may be valid. Written before the claim: a process killed
right after it is known by it in its next life."""


def is_ours(database: Database) -> bool:
    """True where the root was ours when that was last known."""
    return database.get(TERM) is not None and database.get("epoch") is not None


def claiming(database: Database, claim: Claim, before: Holder | None) -> None:
    """The claim is about to be made; `before`: the valid one when it was drafted. Where it follows another one, it is no
    reason to go on."""
    if before is None or before.term != claim.after or not _goes_on(database, before, claim.producer):
        return
    with database.transaction():
        database.set(TERM, str(before.term))
        database.set(CLAIMED, str(claim.term))


def begin(database: Database, holder: Holder, handed_on: Holding | None) -> bool:
    """The claim is valid: True where the outbox goes on under it. Else all is forgotten, and a new epoch begins, with
    what was `handed_on` by who had the root before. The sender may hold rows of the former epoch."""
    with database.transaction():
        goes_on = may_go_on(database, holder)
        if not goes_on:
            forget_root(database)
            if handed_on is not None and handed_on.commands_read is not None:
                database.set(COMMANDS_READ, str(handed_on.commands_read))
                database.set(PAUSED, handed_on.paused or "")
        database.set(TERM, str(holder.term))
    return goes_on


def may_go_on(database: Database, holder: Holder) -> bool:
    """What `begin` will say."""
    before = holder.follows
    return database.get(TERM) == str(holder.term) or (
        before is not None and _goes_on(database, before, holder.producer)
    )


def give_up(database: Database) -> None:
    """Another producer has the root."""
    database.execute("DELETE FROM value WHERE key IN (?, ?)", (TERM, CLAIMED))


def _goes_on(database: Database, before: Holder, producer: str) -> bool:
    known = (database.get(TERM), database.get(CLAIMED))
    return before.producer == producer and str(before.term) in known and database.get("epoch") is not None
