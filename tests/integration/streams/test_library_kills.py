"""The library fold loses nothing and repeats nothing, whenever its process is killed.

Named points lie before and after a send, between send and commit, and after the commit; a point that was not
reached fails the test.
"""

from __future__ import annotations

import asyncio
import signal
import threading

from runtime.kafka import Kafka
from tests.support.fold_run import Feeder, Workers, drained, read_jobs, verdict, wait_live
from tests.support.waiting import wait_until

POINTS = ("before_send", "after_send", "before_commit", "after_commit")
CHANGES = 2_000


def feed(feeder: Feeder, changes: int, pause_seconds: float, enough: threading.Event) -> threading.Thread:
    """Feed in the background, `changes` at least and until it is enough; the caller joins."""
    work = feeder.run(changes, pause_seconds=pause_seconds, until=enough.is_set)
    thread = threading.Thread(target=lambda: asyncio.run(work))
    thread.start()
    return thread


def test_killed_at_every_point_nothing_is_lost_and_nothing_is_twice(kafka: Kafka, workers: Workers) -> None:
    bootstrap = kafka.settings.bootstrap_servers or ""
    feeder = Feeder(kafka, seed=1)
    enough = threading.Event()
    feeding = feed(feeder, CHANGES, 0.1, enough)
    hits = [(point, hit) for hit in (3, 7) for point in POINTS]
    for point, hit in hits:
        worker = workers("a", point, hit)
        wait_until(lambda worker=worker: worker.died is not None, 90, what=f"a kill at {point}")  # type: ignore[misc]
        assert (worker.died, worker.hit) == (-9, True), f"{point} was not reached"
        feeder.offer_jobs(read_jobs(kafka, bootstrap)[-50:])
    enough.set()
    last = workers("a")
    feeding.join(120)
    assert not feeding.is_alive()
    drained(kafka, bootstrap, [last])
    assert last.end() == 0
    assert verdict(kafka, bootstrap) > CHANGES


def test_a_worker_stopped_past_its_session_is_refused_and_takes_part_again(kafka: Kafka, workers: Workers) -> None:
    bootstrap = kafka.settings.bootstrap_servers or ""
    first = workers("a")
    second = workers("b")
    both = [first, second]
    wait_live(both, kafka.lanes)
    enough = threading.Event()
    feeding = feed(Feeder(kafka, seed=2), 1_200, 0.1, enough)
    for zombie, other in ((first, second), (second, first)):
        wait_until(lambda: all(o > 50 for _, o in zombie.lanes.values()), 60, what="work in flight")  # noqa: B023
        zombie.signal(signal.SIGSTOP)
        wait_until(lambda: len(other.lanes) == kafka.lanes, 60, what="the other to take over")  # noqa: B023
        wait_live([other], kafka.lanes)
        zombie.signal(signal.SIGCONT)
        wait_until(lambda: len(zombie.lanes) == kafka.lanes // 2, 60, what="the zombie to take part again")  # noqa: B023
        wait_live(both, kafka.lanes)
        assert [worker.died for worker in both] == [None, None]
    enough.set()
    feeding.join(120)
    drained(kafka, bootstrap, both)
    assert [worker.end() for worker in both] == [0, 0]
    assert verdict(kafka, bootstrap) > 1_200
