"""What operators ask of one root, in the order in which they asked: scans, pauses, its acceptance, its forgetting.

Each command is remembered in the transaction that carries it out, so that one which comes again is not carried out again.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol, assert_never

from producer.belief import Belief
from producer.core.identity import Faulty, Same
from producer.core.life import Happening, RootState
from producer.database import Database
from producer.errors import Forgotten
from producer.memory import Memory
from producer.mounts import Mounts
from producer.orders import ACCEPTED, PAUSED, REQUESTED, CommandOutcome, Order
from producer.outbox import depth
from producer.scanning import Scanning
from producer.standing import Standing
from schemas.admin import AcceptRoot, Pause, PauseRoot, RescanRoot, ResumeRoot, RetireRoot
from schemas.paths import from_wire
from schemas.raw import Origin, RootIdentity


class Commanded(Protocol):
    """The root, as who carries commands out needs it."""

    @property
    def state(self) -> RootState:
        """Where it is between a start and a stop."""

    def happen(self, happening: Happening, cause: str, fault: Faulty | None, command: str | None = None) -> None:
        """Something has come of it."""

    def identify(self, now: float, back: str = ..., command: str | None = None) -> None:
        """See whether it is there, and is what it was."""

    def wake(self, now: float) -> None:
        """It is not paused any more."""


class Commands:
    """Of the root of that name. `orders`: what is asked, put there by any thread; `outcome`: what came of the newest that
    has one."""

    def __init__(
        self, name: str, root: Commanded, orders: deque[Order], database: Database, *, memory: Memory, scanning: Scanning,
        mounts: Mounts, belief: Belief, standing: Standing,
    ) -> None:  # fmt: skip
        self._name = name
        self._root = root
        self._orders = orders
        self._db = database
        self._memory = memory
        self._scanning = scanning
        self._mounts = mounts
        self._belief = belief
        self._standing = standing
        self.outcome: CommandOutcome | None = None

    @property
    def waiting(self) -> bool:
        """Whether something is asked that was not carried out yet."""
        return bool(self._orders)

    def obey(self, now: float) -> None:
        """Carry out what is asked. Raises Forgotten where the root is to begin anew."""
        while self._orders:
            order = self._orders[0]
            if order.anew:
                self._begin_anew(order)
                return
            match order.command:
                case RetireRoot() | None:
                    self._note(order)
                case command if self._memory.was_carried_out(command.id):
                    self._note(order)
                case RescanRoot() as command:
                    self._rescan(command, order)
                case AcceptRoot() as command:
                    self._accept(command, order, now)
                case PauseRoot() as command:
                    self._pause(command, order, now)
                case ResumeRoot() as command:
                    self._go_on(command, order, now)
                case _:
                    assert_never(order.command)
            self._orders.popleft()

    def heed_pause(self) -> None:
        """Rest where an operator has said so, now or before a restart."""
        paused = self._memory.paused
        self._scanning.paused = paused is not None
        if paused == "root":
            self._root.happen("paused", PAUSED, None)

    def _begin_anew(self, order: Order) -> None:
        """Once the log has everything that waits: a sender in the middle of its work would take rows of the next epoch
        for its own. Raises Forgotten when it is done."""
        if depth(self._db):
            return
        with self._db.transaction():
            if depth(self._db):
                return
            self._memory.forget_all(order)
        self._orders.popleft()
        raise Forgotten(self._name)

    def _note(self, order: Order) -> None:
        with self._db.transaction():
            self._memory.note(order)

    def _rescan(self, command: RescanRoot, order: Order) -> None:
        subtree = "" if command.again else from_wire(command.subtree, command.subtree_b64)
        origin: Origin = "baseline" if command.again else "scan"
        with self._db.transaction():
            if subtree:
                self._mounts.forget(subtree)
            self._memory.want_scan(command.id, REQUESTED, subtree, origin)
            self._memory.note(order)
        self._scanning.ask(origin, REQUESTED, subtree, command=command.id)
        waits = "" if self._root.state == "watching" else " when the root can be observed"
        if self._memory.paused is not None:
            waits = " when it is resumed"
        self.outcome = CommandOutcome(command.id, False, f"it is scanned{waits}")

    def _pause(self, command: PauseRoot, order: Order, now: float) -> None:
        self._remember_pause(command.what, order, now)
        text = "paused" if command.what == "root" else "scans are paused"
        self.outcome = CommandOutcome(command.id, True, text)

    def _go_on(self, command: ResumeRoot, order: Order, now: float) -> None:
        text = "nothing was paused" if self._memory.paused is None else "resumed"
        self._remember_pause(None, order, now)
        self.outcome = CommandOutcome(command.id, True, text)

    def _remember_pause(self, what: Pause | None, order: Order, now: float) -> None:
        with self._db.transaction():
            self._memory.pause(what)
            self._memory.note(order)
        self.heed_pause()
        if what != "root" and self._root.state == "paused":
            self._root.wake(now)

    def _accept(self, command: AcceptRoot, order: Order, now: float) -> None:
        if self._root.state == "paused":
            self._note(order)
            self.outcome = CommandOutcome(command.id, True, "not accepted: it is paused, resume it first")
            return
        match self._belief.judge():
            case Faulty(instead=RootIdentity() as identity) as faulty:
                self._root.happen("faulty", faulty.cause, faulty)
                self._standing.is_taken_up(identity, command, order)
                self.outcome = CommandOutcome(command.id, False, "accepted, it is being scanned")
                self._root.identify(now, ACCEPTED, command.id)
            case Faulty(detail=detail):
                self._note(order)
                self.outcome = CommandOutcome(command.id, True, f"not accepted: {detail}")
            case Same():
                self._note(order)
                self.outcome = CommandOutcome(command.id, True, "nothing to accept: it is the root that is known")
