"""The paths of a root are counted once a minute at most."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from producer.counting import EVERY_SECONDS, Counting
from producer.database import Database
from producer.index import Index
from schemas.raw import FileState
from tests.support.producer_root import StandingClock


def test_a_count_is_as_old_as_a_minute(tmp_path: Path) -> None:
    clock = StandingClock()
    with closing(Database(tmp_path / "state.db")) as database:
        index = Index(database)
        counting = Counting(index, clock)
        seen = [counting.entries()]
        for seconds in (1.0, EVERY_SECONDS):
            with database.transaction(), index.writing():
                index.put(f"f{seconds}", FileState("file", 1, 2, 3, 4), None)
            clock.now += seconds
            seen.append(counting.entries())
    assert seen == [0, 0, 2]
