"""`python -m tests.oracle.line`: plays seeds with the whole pipeline of real processes. A broker, PostgreSQL, `watch`,
`stream` and `project`, with the real clock; kills, suspensions and outages while people work. At each rest the tree, the
view of an independent reader of the change log, and the rows must be the same, and a file that was only moved must keep its
item; at the end every topic of the fold must equal the fold of the change log.

The order of events depends on the machine, so a failing sequence is shown at full length and may not fail again."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import get_args

from cli.progress import Advance, Stages
from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from cli.up.embedded.kafka import EmbeddedKafka
from runtime.kafka import Kafka
from schemas.lanes import lane_of
from schemas.topics import RAW
from tests.oracle.change_log import ChangeLog
from tests.oracle.hand import Hand
from tests.oracle.lives import Placed, lost_ids, placed
from tests.oracle.model import Tree, differences, outdated, shared, walk
from tests.oracle.people import People
from tests.oracle.processes import Processes
from tests.oracle.steps import PLACES, ROOTS, Step
from tests.oracle.tables import Rows, Tables
from tests.oracle.ways import LocalWay
from tests.support.fold_run import verdict
from tests.support.servers import both, clients, fresh_database

LIBRARY = "home"
BOUND_SECONDS, POLLED_BOUND_SECONDS = 10.0, 45.0
"""From the time when all is quiet and every process has been started: log, tree and rows are the same."""

PATIENCE_SECONDS = 90.0
CONFIRM_SECONDS = 60.0
"""More where a mass deletion waits for its second scan."""

LONGEST_PAUSE_SECONDS = 0.6
TURN_SECONDS = 0.015
LOOK_SECONDS = 0.1
CAUGHT_SECONDS = 1.0
"""A move so shortly before the producer ended may have been recorded by halves: its next life records the other half."""

VICTIMS = ("watch", "watch", "stream", "stream", "project")
PARTS = 100
"""Parts of a seed, as its progress is shown."""


@dataclass
class Outcome:
    """Of one sequence. `seconds`: to convergence, at each rest; `ended`: processes that ended by themselves; `again`:
    records that were sent more than once; `caught`: items that were lost because the producer ended when one half of a move
    was recorded, and was not back within the rename window; `peak_mb`: resident memory by process, when the broker was
    away; `differences`: none when all was well, and then no `steps`."""

    seed: int = 0
    operations: int = 0
    faults: int = 0
    seconds: list[float] = field(default_factory=list)
    records: int = 0
    again: int = 0
    ended: list[str] = field(default_factory=list)
    caught: list[str] = field(default_factory=list)
    peak_mb: dict[str, float] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        """Seconds of the rest that took longest."""
        return max(self.seconds, default=0.0)


class Line:
    """Two empty roots of one library, and the whole pipeline behind them. `run` is used once. `broker`: where steps stop
    it."""

    def __init__(
        self, kafka: Kafka, url: str, folder: Path, broker: EmbeddedKafka | None = None, way: LocalWay = "inotify"
    ) -> None:
        for place in PLACES:
            (folder / place).mkdir(parents=True, exist_ok=True)
        self._kafka = kafka
        self._brokers = kafka.settings.bootstrap_servers or ""
        self._folder = folder
        self._hand = Hand(folder)
        self._log = ChangeLog(self._brokers, kafka.name(RAW), lane_of(LIBRARY, kafka.lanes))
        self._tables = Tables(url)
        self._processes = Processes(kafka, url, folder, {root: folder / root for root in ROOTS}, LIBRARY, way)
        self._broker = broker
        self._down_at = 0.0
        self._absent: set[str] = set()
        self._items: dict[int, Placed] = {}
        self._there_all_the_time = True
        self._frozen_at = float("inf")
        self.outcome = Outcome()

    def run(self, steps: list[Step], passed: Callable[[int], None] = lambda _: None) -> Outcome:
        """Run until the first rest at which something differs. `passed`: called with each step's number."""
        try:
            self._processes.start_all()
            for number, step in enumerate(steps):
                passed(number)
                if found := self._step(step):
                    self.outcome.differences = [f"at step {number + 1}: {step}", *found]
                    return self.outcome
            self.outcome.differences = self._refolded()
        finally:
            self._processes.end()
            self._log.close()
            self._tables.close()
            view = self._log.view
            self.outcome.again, self.outcome.ended = view.again, self._processes.ended
            self.outcome.peak_mb = self._processes.peak_mb
            self.outcome.records = sum(len(root.written) for root in view.roots.values())
        return self.outcome

    def _step(self, step: Step) -> list[str]:
        match step.action:
            case "turn":
                time.sleep(TURN_SECONDS)
            case "pause":
                time.sleep(min(step.number / 1_000, LONGEST_PAUSE_SECONDS))
                self._processes.tend()
            case "start":
                self._absent.discard(step.path)
                if not self._absent:
                    self._processes.start("watch")
            case "stop" | "kill":
                self._absent.add(step.path)
                self._catch()
                self._processes.stop("watch", SIGKILL if step.action == "kill" else SIGTERM)
            case "slay" | "freeze" | "thaw":
                if step.path == "watch":
                    self._fault_of_watch(step)
                getattr(self._processes, step.action)(step.path)
                self.outcome.faults += step.action != "thaw"
            case "down" | "up":
                self._broker_is(step)
                self.outcome.faults += step.action == "down"
            case "quiet":
                return self._quiet()
            case _:
                self._hand.do(step)
        return []

    def _broker_is(self, step: Step) -> None:
        assert self._broker is not None
        if step.action == "down":
            self._broker.kill()
            self._down_at = time.monotonic()
            return
        self._processes.look()
        while time.monotonic() < self._down_at + step.number / 1_000:
            time.sleep(LOOK_SECONDS)
            self._processes.tend()
            self._processes.look()
        self._broker.start()
        self._broker.wait_ready()

    def _fault_of_watch(self, step: Step) -> None:
        self._there_all_the_time = False
        match step.action:
            case "slay":
                self._catch()
            case "freeze":
                self._frozen_at = min(self._frozen_at, time.monotonic())
            case "thaw":
                self._frozen_at = float("inf")

    def _catch(self) -> None:
        self._there_all_the_time = False
        self._hand.lives.catch(min(self._frozen_at, time.monotonic()) - CAUGHT_SECONDS)
        self._frozen_at = float("inf")

    # -- at rest -----------------------------------------------------------------------------------------------

    def _quiet(self) -> list[str]:
        self._absent.clear()
        self._frozen_at = float("inf")
        self._processes.start_all()
        begun = time.monotonic()
        while found := self._wrong():
            waited = time.monotonic() - begun
            if waited > PATIENCE_SECONDS + CONFIRM_SECONDS * self._log.view.has_gap("mass_deletion"):
                return [f"after {waited:.0f} s", *found]
            time.sleep(LOOK_SECONDS)
            self._processes.tend()
        self.outcome.seconds.append(round(time.monotonic() - begun, 2))
        return self._lost_ids()

    def _wrong(self) -> list[str]:
        self._log.read_on()
        if self._log.view.faults:
            return self._log.view.faults
        found = []
        rows = self._tables.read()
        for name in ROOTS:
            there, twins = walk(self._folder / name), shared(self._folder / name, self._hand.links)
            found += [f"log: {name}/{line}" for line in differences(self._log.view.tree(name), there, twins)]
            view = rows.trees.get(name, {})
            found += [f"rows: {name}/{line}" for line in differences(view, _bare(there), twins)]
        return found or self._items_wrong(rows)

    @staticmethod
    def _items_wrong(rows: Rows) -> list[str]:
        found = [f"rows: two of {place}" for place in rows.twice]
        if {id_: place for place, id_ in rows.ids.items()} != rows.items:
            found.append(f"rows: items {rows.items} are not the files {rows.ids}")
        return found

    def _lost_ids(self) -> list[str]:
        rows, lives = self._tables.read(), self._hand.lives
        items: dict[int, Placed] = {}
        unseen: list[Path] = []
        for name in ROOTS:
            there, twins = walk(self._folder / name), shared(self._folder / name, self._hand.links)
            outdated_here = outdated(self._log.view.tree(name), there, twins)
            unseen += (self._folder / name / path for path in outdated_here)
            items |= placed(self._folder, name, rows.ids, lives)
        lost = lost_ids(self._items, items, lives, across=self._there_all_the_time)
        self.outcome.caught += [line for life, line in lost.items() if life in lives.caught]
        found = [line for life, line in lost.items() if life not in lives.caught]
        self._items, self._there_all_the_time = items, True
        lives.compared(unseen)
        return found

    def _refolded(self) -> list[str]:
        """Every output is in its topic once, in order, as the pure fold makes it of the whole change log."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                verdict(self._kafka, self._brokers)
            except AssertionError as error:  # a last commit may still be in progress
                if time.monotonic() > deadline:
                    return [f"fold: {error}"]
                time.sleep(LOOK_SECONDS * 5)
            else:
                return []


def _bare(tree: Tree) -> Tree:
    """Rows do not contain contents."""
    return {path: replace(thing, content=None) for path, thing in tree.items()}


def make_up(seed: int, operations: int, faults: int, folder: Path) -> list[Step]:
    """A seed's sequence. Every other one begins with files that exist before the producer starts."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        steps = People(seed, Path(home)).live(operations)
    draw = random.Random(f"faults of {seed}")
    for place in sorted(draw.sample(range(len(steps)), min(faults, len(steps))), reverse=True):
        victim = draw.choice(VICTIMS)
        if draw.random() < 0.3:
            steps.insert(min(len(steps), place + draw.randrange(3, 30)), Step("thaw", victim))
            steps.insert(place, Step("freeze", victim))
        else:
            steps.insert(place, Step("slay", victim))
    return [Step("stop", ROOTS[0]), *steps] if seed % 2 == 0 else steps


def without_broker(steps: list[Step], seconds: float) -> list[Step]:
    """The same, with the broker away for so long in the middle; then everything comes to rest."""
    begin, end = len(steps) // 3, 2 * len(steps) // 3
    away = [step for step in steps[begin:end] if step.action != "quiet"]
    up = [Step("up", "broker", number=round(seconds * 1_000)), Step("quiet")]
    return [*steps[:begin], Step("quiet"), Step("down", "broker"), *away, *up, *steps[end:]]


def try_seed(
    seed: int, operations: int, faults: int, kafka: Kafka, url: str, folder: Path,
    passed: Callable[[float], None], broker: EmbeddedKafka | None = None, outage: float = 0.0, way: LocalWay = "inotify",
) -> Outcome:  # fmt: skip
    """Play a seed in a folder of its own; `passed` is called with the share done. `outage`: seconds without broker."""
    steps = make_up(seed, operations, faults, folder)
    steps = without_broker(steps, outage) if outage else steps
    line = Line(kafka, url, folder / f"line-{seed}", broker, way)
    outcome = line.run(steps, lambda number: passed(number / len(steps)))
    outcome.seed, outcome.operations = seed, operations
    outcome.steps = [str(step) for step in steps] if outcome.differences else []
    return outcome


# -- the command -----------------------------------------------------------------------------------------------


def main() -> int:
    """0 when every seed converged within the bound."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle.line", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many (5)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--operations", type=int, default=1_000, help="operations a seed (1000)")
    parser.add_argument("--kills", type=int, default=60, help="kills and freezes a seed (60)")
    parser.add_argument("--outage", type=float, default=0.0, help="seconds without broker, in the middle (none)")
    parser.add_argument("--bound", type=float, help="longest time to convergence, s (10; 45 where it is polled)")
    parser.add_argument("--backend", choices=get_args(LocalWay), default="inotify", help="what watches (inotify)")
    parser.add_argument("--json", action="store_true", help="the outcome of each seed, a JSON object a line")
    given = parser.parse_args()
    bound = given.bound or (POLLED_BOUND_SECONDS if given.backend == "polling" else BOUND_SECONDS)
    failed, stages = 0, Stages(hidden=given.json)
    with tempfile.TemporaryDirectory(prefix="oracle-line-") as name, both(Path(name)) as (broker, postgres):
        for number in range(given.seeds):
            kafka = clients(broker)
            asyncio.run(apply(kafka))
            with fresh_database(postgres) as url:
                apply_migrations(url)
                what = f"seed {number + 1} of {given.seeds}, {failed} failed"
                with stages.stage(what, PARTS) as advance:
                    outcome = try_seed(
                        given.first + number, given.operations, given.kills, kafka, url, Path(name), by_share(advance),
                        broker, given.outage, given.backend,
                    )  # fmt: skip
            failed += bool(outcome.differences) or outcome.slowest > bound
            print(json.dumps(asdict(outcome)) if given.json else _line(outcome), flush=True)
    return 1 if failed else 0


def nothing(_share: float) -> None:
    """Show no progress."""


def _line(outcome: Outcome) -> str:
    found = [f"  {line}" for line in (*outcome.steps, "--", *outcome.differences)] if outcome.differences else []
    times = f"{len(outcome.seconds)} rests, the slowest {outcome.slowest:.1f} s"
    if outcome.peak_mb:
        times += ", at most " + ", ".join(f"{name} {mb:.0f} MB" for name, mb in sorted(outcome.peak_mb.items()))
    head = f"seed {outcome.seed}: {outcome.faults} faults, {outcome.records} records, {times}"
    return "\n".join([head, *(f"  {line}" for line in outcome.ended + outcome.caught), *found])


def by_share(advance: Advance) -> Callable[[float], None]:
    """Shows the progress in PARTS."""
    shown = 0

    def passed(share: float) -> None:
        nonlocal shown
        before, shown = shown, round(share * PARTS)
        advance(shown - before)

    return passed


if __name__ == "__main__":
    sys.exit(main())
