"""The roots of this process: those that are declared at present.

The declarations are read every second. A root that was added is watched. One that was removed is released, so that another
producer may claim it at once. One whose declaration has changed is stopped and started again on its state: a scan records
what differs under its new settings. Each root starts and ends independently of the others."""

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
        """Faults in declarations, and of declared roots that cannot be watched."""
        return (*self._declared.faults, *self._unopened.values())

    def handover(self, root: str, term: int) -> Holding:
        """What is reported of a root that this process has, for its next holder."""
        watched = self._roots.get(root) or self._ended.get(root)
        return Holding(term=term) if watched is None else watched.handover(term)

    async def update(self, group: asyncio.TaskGroup, leases: LeaseLog) -> None:
        """Start and stop roots until they match the present declarations; the roots run in `group`."""
        declared = await asyncio.to_thread(self._declarations.read)
        for fault in declared.faults:
            if fault not in self._declared.faults:
                _log.error("a root declaration is faulty", fault=fault)
        self._declared = declared
        for name, root in self._roots.items():
            if root.spec != declared.specs.get(name) and not root.is_ending:
                _log.info("a root has changed" if name in declared.specs else "a root was removed", root=name)
                root.request_end(for_good=True)
        for name, spec in declared.specs.items():
            if name not in self._roots and not self._is_ending:
                self._begin(spec, group, leases)

    async def follow(self, group: asyncio.TaskGroup, leases: LeaseLog) -> None:
        """Update repeatedly, for ever; to be cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.update(group, leases)

    def request_end(self) -> None:
        """Request the end of all, and start no more."""
        self._is_ending = True
        for root in self._roots.values():
            root.request_end()

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
            self._control.remove(name)
        if not self._is_ending and name not in self._declared.specs:
            await leases.release(name)
