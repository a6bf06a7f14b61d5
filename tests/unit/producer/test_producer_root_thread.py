"""A root's thread: a failure in it is reported, followed by a wait, and made up for."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from producer.database import Database
from producer.outbox import Unsent
from producer.ports import Point
from producer.root import RootThread
from producer.settings import RootSpec
from producer.world import Pacing, World
from runtime.waits import Waits
from schemas.codec import raw_codec
from tests.fakes.producer_backend import FakeBackend
from tests.support.producer_root import SkippingClock, in_short
from tests.support.waiting import wait_until


class Failing:
    """Fails at the next journal commit, once armed."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __call__(self, point: Point) -> None:
        if point == "after_journal_commit" and self.error is not None:
            error, self.error = self.error, None
            raise error


def thread_of(
    tmp_path: Path, files: FakeBackend, points: Callable[[Point], None], library: str = "home"
) -> RootThread:
    # created before the thread starts, as `producer.state` does: two that create it at once would lock each other out
    Database(tmp_path / "films.sqlite").close()
    spec = RootSpec(name="films", library=library, path=tmp_path / "films")
    files.watchable = False
    world = World(files, SkippingClock(), points)
    pacing, path = Pacing(0.05, 900.0, 1_000_000), tmp_path / "films.sqlite"
    return RootThread(spec, path, world, pacing, lambda: None, waits=Waits(0.01, 0.01))


def recorded(tmp_path: Path) -> list[str]:
    database = Database(tmp_path / "films.sqlite")
    try:
        return in_short([raw_codec.decode(row.value) for row in Unsent(database).first(1_000)])
    finally:
        database.close()


@pytest.mark.parametrize(
    ("error", "gap"),
    [
        (RuntimeError("a bug"), "journal_failed"),
        (sqlite3.OperationalError("database or disk is full"), "state_unwritable"),
    ],
)
def test_a_failure_is_reported_and_made_up_for_by_a_scan_and_the_thread_continues(
    tmp_path: Path, error: Exception, gap: str
) -> None:
    files, failing, seen = FakeBackend(), Failing(), threading.Event()
    files.make("a.mkv", "file", b"x")
    thread = thread_of(tmp_path, files, failing)

    def changed() -> None:
        if str(error) in thread.latest.summary.message:
            seen.set()

    thread._changed = changed
    thread.start()
    wait_until(lambda: "GapOpen watch_unavailable" in recorded(tmp_path), 10, what="the first scan")
    failing.error = error
    del files.nodes[""]
    wait_until(seen.is_set, 10, what="the failure to be reported")
    files.nodes[""] = FakeBackend().nodes[""]
    wait_until(lambda: f"GapClosed {gap}" in recorded(tmp_path), 10, what="the gap to be healed")
    assert thread.is_alive
    thread.request_stop()
    assert thread.join(10)
    assert f"GapOpen {gap}" in recorded(tmp_path)


def test_a_root_of_another_library_is_refused_by_name(tmp_path: Path) -> None:
    first = thread_of(tmp_path, FakeBackend(), lambda _point: None)
    first.start()
    wait_until(lambda: first.has_begun, 10, what="the first turn")
    first.request_stop()
    assert first.join(10)
    second = thread_of(tmp_path, FakeBackend(), lambda _point: None, library="other")
    second.start()
    assert second.join(10)
    assert second.latest.summary.status == "error"
    assert "'films' belongs to library 'home'" in second.latest.summary.message
