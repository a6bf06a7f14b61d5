"""Reads the disk: walks a root's tree through its back-end, and checks single paths.

A root whose identity differs from the known one is not compared, and nothing is reported about what cannot be read. Nothing
is watched, and a tree is opened for one walk or check only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from cli.audit.findings import PathState
from producer.backends.interface import Backend, Tree
from producer.backends.table import backend_of
from producer.core import identity
from producer.core.filters import Filters
from producer.core.identity import Faulty, Same
from producer.errors import RootFault, Unreadable
from producer.settings import NAS_JUNK, RootSpec
from schemas.raw import FileState, RootIdentity


@dataclass(slots=True)
class Walked:
    """The result of a walk. `faulty`: why the root could not be opened; `unread`: what could not be read, and why."""

    tree: dict[str, PathState] = field(default_factory=dict)
    identity: identity.Seen | None = None
    faulty: Faulty | None = None
    unread: dict[str, str] = field(default_factory=dict)

    def fault(self, known: RootIdentity | None) -> Faulty | None:
        """Why the root cannot be compared with the known one; None if it can."""
        if self.faulty is not None:
            return self.faulty
        assert self.identity is not None
        judged = identity.judge(known, self.identity)
        return None if isinstance(judged, Same) else judged


@dataclass(frozen=True, slots=True)
class PathLook:
    """What is at one path. `excluded`: something is there, but the settings exclude it; `changed_ns`: the last change of the
    path, or of the differing directories above it and the first equal one."""

    seen: PathState | None
    excluded: bool
    changed_ns: int


class Disk:
    """One root, as declared in the settings."""

    def __init__(self, spec: RootSpec, backend: Backend | None = None) -> None:
        self._backend = backend_of(spec) if backend is None else backend
        self._filters = Filters(NAS_JUNK + spec.exclude, spec.include)

    def walk(self, walked: Callable[[int], None]) -> Walked:
        """Walk the whole tree. `walked` is called with the number of further entries. Raises nothing."""
        found = Walked()
        try:
            with self._backend.open() as tree:
                found.identity = identity.Seen(tree.identity, tree.is_empty)
                waiting = [""]
                while waiting:
                    before = len(found.tree)
                    waiting += self._directory(waiting.pop(), tree, found)
                    walked(len(found.tree) - before)
        except RootFault as fault:
            found.faulty = fault.faulty
        return found

    def look(self, paths: Collection[str]) -> dict[str, PathLook]:
        """Check these paths again; unreadable ones are left out. Raises RootFault."""
        with self._backend.open() as tree:
            looks = {}
            for path in paths:
                try:
                    looks[path] = self._look(path, paths, tree)
                except Unreadable:
                    continue
            return looks

    def _directory(self, path: str, tree: Tree, found: Walked) -> Iterator[str]:
        try:
            listing = tree.entries(path)
        except Unreadable as error:
            found.unread[path] = error.reason
            return
        for name, state in listing or ():
            is_dir = state.type == "dir"
            if self._filters.admits_child(path, name, is_dir=is_dir):
                inner = f"{path}/{name}" if path else name
                found.tree[inner] = _seen(state)
                if is_dir:
                    yield inner

    def _look(self, path: str, differing: Collection[str], tree: Tree) -> PathLook:
        state = tree.stat(path)
        changed = 0 if state is None else state.ctime_ns
        above = path
        while above:  # a directory that was moved in keeps its times, but not the one that it was moved into
            above = above.rpartition("/")[0]
            directory = tree.stat(above)
            if directory is not None:
                changed = max(changed, directory.ctime_ns)
                if above not in differing:
                    break
        admitted = state is not None and self._filters.admits(path, is_dir=state.type == "dir")
        return PathLook(
            _seen(state) if state is not None and admitted else None, state is not None and not admitted, changed
        )


def _seen(state: FileState) -> PathState:
    return PathState.of(state.type, state.size, state.mtime_ns)
