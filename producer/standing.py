"""What is said of the root itself: that it is declared, which file system it is on, that it is lost or back. Each is written
in one transaction with what is remembered of it, so that after a kill neither is there without the other."""

from __future__ import annotations

from collections.abc import Mapping

from producer.index import Index
from producer.journal import Journal
from producer.memory import Memory
from producer.mounts import MountChange, Mounts
from producer.orders import ACCEPTED, Order
from producer.outbox import Outbox
from producer.settings import RootSpec
from schemas.admin import AcceptRoot
from schemas.raw import RootIdentity


class Standing:
    """Of one root. Raises sqlite3.Error, and then nothing has been written."""

    def __init__(
        self, spec: RootSpec, journal: Journal, index: Index, outbox: Outbox, memory: Memory, mounts: Mounts
    ) -> None:
        self._spec = spec
        self._journal = journal
        self._index = index
        self._outbox = outbox
        self._memory = memory
        self._mounts = mounts

    def is_declared(self, identity: RootIdentity) -> None:
        """Its settings are these."""
        self._journal.say(lambda: self._outbox.declared(self._spec, identity))

    def is_known_as(self, identity: RootIdentity) -> None:
        """It was seen, as the root that is known; what differs in that is remembered."""
        known = self._memory.identity
        if known == identity:
            return

        def tell() -> None:
            if known is not None:
                self._index.renumber(known.dev, identity.dev)
            self._memory.adopt(identity)
            self._outbox.declared(self._spec, identity)

        self._journal.say(tell)

    def is_taken_up(self, identity: RootIdentity, command: AcceptRoot, order: Order) -> None:
        """It is the same tree at another place: what is known of it holds, but for what tells files apart there."""

        def tell() -> None:
            self._index.forget_identities()
            self._memory.adopt(identity)
            self._memory.want_scan(command.id, ACCEPTED, "")
            self._memory.note(order)
            self._outbox.declared(self._spec, identity)

        self._journal.say(tell)

    def is_lost(self, cause: str) -> None:
        """It cannot be observed."""

        def tell() -> None:
            self._memory.set_lost(True)
            self._outbox.lost(cause)

        self._journal.say(tell)

    def is_back(self, cause: str) -> None:
        """It can be observed again."""

        def tell() -> None:
            self._memory.set_lost(False)
            self._outbox.back(cause)

        self._journal.say(tell)

    def mount_changed(self, change: MountChange, now: Mapping[str, RootIdentity]) -> None:
        """A file system below it appeared, is lost, or is back."""

        def tell() -> None:
            if change.renumbered is not None:
                self._index.renumber(*change.renumbered)
            self._mounts.remember(change, now)

        self._journal.say(tell)
