"""A storm over the library fold: workers killed, stopped past their session, joining and leaving, while changes come,
snapshots are written and rules are adopted; and the verdict.

`python -m tests.support.fold_storm [--changes N] [--kills N] [--zombies N] [--workers N] [--seed N]`: 50,000 changes and 300
kills if nothing else is said.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from cli.adopting import adopt_newest
from cli.progress import Advance, Stages
from cli.provisioning.topics import apply
from runtime.kafka import Kafka
from runtime.lifecycle import SOFTWARE
from runtime.settings import KafkaSettings
from tests.support.fold_run import Feeder, Worker, Workers, drained, read_jobs, states, verdict, wait_live
from tests.support.waiting import wait_until

POINTS = ("before_send", "after_send", "before_commit", "after_commit")
SESSION_SECONDS = 3.0
POINT_SECONDS = 6.0
AHEAD = 100
"""Changes that come before the first fault; the others come with the faults, to the last."""


@dataclass(frozen=True, slots=True)
class Storm:
    """What is to come. `zombies`: workers that are stopped past their session, and then go on."""

    changes: int = 50_000
    kills: int = 300
    zombies: int = 50
    workers: int = 3
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Weathered:
    """What came of it, where nothing is lost, twice or out of order."""

    outputs: int
    snapshots: int
    seconds: float


def weather(kafka: Kafka, workers: Workers, storm: Storm, advance: Advance = lambda _: None) -> Weathered:
    """Let it come. Raises AssertionError where the outputs are not those of the refolds: from 0, twice, and from each
    snapshot that was ever written."""
    began, bootstrap, draw = time.monotonic(), kafka.settings.bootstrap_servers or "", random.Random(storm.seed)
    feeder, enough = Feeder(kafka, seed=storm.seed), threading.Event()
    deeds = ["kill"] * storm.kills + ["zombie"] * storm.zombies + ["change"] * (storm.kills // 10)
    draw.shuffle(deeds)
    done = 0
    work = feeder.run(
        storm.changes, until=enough.is_set, due=lambda: AHEAD + storm.changes * (done + 1) // len(deeds)
    )
    feeding = threading.Thread(target=lambda: asyncio.run(work), daemon=True)
    names = [chr(ord("a") + number) for number in range(storm.workers)]
    running = {name: workers(name) for name in names[:2]}
    wait_live(list(running.values()), kafka.lanes)
    feeding.start()
    try:
        for number, deed in enumerate(deeds):
            if number == len(deeds) // 2:
                asyncio.run(adopt_newest(kafka))
            _do(deed, workers, running, names, draw)
            feeder.offer_jobs(read_jobs(kafka, bootstrap)[-50:])
            done = number + 1
            advance(1)
    finally:
        enough.set()
        feeding.join(storm.changes)
    assert not feeding.is_alive()
    time.sleep(SESSION_SECONDS * 2)  # a worker stopped past its session ends itself, or rejoins
    _revive(workers, running)
    drained(kafka, bootstrap, list(running.values()))
    for worker in running.values():
        assert worker.end() == 0
    outputs = verdict(kafka, bootstrap)
    kept = sum(len(states(kafka, bootstrap, lane)) for lane in range(kafka.lanes))
    return Weathered(outputs, kept, time.monotonic() - began)


def _do(deed: str, workers: Workers, running: dict[str, Worker], names: list[str], draw: random.Random) -> None:
    name = draw.choice(sorted(running))
    match deed:
        case "kill" if draw.random() < 0.5:  # whenever it happens to be
            time.sleep(draw.random())
            running[name].kill()
            running[name] = workers(name)
        case "kill":
            running.pop(name).kill()
            doomed = workers(name, draw.choice(POINTS), draw.randrange(1, 6))
            with suppress(TimeoutError):  # its lanes may be those that nothing comes into
                wait_until(lambda: doomed.died is not None, POINT_SECONDS, what="a kill at a point")
            doomed.kill()
            running[name] = workers(name)
        case "zombie":
            running[name].signal(signal.SIGSTOP)
            time.sleep(SESSION_SECONDS + 1 + draw.random())
            running[name].signal(signal.SIGCONT)
        case _:
            away = [other for other in names if other not in running]
            if away and draw.random() < 0.6:
                running[away[0]] = workers(away[0])
            elif len(running) > 1:
                leaving = running.pop(name)
                wait_until(lambda: leaving.has_begun or leaving.died is not None, 60, what="it to begin")
                code = leaving.end()
                assert code in (0, SOFTWARE), code  # who was stopped past its session may just end itself
    _revive(workers, running)


def _revive(workers: Workers, running: dict[str, Worker]) -> None:
    """Who has ended hard is started again, as its supervisor would have it."""
    for name in [name for name, worker in running.items() if worker.died is not None]:
        running[name] = workers(name)


def main() -> int:
    """0 where nothing was lost or twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.fold_storm", description=__doc__)
    for name, value in (("changes", 50_000), ("kills", 300), ("zombies", 50), ("workers", 3), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value, help=f"{value} by default")
    given = parser.parse_args()
    storm = Storm(given.changes, given.kills, given.zombies, given.workers, given.seed)
    from bench.support import broker

    with ExitStack() as held:
        served = held.enter_context(broker(lanes=4))
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="fold-storm-"))
        session = {"session.timeout.ms": int(SESSION_SECONDS * 1_000)}
        settings = KafkaSettings.model_validate(served.settings.model_dump(by_alias=True) | session)
        kafka = Kafka(settings, "storm")
        asyncio.run(apply(kafka))
        workers = Workers(kafka, Path(folder))
        held.callback(workers.end)
        advance = held.enter_context(Stages().stage("faults", storm.kills + storm.zombies + storm.kills // 10))
        found = weather(kafka, workers, storm, advance)
    print(
        f"{found.outputs:,} outputs, {found.snapshots} snapshots, {found.seconds:.0f} s: nothing lost, nothing twice"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
