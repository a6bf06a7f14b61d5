"""Plays a sequence with the real producer and the fold: real files, the real back-ends and their watches, a real outbox, one
lane for both roots; no Kafka, and no reconcile except those that the producer starts by itself when it has missed something
(and for polled roots). Time is simulated, including the log's.

Steps and turns follow each other in one thread, so that a sequence fails again. What happens in the middle of a turn
is done between two of its accesses to the tree."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from producer.backends.interface import Backend, Tree, Watch
from producer.database import Database
from producer.keeper import Keeper
from producer.orders import Order
from producer.scanning import MASS_DELETION
from producer.settings import RootSpec
from producer.world import Pacing, World
from tests.oracle.hand import Hand
from tests.oracle.lane import Lane
from tests.oracle.lives import Placed, lost_ids, placed
from tests.oracle.model import RecordReader, differences, outdated, shared, walk
from tests.oracle.reach import reach
from tests.oracle.reader import Reader
from tests.oracle.steps import PLACES, ROOTS, Step
from tests.oracle.ways import (
    GRAIN_NS,
    LATE,
    LOOK,
    LOOKED_WINDOW_MS,
    NOT_THERE,
    RECONCILE_SECONDS,
    UNSEEN_SECONDS,
    WINDOW_MS,
    Way,
)  # fmt: skip
from tests.support.producer_root import StandingClock

NEVER = 1e6
"""Seconds to the next periodic reconcile."""

SOON = 5.0
"""What is due in less than this is still to come; the check of a root's identity is later."""

REST_TURNS = 500
TICK_SECONDS = 0.001
CONFIRM_SECONDS = 60.0


ALL_THERE_MS = 1_000
"""A longer pause, in which a producer may have no turn, counts as if it were away."""


class Killed(BaseException):
    """The producer ends here, in the middle of whatever it does."""


@dataclass(slots=True)
class Meddler:
    """What is to be done in the middle of turns."""

    hand: Hand
    waiting: list[tuple[int, Step]]
    active: bool = False

    def look(self) -> None:
        """A producer is about to access the tree."""
        if not self.active:
            return
        due = [step for number, step in self.waiting if number <= 1]
        self.waiting = [(number - 1, step) for number, step in self.waiting if number > 1]
        for step in due:
            self._do(step)

    def finish(self) -> None:
        """A turn ended before the rest was due."""
        rest, self.waiting = self.waiting, []
        for _, step in rest:
            if step.action != "kill":
                self._do(step)

    def _do(self, step: Step) -> None:
        if step.action == "kill":
            raise Killed
        self.hand.do(step)


class MeddledTree:
    """A tree at whose every access something may happen first."""

    def __init__(self, tree: Tree, look: Callable[[], None]) -> None:
        self._tree = tree
        self._look = look
        self.identity = tree.identity
        self.is_empty = tree.is_empty

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tree.__exit__(None, None, None)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._tree, name)

        def looked(*arguments: object) -> Any:
            self._look()
            return method(*arguments)

        return looked


@dataclass
class MeddledBackend:
    """The real back-end of one root."""

    real: Backend
    meddler: Meddler

    def open(self) -> MeddledTree:
        return MeddledTree(self.real.open(), self.meddler.look)

    def watch(self, wake: Callable[[], None]) -> Watch:
        return self.real.watch(wake)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class Watched:
    """One root and its producer, which may be stopped and started."""

    def __init__(
        self,
        folder: Path,
        name: str,
        lane: Lane,
        clock: StandingClock,
        meddler: Meddler,
        backend: Backend,
        way: Way,
    ) -> None:
        self.name = name
        self._backend = backend
        self._way = way
        self.folder = folder / name
        self._state = folder / f"{name}.sqlite"
        self._clock = clock
        self._meddler = meddler
        self._woken = threading.Event()
        self._database: Database | None = None
        self._keeper: Keeper | None = None
        self._lane = lane
        self.reader = RecordReader()
        self._read = 0

    def start(self) -> None:
        if self._keeper is not None:
            return
        self._database = Database(self._state, durable=False)
        backend = MeddledBackend(self._backend, self._meddler)
        reconcile = RECONCILE_SECONDS.get(self._way, NEVER)
        pacing = Pacing(SOON, reconcile, 1_000_000, confirm_seconds=CONFIRM_SECONDS)
        window = LOOKED_WINDOW_MS if self._way in LOOK else WINDOW_MS
        spec = RootSpec(name=self.name, library=self._lane.library, path=self.folder, rename_window_ms=window)
        self._keeper = Keeper(spec, self._database, World(backend, self._clock), pacing, self._woken.set,
            orders=deque[Order](),
        )  # fmt: skip

    def stop(self) -> None:
        if self._keeper is None or self._database is None:
            return
        self._keeper.close()
        self._backend.close()
        self._take()
        self._database.close()
        self._keeper = self._database = None

    def turn(self) -> float:
        """Seconds until the producer wants to act again; for ever away when it is killed in the middle."""
        if self._keeper is None:
            return NEVER
        self._woken.clear()
        self._meddler.active = True
        try:
            rest = self._keeper.turn()
        except Killed:
            self._meddler.active = False
            self.stop()
            return NEVER
        finally:
            self._meddler.active = False
        self._take()
        return rest

    def is_woken(self) -> bool:
        """Whether it was woken since the last turn."""
        return self._woken.is_set()

    @property
    def is_doubtful(self) -> bool:
        """Whether it has found so much gone that a second scan must confirm it."""
        return self._keeper is not None and any(MASS_DELETION in it for it in self._keeper.condition().problems)

    def differences(self, *, in_kind: bool = False) -> list[str]:
        """`in_kind`: compare only the kind of each entry."""
        there = walk(self.folder, GRAIN_NS.get(self._way, 1))
        alike = there.keys() if in_kind else shared(self.folder, self._meddler.hand.links)
        found = differences(self.reader.tree, there, alike)
        return [f"{self.name}/{line}" for line in found]

    def _take(self) -> None:
        assert self._database is not None
        rows = self._database.execute("SELECT seq, value FROM outbox ORDER BY seq").fetchall()
        for seq, value in rows:
            assert seq == self._read + 1, f"{self.name}: record {seq} after {self._read}"
            self._read = seq
            self.reader.read(value)
            self._lane.write(value)
        self._database.execute("DELETE FROM outbox WHERE seq <= ?", (self._read,))


PATIENCE_SECONDS = 0.01
"""How long a thread that reads events may take to notice one."""

TOLD_SECONDS: dict[Way, float] = {"share": 0.3}
"""How long a server may take to report one."""


class Play:
    """Two roots in an empty folder. `apart`: of two libraries; `way`: how they are watched."""

    def __init__(self, folder: Path, *, apart: bool = False, way: Way = "inotify") -> None:
        self._way = way
        for place in PLACES:
            (folder / place).mkdir(parents=True, exist_ok=True)
        self._reach = reach(folder, way)
        self._hand = self._reach.hand
        self._clock = StandingClock()
        self._meddler = Meddler(self._hand, [])
        self._reader = Reader()
        one = Lane(0, "home", self._clock, self._reader)
        self._lanes = [one, Lane(1, "other", self._clock, self._reader) if apart else one]
        self._roots = {
            name: Watched(folder, name, lane, self._clock, self._meddler, self._reach.backend(name), way)
            for name, lane in zip(ROOTS, self._lanes, strict=True)
        }
        self._folder = folder
        self._items: dict[int, Placed] = {}
        self._apart = apart
        self._across = not apart

    def run(self, steps: list[Step]) -> list[str]:
        """The differences at the first rest where there are any."""
        try:
            return self.go_on(steps)
        finally:
            self.stop()

    def go_on(self, steps: list[Step]) -> list[str]:
        """The same, and the producers keep running."""
        for root in self._roots.values():
            root.start()
        self._believed()
        for number, step in enumerate(steps):
            if step.action in NOT_THERE.get(self._way, ()):
                continue
            if found := self._step(step):
                return [f"at step {number + 1}: {step}", *found]
        return []

    def stop(self) -> None:
        """The producers end."""
        for root in self._roots.values():
            root.stop()
        self._reach.close()

    @property
    def ids(self) -> dict[str, int]:
        """The item of each recorded file, by root and path."""
        return {f"{root}/{os.fsdecode(path)}": id_ for (root, path), id_ in self._reader.ids.items()}

    @property
    def records(self) -> int:
        """How many were written."""
        return sum(root.reader.count for root in self._roots.values())

    def _step(self, step: Step) -> list[str]:
        root = self._roots.get(step.path)
        match step.action:
            case "turn" if root is not None:
                root.turn()
                self._meddler.finish()
            case "pause":
                self._clock.now += step.number / 1_000
                self._across = self._across and step.number < ALL_THERE_MS
            case "start" if root is not None:
                root.start()
            case "stop" if root is not None:
                self._across = False
                root.stop()
            case "kill" if root is not None:
                self._across = False
                self._meddler.waiting.append((max(1, step.within), step))
                root.turn()
                self._meddler.finish()
                root.stop()
            case "quiet":
                return self._quiet()
            case _ if step.within:
                self._meddler.waiting.append((step.within, step))
            case _:
                self._meddler.finish()
                self._hand.do(step)
        return []

    def _quiet(self) -> list[str]:
        self._meddler.finish()
        for root in self._roots.values():
            root.start()
        if found := self._believed():
            return found
        for lane in self._lanes:
            lane.quiet()
        found = [line for root in self._roots.values() for line in root.differences()]
        return found or self._output_differences()

    def _believed(self) -> list[str]:
        """Everything that the way guarantees is recorded; what has come or gone and is not seen in time."""
        if self._way not in LOOK:
            self._rest()
            return []
        found = self._unseen(UNSEEN_SECONDS[self._way]) if self._way in UNSEEN_SECONDS else []
        self._pass(RECONCILE_SECONDS[self._way] + SOON)
        if self._is_doubtful:
            self._pass(CONFIRM_SECONDS + SOON)
        return found

    @property
    def _is_doubtful(self) -> bool:
        return any(root.is_doubtful for root in self._roots.values())

    def _unseen(self, seconds: float) -> list[str]:
        time.sleep(TOLD_SECONDS.get(self._way, 0.0))
        self._pass(seconds)
        if self._is_doubtful:
            self._pass(CONFIRM_SECONDS)
        return [line for root in self._roots.values() for line in root.differences(in_kind=True)]

    def _pass(self, seconds: float) -> None:
        """Time passes, in which both take their turns."""
        due = dict.fromkeys(self._roots.values(), self._clock.now)
        until = self._clock.now + seconds
        while (at := min(due.values())) <= until:
            self._clock.now = max(self._clock.now, at)
            for root in [root for root in due if due[root] <= self._clock.now]:
                due[root] = self._clock.now + max(TICK_SECONDS, root.turn())
        self._clock.now = until

    def _rest(self) -> None:
        """Both take turns until nothing is left to do."""
        due = dict.fromkeys(self._roots.values(), self._clock.now)
        quiet = dict.fromkeys(due, 0)
        for _ in range(REST_TURNS):
            if not any(root.is_woken() for root in due):
                time.sleep(PATIENCE_SECONDS)
            woken = [root for root in due if root.is_woken()]
            if not woken and min(quiet.values()) >= 2:
                return
            if not woken:
                self._clock.now = max(self._clock.now, min(due.values()))
            for root in [root for root in due if root in woken or due[root] <= self._clock.now]:
                rest = root.turn()
                due[root] = self._clock.now + TICK_SECONDS + min(rest, CONFIRM_SECONDS)
                quiet[root] = quiet[root] + 1 if rest >= SOON * 0.9 else 0
        raise TimeoutError("the producers do not come to rest")

    def _output_differences(self) -> list[str]:
        """The fold's outputs compared with the tree: paths, items, and which files kept theirs."""
        reader, lives, found = self._reader, self._hand.lives, list(self._reader.faults)
        items: dict[int, Placed] = {}
        unseen: list[Path] = []
        for name in ROOTS:
            seen = walk(self._folder / name, GRAIN_NS.get(self._way, 1))
            there = {path: replace(thing, content=None) for path, thing in seen.items()}
            view, twins = reader.trees.get(name, {}), shared(self._folder / name, self._hand.links)
            found += [f"fold: {name}/{line}" for line in differences(view, there, twins)]
            unseen += (self._folder / name / path for path in outdated(view, there, twins))
            items |= placed(self._folder, name, reader.ids, lives)
        if {id_: place for place, id_ in reader.ids.items()} != reader.items:
            found.append(f"items {reader.items} are not the files {reader.ids}")
        stay = reader.items if self._way in LATE else ()
        found += lost_ids(self._items, items, lives, across=self._across, staying=stay).values()
        self._items, self._across = items, not self._apart
        lives.compared(unseen)
        return found


def play(steps: list[Step], folder: Path, way: Way = "inotify") -> list[str]:
    """Play in a folder that is created and removed; the differences, none when all is well."""
    folder.mkdir(parents=True)
    try:
        return Play(folder, way=way).run(steps)
    except TimeoutError as error:
        return [str(error)]
    except Exception as error:  # noqa: BLE001 - a producer that fails is a finding
        return [f"{type(error).__name__}: {error}"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
