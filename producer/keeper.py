"""One root between a start and a stop (or a failure): what a turn of its thread does, and in which order.

A turn reads the kernel's events, verifies the root's identity, examines the paths of the events, continues a scan, and does
what is due. A path is recorded as gone only if the root was seen to be there afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from producer.backends.interface import Coverage, Drained, Tree, Watch
from producer.commands import Commands
from producer.condition import NOTHING, Condition, problems
from producer.core.activity import Activity
from producer.core.facts import Fact
from producer.core.filters import Filters
from producer.core.identity import Faulty, Same
from producer.core.life import Action, RootEvent, RootState, step
from producer.core.normalise import Event, normalise
from producer.core.pace import Pace
from producer.counting import Counting
from producer.database import Database
from producer.errors import RootFault, WatchUnavailable
from producer.examine import Examiner
from producer.hashing import Hashing
from producer.index import Index
from producer.journal import Journal
from producer.memory import Memory
from producer.mounts import MOUNTED, UNMOUNTED, MountChange, Mounts
from producer.orders import Order
from producer.outbox import LIVE, Outbox, depth
from producer.root_records import RootRecords
from producer.scanning import Scanning
from producer.settings import NAS_JUNK, RootSpec
from producer.verifier import Verifier
from producer.world import Pacing, World
from runtime import log
from runtime.waits import OUTBOX
from schemas.raw import RootIdentity

ROOM = 0.5
"""A full outbox is written to again once it is below this share of its limit."""

PAUSE = 0.8
"""Scans wait while the outbox is fuller than this share of its limit, to leave room for events."""


_log = log.get(__name__)


class Keeper:
    """Raises LibraryChanged, and sqlite3.Error at any time: then it is to be closed and replaced. `wake` is called from
    any thread when a turn is due; `orders`: operators' commands, added by any thread; `failure`: why the previous keeper
    ended, when that was not a stop."""

    def __init__(
        self, spec: RootSpec, database: Database, world: World, pacing: Pacing, wake: Callable[[], None], *,
        orders: deque[Order], failure: str | None = None,
    ) -> None:  # fmt: skip
        self._spec = spec
        self._db = database
        self._world = world
        self._pacing = pacing
        self._clock = world.clock
        self._wake = wake
        self._memory = Memory(database)
        self._memory.claim(spec.name, spec.library)
        self._outbox = Outbox(database, spec.name, world.clock)
        self._index = Index(database)
        self._counting = Counting(self._index, world.clock)
        self._journal = Journal(
            database, self._index, self._outbox, world.points, world.written, records_md5=world.hasher is not None
        )
        self._mounts = Mounts(database)
        self._root_records = RootRecords(
            spec, self._journal, self._index, self._outbox, self._memory, self._mounts
        )
        filters = Filters(NAS_JUNK + spec.exclude, spec.include)
        self._pace = Pace()
        self._examiner = Examiner(self._index, filters, self._pace)
        self._verifier = Verifier(world.backend, self._memory, self._mounts, self._mount_changed)
        self._activity = None if world.backend.reports_all else Activity()
        self._scanning = Scanning(
            self._journal, self._index, self._outbox, self._memory, filters, world.clock, verifier=self._verifier,
            mounts=self._mounts, activity=self._activity, confirm_seconds=pacing.confirm_seconds,
        )  # fmt: skip
        self._hashing = Hashing(
            world.hasher, world.backend, wake, index=self._index, journal=self._journal, outbox=self._outbox,
            memory=self._memory,
        )  # fmt: skip
        self._commands = Commands(
            spec.name, self, orders, database, memory=self._memory, scanning=self._scanning, mounts=self._mounts,
            verifier=self._verifier, root_records=self._root_records,
        )  # fmt: skip
        self._watch: Watch | None = None
        self._watch_problem: str | None = None
        self._fault: Faulty | None = None
        self._tries = 0
        self._identity_at = float("-inf")
        self._state: RootState = self._resume()
        if failure is not None and self._state != "new":
            self._scanning.open_gap(failure)
        self._commands.apply_pause()

    @property
    def state(self) -> RootState:
        """The root's state between a start and a stop."""
        return self._state

    def _resume(self) -> RootState:
        identity = self._memory.identity
        if identity is None:
            return "new"
        self._root_records.declare(identity)
        return self._remembered()

    def _remembered(self) -> RootState:
        if self._memory.identity is None:
            return "new"
        return "lost" if self._memory.is_lost else "starting"

    def close(self) -> None:
        """Stop watching; the database remains open, it is the caller's."""
        self._hashing.give_up()
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def turn(self) -> float:
        """Do what is due; returns the seconds until the next thing is due without a wake-up."""
        now = self._clock.monotonic()
        drained = self._watch.drain(now) if self._watch is not None else Drained()
        if self._state != "paused" and (drained.suspect or now >= self._identity_at):
            self.identify(now)
        self._commands.carry_out(now)
        self._measure()
        if self._state == "watching":
            try:
                self._observe(drained, now)
            except RootFault as fault:
                self.handle("faulty", fault.faulty.cause, fault.faulty)
            self._measure()
        self._hashing.turn(now, is_free=self._is_free)
        self._commands.outcome = self._scanning.take_outcome() or self._commands.outcome
        return self._rest()

    def condition(self) -> Condition:
        """The root's condition now."""
        coverage = self._coverage
        return Condition(
            state=self._state,
            fault=self._fault,
            watched=coverage.watched,
            unwatched=coverage.unwatched,
            waiting=depth(self._db),
            problems=tuple(
                problems(self._state, coverage, self._watch_problem, self._scanning, self._mounts.lost)
            ),
            progress=self._scanning.progress,
            tries=self._tries,
            scanned=self._scanning.finished_at is not None and not self._scanning.is_announced,
            outcome=self._commands.outcome,
            paused=self._memory.paused,
            coverage=coverage,
            entries=self._counting.entries(),
        )

    # -- the root's identity -----------------------------------------------------------------------------------

    def identify(self, now: float, back: str = "root_back", command: str | None = None) -> None:
        """Check whether the root is there, and is the one that was known. `back`: the cause recorded if it was lost;
        `command`: id of the command that requested this."""
        self._identity_at = now + self._pacing.identity_seconds
        match self._verifier.judge():
            case Same(identity):
                self._tries = 0
                self._root_records.record_identity(identity)
                self.handle("seen", back if self._state == "lost" else "start", None, command)
                self._verifier.check_mounts()
            case Faulty() as faulty:
                self._tries += 1
                if faulty.again_seconds is not None:
                    self._identity_at = now + faulty.again_seconds
                self.handle("faulty", faulty.cause, faulty)

    def _mount_changed(self, change: MountChange, now: Mapping[str, RootIdentity]) -> None:
        """A file system below the root appeared, is lost, or is back."""
        self._root_records.mount_changed(change, now)
        if change.became == "lost":
            self._scanning.open_gap(UNMOUNTED, change.path)
        else:
            self._scanning.request("scan", MOUNTED, change.path)

    # -- events of the root ------------------------------------------------------------------------------------

    def handle(self, event: RootEvent, cause: str, fault: Faulty | None, command: str | None = None) -> None:
        """Handle an event: change the state and do the actions that follow from it (`core.life`)."""
        self._state, actions = step(self._state, event)
        self._fault = fault
        for action in actions:
            self._do(action, cause, command)

    def _do(self, action: Action, cause: str, command: str | None) -> None:
        match action:
            case "arm":
                self._arm()
            case "disarm":
                self.close()
                self._scanning.abandon()
                if self._activity is not None:
                    self._activity.forget()
            case "record_lost":
                self._root_records.record_lost(cause)
            case "record_back":
                self._root_records.record_back(cause)
            case "open_gap":
                self._scanning.open_gap(cause)
            case "scan":
                self._scanning.request_first("scan", cause, command=command)
            case _:
                assert_never(action)

    def _arm(self) -> None:
        self.close()
        try:
            self._watch, self._watch_problem = self._world.backend.watch(self._wake), None
        except WatchUnavailable as error:
            _log.warning("no watch, scanning instead", root=self._spec.name, reason=error.reason)
            self._watch_problem = error.reason
        self._scanning.arm(self._watch)

    def _measure(self) -> None:
        waiting = depth(self._db)
        if self._state == "watching" and waiting >= self._pacing.outbox_limit:
            self.handle("full", "outbox_full", None)
        elif self._state == "frozen" and waiting < self._pacing.outbox_limit * ROOM:
            self.handle("room", "outbox_full", None)

    def unpause(self, now: float) -> None:
        """It is no longer paused."""
        self._state = self._remembered()
        self.identify(now)

    # -- observing ---------------------------------------------------------------------------------------------

    def _observe(self, drained: Drained, now: float) -> None:
        if (missed := drained.missed) is not None:
            self._scanning.open_gap(missed.cause, missed.subtree)
            if missed.is_dead:
                self._arm()
            self._scanning.request("scan", missed.cause, missed.subtree)
        paused = self._is_nearly_full
        self._remind(now)
        due, quiet = self._pace.due(now), self._pace.quiet(now)
        if not drained.events and not due and not quiet and (paused or not self._scanning.is_busy):
            return
        with self._verifier.open() as tree:
            self._look(drained.events, due, quiet, tree, now)
            if self._scanning.is_busy and not paused:
                self._scanning.step(tree)

    @property
    def _is_free(self) -> bool:
        """No event waits, nothing is to be scanned, nothing is paused, and the outbox has room."""
        scanning = self._scanning
        if self._state != "watching" or scanning.is_announced or scanning.is_busy or scanning.paused:
            return False
        due = None if self._watch is None else self._watch.next_due()
        return (due is None or due > self._clock.monotonic()) and not self._is_nearly_full

    @property
    def _is_nearly_full(self) -> bool:
        return depth(self._db) >= self._pacing.outbox_limit * PAUSE

    def _look(
        self, events: Sequence[Event], due: Sequence[str], quiet: Sequence[str], tree: Tree, now: float
    ) -> None:  # fmt: skip
        work = normalise(events)
        if work.moves:
            self._write(self._examiner.moves(work, tree))
        self._write(self._examiner.looks(work, tree, now) + self._examiner.again(due, quiet, tree))
        self._scanning.compare(work.directories)

    def _write(self, facts: Sequence[Fact]) -> None:
        if facts and (verified := self._verifier.verified(facts)):
            self._scanning.follow(self._journal.write(verified, LIVE))
            if self._activity is not None:
                self._activity.saw(verified, self._clock.monotonic())

    def _remind(self, now: float) -> None:
        self._scanning.tick(now)
        if self._activity is not None and not self._scanning.paused:
            self._scanning.list_again(self._activity.due(now))
        finished = self._scanning.finished_at
        if finished is None or self._scanning.is_announced:
            return
        if now >= finished + self._reconcile_seconds:
            if self._watch is None:
                self._arm()
            self._scanning.request("reconcile", "periodic")

    @property
    def _reconcile_seconds(self) -> float:
        blind = self._watch is None or self._coverage.unwatched > 0
        return min(self._pacing.reconcile_seconds, self._pacing.unwatched_seconds if blind else float("inf"))

    def _rest(self) -> float:
        now = self._clock.monotonic()
        due = [now + self._pacing.identity_seconds if self._state == "paused" else self._identity_at]
        if self._state == "frozen" or self._commands.waiting:
            due.append(now + OUTBOX.first)
        if self._state == "watching":
            due += self._due_watching(now)
        return max(0.0, min(due) - now)

    def _due_watching(self, now: float) -> list[float]:
        scanning = self._scanning
        found = [at for at in (self._pace.next_due(), scanning.confirm_at) if at is not None]
        if self._watch is not None and (at := self._watch.next_due()) is not None:
            found.append(at)
        if self._activity is not None and not scanning.paused and (at := self._activity.next_due()) is not None:
            found.append(at)
        if scanning.is_busy:
            found.append(now + OUTBOX.first if self._is_nearly_full else now)
        if scanning.finished_at is not None:
            found.append(scanning.finished_at + self._reconcile_seconds)
        return found

    @property
    def _coverage(self) -> Coverage:
        return NOTHING if self._watch is None else self._watch.coverage
