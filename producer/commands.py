"""Operators' commands for one root, carried out in the order in which they were issued: rescan, pause, resume, accept,
retire.

The id of each command is stored in the transaction that carries it out, so that a repeated one is not carried out again.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol, assert_never

from producer.core.identity import Faulty, Same
from producer.core.life import RootEvent, RootState
from producer.database import Database
from producer.errors import RootReset
from producer.memory import Memory
from producer.mounts import Mounts
from producer.orders import ACCEPTED, PAUSED, REQUESTED, CommandOutcome, Order
from producer.outbox import depth
from producer.root_records import RootRecords
from producer.scanning import Scanning
from producer.verifier import Verifier
from schemas.admin import AcceptRoot, Pause, PauseRoot, RescanRoot, ResumeRoot, RetireRoot
from schemas.paths import from_wire
from schemas.raw import Origin, RootIdentity


class Commanded(Protocol):
    """The root, as the executor of commands needs it."""

    @property
    def state(self) -> RootState:
        """Its state between a start and a stop."""

    def handle(self, event: RootEvent, cause: str, fault: Faulty | None, command: str | None = None) -> None:
        """Handle an event of the root."""

    def identify(self, now: float, back: str = ..., command: str | None = None) -> None:
        """Check whether the root is there, and is the one that was known."""

    def unpause(self, now: float) -> None:
        """It is no longer paused."""


class Commands:
    """Of the root of that name. `orders`: commands still to be carried out, added by any thread; `outcome`: the result of
    the newest command that has one."""

    def __init__(
        self, name: str, root: Commanded, orders: deque[Order], database: Database, *, memory: Memory, scanning: Scanning,
        mounts: Mounts, verifier: Verifier, root_records: RootRecords,
    ) -> None:  # fmt: skip
        self._name = name
        self._root = root
        self._orders = orders
        self._db = database
        self._memory = memory
        self._scanning = scanning
        self._mounts = mounts
        self._verifier = verifier
        self._root_records = root_records
        self.outcome: CommandOutcome | None = None

    @property
    def waiting(self) -> bool:
        """Whether a command has not been carried out yet."""
        return bool(self._orders)

    def carry_out(self, now: float) -> None:
        """Carry out the commands. Raises RootReset where the root has to start over."""
        while self._orders:
            order = self._orders[0]
            if order.reset:
                self._start_over(order)
                return
            match order.command:
                case RetireRoot() | None:
                    self._mark_handled(order)
                case command if self._memory.was_carried_out(command.id):
                    self._mark_handled(order)
                case RescanRoot() as command:
                    self._rescan(command, order)
                case AcceptRoot() as command:
                    self._accept(command, order, now)
                case PauseRoot() as command:
                    self._pause(command, order, now)
                case ResumeRoot() as command:
                    self._resume(command, order, now)
                case _:
                    assert_never(order.command)
            self._orders.popleft()

    def apply_pause(self) -> None:
        """Pause what an operator has paused, now or before a restart."""
        paused = self._memory.paused
        self._scanning.paused = paused is not None
        if paused == "root":
            self._root.handle("paused", PAUSED, None)

    def _start_over(self, order: Order) -> None:
        """Delete the root's state once the outbox is empty: a sender in the middle of a batch would take rows of the next
        epoch for its own. Raises RootReset when it is done."""
        if depth(self._db):
            return
        with self._db.transaction():
            if depth(self._db):
                return
            self._memory.forget_all(order)
        self._orders.popleft()
        raise RootReset(self._name)

    def _mark_handled(self, order: Order) -> None:
        with self._db.transaction():
            self._memory.mark_handled(order)

    def _rescan(self, command: RescanRoot, order: Order) -> None:
        subtree = "" if command.again else from_wire(command.subtree, command.subtree_b64)
        origin: Origin = "baseline" if command.again else "scan"
        with self._db.transaction():
            if subtree:
                self._mounts.forget(subtree)
            self._memory.request_scan(command.id, REQUESTED, subtree, origin)
            self._memory.mark_handled(order)
        self._scanning.request(origin, REQUESTED, subtree, command=command.id)
        waits = "" if self._root.state == "watching" else " when the root can be observed"
        if self._memory.paused is not None:
            waits = " when it is resumed"
        self.outcome = CommandOutcome(command.id, False, f"it is scanned{waits}")

    def _pause(self, command: PauseRoot, order: Order, now: float) -> None:
        self._remember_pause(command.what, order, now)
        text = "paused" if command.what == "root" else "scans are paused"
        self.outcome = CommandOutcome(command.id, True, text)

    def _resume(self, command: ResumeRoot, order: Order, now: float) -> None:
        text = "nothing was paused" if self._memory.paused is None else "resumed"
        self._remember_pause(None, order, now)
        self.outcome = CommandOutcome(command.id, True, text)

    def _remember_pause(self, what: Pause | None, order: Order, now: float) -> None:
        with self._db.transaction():
            self._memory.pause(what)
            self._memory.mark_handled(order)
        self.apply_pause()
        if what != "root" and self._root.state == "paused":
            self._root.unpause(now)

    def _accept(self, command: AcceptRoot, order: Order, now: float) -> None:
        if self._root.state == "paused":
            self._mark_handled(order)
            self.outcome = CommandOutcome(command.id, True, "not accepted: it is paused, resume it first")
            return
        match self._verifier.judge():
            case Faulty(instead=RootIdentity() as identity) as faulty:
                self._root.handle("faulty", faulty.cause, faulty)
                self._root_records.accept(identity, command, order)
                self.outcome = CommandOutcome(command.id, False, "accepted, it is being scanned")
                self._root.identify(now, ACCEPTED, command.id)
            case Faulty(detail=detail):
                self._mark_handled(order)
                self.outcome = CommandOutcome(command.id, True, f"not accepted: {detail}")
            case Same():
                self._mark_handled(order)
                self.outcome = CommandOutcome(command.id, True, "nothing to accept: it is the known root")
