"""Verifies what was observed before it is written.

A path is recorded as gone only if the root was seen to be there afterwards. Nothing is recorded for a file system mounted
below the root while that file system is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from producer.backends.interface import Backend, Tree
from producer.core.facts import Fact, Gone
from producer.core.identity import Faulty, Same, Seen, judge
from producer.errors import RootFault
from producer.memory import Memory
from producer.mounts import MountChange, Mounts
from schemas.raw import RootIdentity

OnMountChange = Callable[[MountChange, Mapping[str, RootIdentity]], None]


class Verifier:
    """For one root. `on_change` is called with each change of a file system mounted below it, and those mounted now."""

    def __init__(self, backend: Backend, memory: Memory, mounts: Mounts, on_change: OnMountChange) -> None:
        self._backend = backend
        self._memory = memory
        self._mounts = mounts
        self._on_change = on_change

    def judge(self) -> Same | Faulty:
        """Is the directory at the root's path the root?"""
        try:
            with self._backend.open() as tree:
                return judge(self._memory.identity, Seen(tree.identity, tree.is_empty))
        except RootFault as fault:
            return fault.faulty

    def open(self) -> Tree:
        """The root, for one access. Raises RootFault."""
        tree = self._backend.open()
        verdict = judge(self._memory.identity, Seen(tree.identity, tree.is_empty))
        if isinstance(verdict, Faulty):
            tree.__exit__(None, None, None)
            raise RootFault(verdict)
        return tree

    def check_mounts(self) -> None:
        """Compare the file systems mounted below the root with the remembered ones."""
        now = self._backend.mounts()
        for change in self._mounts.compare(now):
            self._on_change(change, now)

    def verified(self, facts: Sequence[Fact]) -> Sequence[Fact]:
        """Those of the facts that may be written. Raises RootFault where the root is not there."""
        if any(isinstance(fact, Gone) for fact in facts) and isinstance(faulty := self.judge(), Faulty):
            raise RootFault(faulty)
        if self._mounts.concern(facts):
            self.check_mounts()
        return self._mounts.without_lost(facts)
