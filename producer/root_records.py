"""Records about the root itself: its declaration, with its file system's identity, and that it is lost or back. Each is
written in one transaction with what is stored about it, so that after a kill neither is there without the other."""

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


class RootRecords:
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

    def declare(self, identity: RootIdentity) -> None:
        """Record its settings."""
        self._journal.transact(lambda: self._outbox.declared(self._spec, identity))

    def record_identity(self, identity: RootIdentity) -> None:
        """It was seen, and is the known root; record what differs in its identity."""
        known = self._memory.identity
        if known == identity:
            return

        def record() -> None:
            if known is not None:
                self._index.renumber(known.dev, identity.dev)
            self._memory.adopt(identity)
            self._outbox.declared(self._spec, identity)

        self._journal.transact(record)

    def accept(self, identity: RootIdentity, command: AcceptRoot, order: Order) -> None:
        """It is the same tree at another place: the index remains valid, except for the device and inode numbers."""

        def record() -> None:
            self._index.forget_identities()
            self._memory.adopt(identity)
            self._memory.request_scan(command.id, ACCEPTED, "")
            self._memory.mark_handled(order)
            self._outbox.declared(self._spec, identity)

        self._journal.transact(record)

    def record_lost(self, cause: str) -> None:
        """Record that it cannot be observed."""

        def record() -> None:
            self._memory.set_lost(True)
            self._outbox.lost(cause)

        self._journal.transact(record)

    def record_back(self, cause: str) -> None:
        """Record that it can be observed again."""

        def record() -> None:
            self._memory.set_lost(False)
            self._outbox.back(cause)

        self._journal.transact(record)

    def mount_changed(self, change: MountChange, now: Mapping[str, RootIdentity]) -> None:
        """Store that a file system below it appeared, is lost, or is back."""

        def record() -> None:
            if change.renumbered is not None:
                self._index.renumber(*change.renumbered)
            self._mounts.remember(change, now)

        self._journal.transact(record)
