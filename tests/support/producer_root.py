"""One root as a test works on it: real files, real inotify, a real outbox, turn by turn and without Kafka; and
the tree of a reader of its records."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from producer.backends.interface import Backend, Tree, Watch
from producer.backends.local.backend import LocalBackend
from producer.backends.local.watch import InotifyWatch
from producer.clock import SystemClock
from producer.database import Database
from producer.hashing import Hasher
from producer.keeper import Keeper
from producer.orders import Order
from producer.outbox import Unsent
from producer.settings import RootSpec
from producer.world import Pacing, World
from schemas import raw
from schemas.codec import raw_codec
from schemas.paths import from_wire, is_inside

QUIET_SECONDS = 0.15
"""Longer than one half of a move waits for the other."""

BUSY_SECONDS = 0.6
"""What is due sooner than this is still to come: a file being written is examined every half second."""


class SkippingClock(SystemClock):
    """The real clock, which a test can put forward."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def monotonic(self) -> float:
        """Real time and what was skipped."""
        return time.monotonic() + self.skipped


class StandingClock(SystemClock):
    """Stands still unless a test puts it forward, so that nothing depends on how busy the machine is."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        """What it was put to."""
        return self.now


@dataclass
class RootBench:
    """A root under `folder`, and its keeper. Used as a context; `restart` creates a new keeper on the same
    state."""

    folder: Path
    pacing: Pacing = field(default_factory=lambda: Pacing(5.0, 900.0, 1_000_000))
    settings: dict[str, Any] = field(default_factory=dict)
    make_watch: Callable[[Path, Callable[[], None]], Watch] = InotifyWatch
    backend: Backend | None = None
    hasher: Hasher | None = None

    def __post_init__(self) -> None:
        self.root = self.folder / "films"
        self.root.mkdir(exist_ok=True)
        self.state = self.folder / "films.sqlite"
        self.clock = SkippingClock()
        self.wake = threading.Event()
        self.orders: deque[Order] = deque()
        self.keeper: Keeper
        self._read = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _t: type[BaseException] | None, _e: BaseException | None, _b: TracebackType | None) -> None:
        self.stop()

    @property
    def spec(self) -> RootSpec:
        """Its settings."""
        return RootSpec(**({"name": "films", "library": "home", "path": self.root} | self.settings))

    def start(self, failure: str | None = None) -> None:
        """Start a keeper on the present state."""
        self.database = Database(self.state)
        local = LocalBackend(self.root, lambda root, wake: self.make_watch(root, wake))
        world = World(self.backend or local, self.clock, hasher=self.hasher)
        self.keeper = Keeper(self.spec, self.database, world, self.pacing, self.wake.set, orders=self.orders,
            failure=failure,
        )  # fmt: skip

    def stop(self) -> None:
        """End it; nothing more is written."""
        self.keeper.close()
        self.database.close()

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def begin_again(self) -> None:
        """Start on a deleted state: its records are numbered from 1 again."""
        self.restart()
        self._read = 0

    def settle(self, seconds: float = 20.0) -> list[raw.RawRecord]:
        """Take turns until there is nothing to do; returns the records since the last time."""
        deadline = time.monotonic() + seconds
        quiet_since = None
        while time.monotonic() < deadline:
            self.wake.clear()
            rest = self.keeper.turn()
            if rest < BUSY_SECONDS and self.keeper.condition().state != "frozen":
                quiet_since = None
                self.wake.wait(rest)
                continue
            quiet_since = quiet_since or time.monotonic()
            if not self.wake.wait(QUIET_SECONDS) and time.monotonic() - quiet_since >= QUIET_SECONDS:
                return self.new_records()
        raise TimeoutError("the root does not come to rest")

    def new_records(self) -> list[raw.RawRecord]:
        """Records written since the last time."""
        rows = self.database.execute("SELECT seq, value FROM outbox WHERE seq > ? ORDER BY seq", (self._read,))
        found = rows.fetchall()
        if found:
            assert [seq for seq, _ in found] == list(range(self._read + 1, self._read + 1 + len(found)))
            self._read = found[-1][0]
        return [raw_codec.decode(value) for _, value in found]

    def everything(self) -> list[raw.RawRecord]:
        """All records ever written."""
        return [raw_codec.decode(row.value) for row in Unsent(self.database).first(10_000_000)]

    def converged(self) -> bool:
        """The tree of a reader equals the disk."""
        return tree_of(self.everything()) == on_disk(self.root)


def tree_of(records: list[raw.RawRecord]) -> dict[str, tuple[object, ...]]:
    """The tree of a reader that applies each record."""
    tree: dict[str, tuple[object, ...]] = {}
    for record in records:
        match record:
            case raw.Observed():
                path = from_wire(record.path, record.path_b64)
                if record.file is None:
                    tree.pop(path, None)
                else:
                    tree[path] = identity_of(record.file)
            case raw.Moved():
                path = from_wire(record.path, record.path_b64)
                source = from_wire(record.from_path, record.from_path_b64)
                for inner in [p for p in tree if is_inside(p, source)]:
                    tree[path + inner[len(source) :]] = tree.pop(inner)
                tree[path] = identity_of(record.file)
            case _:
                pass
    return tree


def identity_of(file: raw.FileState) -> tuple[object, ...]:
    """The reliable part of a state: changes of a directory's size and time are not recorded."""
    if file.type == "dir":
        return file.type, file.dev, file.inode
    return file.type, file.size, file.mtime_ns, file.dev, file.inode


def on_disk(root: Path) -> dict[str, tuple[object, ...]]:
    """The tree as it is."""
    with LocalBackend(root).open() as tree:
        return walked(tree)


def walked(tree: Tree) -> dict[str, tuple[object, ...]]:
    """Everything in an open root."""
    found: dict[str, tuple[object, ...]] = {}
    pending = [""]
    while pending:
        directory = pending.pop()
        for name, state in tree.entries(directory) or ():
            path = f"{directory}/{name}" if directory else name
            found[path] = identity_of(state)
            if state.type == "dir":
                pending.append(path)
    return found


def in_short(records: list[raw.RawRecord]) -> list[str]:
    """The records in short form: `+ a.mkv`, `- a.mkv`, `a.mkv > b.mkv`, `# a.mkv`, `scan_finished`."""
    return [_in_short(record) for record in records]


def _in_short(record: raw.RawRecord) -> str:
    match record:
        case raw.Observed(path=path, file=file):
            return f"{'-' if file is None else '+'} {path}"
        case raw.Moved(path=path, from_path=source):
            return f"{source} > {path}"
        case raw.Fingerprint(path=path):
            return f"# {path}"
        case raw.ScanStarted(origin=origin, cause=cause) | raw.ScanFinished(origin=origin, cause=cause):
            return f"{type(record).__name__} {origin} {cause}"
        case raw.GapOpen(cause=cause) | raw.GapClosed(cause=cause):
            return f"{type(record).__name__} {cause}"
        case raw.RootLost(cause=cause) | raw.RootBack(cause=cause):
            return f"{type(record).__name__} {cause}"
        case _:
            return type(record).__name__


def put(path: Path, content: bytes = b"content") -> None:
    """A file, written and closed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def weird(path: Path, name: bytes) -> Path:
    """A path whose name is any bytes."""
    return path / os.fsdecode(name)
