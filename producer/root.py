"""One root's thread: runs a keeper, and replaces it when it fails.

This is the outermost loop of the thread: a failure is reported, followed by a wait, and made up for by a scan."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from producer.condition import Condition
from producer.database import Database, is_damaged
from producer.errors import LibraryChanged, RootReset
from producer.keeper import Keeper
from producer.orders import Order
from producer.reporting import RootSummary, failing, silent, summarise
from producer.settings import RootSpec
from producer.world import Pacing, World
from runtime import log
from runtime.lifecycle import end_hard
from runtime.waits import ROOT, Backoff, Waits

SILENT_SECONDS = 10.0
"""A turn that takes longer is blocked by its file system: turns do not wait for anything else, and scans go in steps."""

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Latest:
    """The last report of a root's thread; `condition` None: it has failed or not begun."""

    summary: RootSummary
    condition: Condition | None = None


class RootThread:
    """`changed` is called from the thread whenever `latest` has changed; `path`: the root's state; `orders`: operators'
    commands issued before."""

    def __init__(
        self, spec: RootSpec, path: Path, world: World, pacing: Pacing, changed: Callable[[], None], *,
        waits: Waits = ROOT, orders: deque[Order] | None = None,
    ) -> None:  # fmt: skip
        self.spec = spec
        self._path = path
        self._world = world
        self._pacing = pacing
        self._changed = changed
        self._latest = Latest(RootSummary("warning", "offline", f"root {spec.name} ({spec.location}) is starting"))
        self._turn_at: float | None = None
        self._orders: deque[Order] = deque() if orders is None else orders
        self._wake = threading.Event()
        self._stopping = False
        self._backoff = Backoff(waits)
        self._failure: str | None = None
        self._thread = threading.Thread(target=self.run, name=f"root-{spec.name}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Something happened: take a turn now. From any thread."""
        self._wake.set()

    def order(self, order: Order) -> None:
        """Hand it an order. From any thread."""
        self._orders.append(order)
        self._wake.set()

    def request_stop(self) -> None:
        """End after the present turn."""
        self._stopping = True
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for its end; True when it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def latest(self) -> Latest:
        """Its last report; if a turn takes too long, a report that the file system does not answer."""
        at = self._turn_at
        if at is None or self._world.clock.monotonic() - at < SILENT_SECONDS:
            return self._latest
        return Latest(silent(self.spec), self._latest.condition)

    @property
    def has_begun(self) -> bool:
        """True once it has taken its first turn, or failed to."""
        return self.latest.condition is not None or self.latest.summary.status == "error"

    @property
    def is_alive(self) -> bool:
        """False when it never started, gave up at its start, or has ended."""
        return self._thread.is_alive()

    def run(self) -> None:
        """The thread's outermost loop."""
        log.bind(root=self.spec.name, library=self.spec.library)
        try:
            self._keep_on()
        finally:
            self._world.backend.close()

    def _keep_on(self) -> None:
        while not self._stopping:
            try:
                self._keep()
            except RootReset as error:
                _log.info("a root starts over", root=self.spec.name, reason=str(error))
            except LibraryChanged as error:
                _log.error("root refused", root=self.spec.name, reason=str(error))
                self._report(failing(self.spec, str(error)))
                return
            except Exception as error:  # noqa: BLE001 - the thread's outermost loop
                self._failed(error)
                self._wake.wait(self._backoff.next_seconds())

    def _keep(self) -> None:
        database = Database(self._path, points=self._world.points)
        try:
            keeper = Keeper(self.spec, database, self._world, self._pacing, self.wake, orders=self._orders,
                failure=self._failure,
            )  # fmt: skip
            try:
                self._turns(keeper)
            finally:
                keeper.close()
        finally:
            database.close()

    def _turns(self, keeper: Keeper) -> None:
        while not self._stopping:
            self._wake.clear()
            self._turn_at = self._world.clock.monotonic()
            rest = keeper.turn()
            self._turn_at = None
            self._failure = None
            self._backoff.reset()
            condition = keeper.condition()
            self._report(summarise(self.spec, condition), condition)
            self._wake.wait(rest)

    def _report(self, what: RootSummary, condition: Condition | None = None) -> None:
        before, self._latest = self._latest, Latest(what, condition)
        if what.is_equivalent_to(before.summary):
            return
        self._changed()
        if condition is not None and condition.fault is not None:
            _log.warning("root cannot be observed", root=self.spec.name, path=self.spec.location, why=what.message)
        elif condition is not None and before.summary.status == "error":
            _log.info("root is observed again", root=self.spec.name, path=self.spec.location)

    def _failed(self, error: Exception) -> None:
        self._turn_at = None
        if isinstance(error, sqlite3.Error):
            if is_damaged(error):  # the next start moves it aside; nothing can be written here
                end_hard(f"state of root {self.spec.name} is damaged: {self._path}: {error}")
            self._failure = "state_unwritable"
            reason = f"its state {self._path} cannot be written: {error}"
            _log.error("state cannot be written", root=self.spec.name, path=str(self._path), error=str(error))
        else:
            self._failure = "journal_failed"
            reason = f"{type(error).__name__}: {error}"
            _log.error("a root's thread failed, starting it again", root=self.spec.name, exc_info=error)
        self._report(failing(self.spec, f"{reason}; trying again"))
