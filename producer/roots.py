"""The roots of this process: those that are declared, at any time.

What is declared is looked at every second. A root that has come is watched, one that has left is let go, so that another
producer may take it at once, and one of which another thing is declared ends and begins again on its state: what differs by
its new settings a scan tells. Each lives and ends for itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator

from producer.control import ControlReader
from producer.declared import Declarations, Declared
from producer.lease_log import LeaseLog
from producer.settings import RootSpec
from producer.watched import Watched
from runtime import log
from schemas.leases import Holding

LOOK_SECONDS = 1.0

_log = log.get(__name__)


class Roots:
    """`make` prepares a root to be watched; raises sqlite3.Error or OSError where its state cannot be opened."""

    def __init__(
        self, declarations: Declarations, make: Callable[[RootSpec], Watched], control: ControlReader
    ) -> None:
        self._declarations = declarations
        self._make = make
        self._control = control
        self._roots: dict[str, Watched] = {}
        self._ended: dict[str, Watched] = {}
        self._declared = Declared({})
        self._unopened: dict[str, str] = {}
        self._is_ending = False

    def __iter__(self) -> Iterator[Watched]:
        return iter(list(self._roots.values()))

    def __len__(self) -> int:
        return len(self._roots)

    @property
    def faults(self) -> tuple[str, ...]:
        """What is declared, or was to be watched, and cannot be."""
        return (*self._declared.faults, *self._unopened.values())

    def handing_on(self, root: str, term: int) -> Holding:
        """What is said of a root that is held here under a term."""
        watched = self._roots.get(root) or self._ended.get(root)
        return Holding(term=term) if watched is None else watched.handing_on(term)

    async def look(self, group: asyncio.TaskGroup, leases: LeaseLog) -> None:
        """Make what is watched what is declared now; the roots live in `group`."""
        declared = await asyncio.to_thread(self._declarations.read)
        for fault in declared.faults:
            if fault not in self._declared.faults:
                _log.error("a root is declared wrongly", fault=fault)
        self._declared = declared
        for name, root in self._roots.items():
            if root.spec != declared.specs.get(name) and not root.is_ending:
                _log.info("a root is declared anew" if name in declared.specs else "a root has left", root=name)
                root.ask_end(for_good=True)
        for name, spec in declared.specs.items():
            if name not in self._roots and not self._is_ending:
                self._begin(spec, group, leases)

    async def follow(self, group: asyncio.TaskGroup, leases: LeaseLog) -> None:
        """Look again and again, for ever; to be cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look(group, leases)

    def ask_end(self) -> None:
        """All are to end, and none begins."""
        self._is_ending = True
        for root in self._roots.values():
            root.ask_end()

    def _begin(self, spec: RootSpec, group: asyncio.TaskGroup, leases: LeaseLog) -> None:
        try:
            root = self._make(spec)
        except (sqlite3.Error, OSError) as error:
            fault = f"root {spec.name}: its state cannot be opened: {error}"
            if self._unopened.get(spec.name) != fault:
                _log.error("a root cannot be watched", fault=fault)
            self._unopened[spec.name] = fault
            return
        self._unopened.pop(spec.name, None)
        self._roots[spec.name] = root
        self._control.read_for(spec.name, root.commands_read, root.order)
        group.create_task(self._live(root, leases))

    async def _live(self, root: Watched, leases: LeaseLog) -> None:
        name = root.spec.name
        try:
            await root.live(leases)
        finally:
            self._ended[name] = self._roots.pop(name)
            self._control.leave(name)
        if not self._is_ending and name not in self._declared.specs:
            await leases.let_go(name)
