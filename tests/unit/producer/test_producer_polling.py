"""Which directory is looked at when; and how a look detects a change."""

from __future__ import annotations

import os
import time
import tracemalloc
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from producer.backends.polling.looks import look, look_inside
from producer.backends.polling.schedule import ECHO_SECONDS, HOT_FOR_SECONDS, LONGEST_DEBT_SECONDS, Pace, Schedule
from producer.backends.polling.watch import PollingWatch
from producer.core.normalise import DirectoryChanged, Event, MoveEvent, normalise
from tests.support.unprivileged import unprivileged

PACE = Pace(hot_seconds=1.0, cold_seconds=60.0, per_second=1_000)


@dataclass
class Days:
    """A schedule, played. `changes`: at which seconds something changes, by directory; `looks`, `reported`: at which
    seconds it was looked at and reported; `cost`: of every look."""

    schedule: Schedule
    cost: int
    changes: dict[str, list[float]] = field(default_factory=dict)
    looks: dict[str, list[float]] = field(default_factory=dict)
    reported: dict[str, list[float]] = field(default_factory=dict)

    def play(self, seconds: float) -> None:
        until = self.schedule.now + seconds
        while (at := self.schedule.next_due()) is not None and at <= until:
            self.schedule.begin(at)
            while (place := self.schedule.take()) is not None:
                path = place.path
                before = self.looks.get(path, [0.0])[-1]
                changed = any(before < when <= at for when in self.changes.get(path, ()))
                self.looks.setdefault(path, []).append(at)
                if self.schedule.looked(place, self.cost, changed=changed):
                    self.reported.setdefault(path, []).append(at)
        self.schedule.begin(until)


def played(seconds: float, directories: list[str], changes: dict[str, list[float]], *, cost: int = 1) -> Days:
    schedule = Schedule(PACE)
    schedule.begin(0.0)
    for directory in ("", *directories):
        schedule.add(directory, 1, recent=False)
    days = Days(schedule, cost, changes)
    days.play(seconds)
    return days


def many(count: int) -> list[str]:
    return [f"d{number}" for number in range(count)]


def gaps(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in zip([0.0, *times], times, strict=False)]


def test_a_change_anywhere_is_seen_within_the_time_that_is_reported() -> None:
    directories = many(500)
    changes = {directory: [200.0 + number] for number, directory in enumerate(directories)}
    days = played(900, directories, changes)
    waited = [days.reported[directory][0] - when[0] for directory, when in changes.items()]
    assert max(waited) <= days.schedule.unseen_seconds <= 61


def test_a_directory_that_changed_is_looked_at_each_second_and_then_more_and_more_rarely() -> None:
    days = played(400, ["d"], {"d": [100.0]})
    seen = days.reported["d"][0]
    after = gaps([at - seen for at in days.looks["d"] if at > seen])
    hot = after[: round(HOT_FOR_SECONDS)]
    assert hot == pytest.approx([1.0] * len(hot), abs=0.3)
    assert after[len(hot) : len(hot) + 6] == pytest.approx([2, 4, 8, 16, 32, 60], abs=1.5)
    assert days.schedule.hot == 0


def test_a_change_is_reported_again_when_caches_elsewhere_are_old_and_when_it_is_cold() -> None:
    days = played(400, ["d"], {"d": [100.0]})
    first, second, third = days.reported["d"]
    assert second - first == pytest.approx(ECHO_SECONDS, abs=1.3)
    assert third - first > HOT_FOR_SECONDS
    assert len(days.reported["d"]) == 3


def test_looks_are_spread_and_keep_within_the_rate_and_lateness_is_reported() -> None:
    days = played(600, many(2_000), {}, cost=100)
    late = days.schedule.unseen_seconds
    assert sum(map(len, days.looks.values())) * 100 <= 600 * PACE.per_second * 1.05
    assert late > 100
    assert max(gap for times in days.looks.values() for gap in gaps(times)) <= late + 70


def test_at_rest_each_directory_costs_one_look_in_its_interval() -> None:
    days = played(600, many(600), {})
    assert days.schedule.per_second == pytest.approx(601 / 60, rel=0.1)
    assert max(gap for times in days.looks.values() for gap in gaps(times)) <= 61


def test_a_huge_directory_does_not_keep_the_others_waiting_for_long() -> None:
    schedule = Schedule(PACE)
    schedule.begin(0.0)
    schedule.add("", 1, recent=True)
    schedule.begin(1.0)
    huge = schedule.take()
    assert huge is not None
    huge.size = 100_000
    schedule.looked(huge, 100_001, changed=True)
    due = schedule.next_due()
    assert due is not None
    assert due <= 1.0 + PACE.cold_seconds + LONGEST_DEBT_SECONDS
    assert not schedule.needs_entries(huge)


def test_what_is_new_in_a_hot_directory_is_hot_and_elsewhere_cold() -> None:
    days = played(100, ["hot", "cold"], {"hot": [10.0]})
    days.changes["hot"].append(days.schedule.now - 1)
    days.play(1.5)
    before = days.schedule.hot
    days.schedule.add("hot/new", 1, recent=False)
    days.schedule.add("cold/new", 1, recent=False)
    assert (before, days.schedule.hot) == (1, 2)


def test_what_is_taken_out_is_not_looked_at_nor_what_is_below_it() -> None:
    days = played(100, ["d", "d/e", "f"], {})
    place = days.schedule.at("d")
    assert place is not None
    days.schedule.remove(place)
    days.looks.clear()
    days.play(200)
    assert set(days.looks) == {"", "f"}
    assert days.schedule.known == 2


def test_a_directory_costs_little_memory() -> None:
    names = [f"artist {number // 100}/album {number}" for number in range(10_000)]
    tracemalloc.start()
    schedule = Schedule(PACE)
    schedule.begin(0.0)
    schedule.add("", hash("root"), recent=False)
    for number in range(100):
        schedule.add(f"artist {number}", hash((number,)), recent=False)
    for name in names:
        schedule.add(name, hash(name), recent=False)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken / schedule.known < 600


# -- looks -----------------------------------------------------------------------------------------------------


def stamps(root: Path) -> tuple[int, int]:
    descriptor = os.open(root, os.O_PATH)
    try:
        return look(descriptor, "").stamp, look_inside(descriptor, "").stamp
    finally:
        os.close(descriptor)


def test_what_comes_and_goes_is_seen_of_the_directory_and_what_is_written_only_of_its_entries(
    tmp_path: Path,
) -> None:
    (tmp_path / "a").write_bytes(b"x")
    before = stamps(tmp_path)
    assert stamps(tmp_path) == before
    with (tmp_path / "a").open("ab") as file:
        file.write(b"y")
    written = stamps(tmp_path)
    assert (written[0] == before[0], written[1] == before[1]) == (True, False)
    (tmp_path / "a").rename(tmp_path / "b")
    renamed = stamps(tmp_path)
    assert (renamed[0] == written[0], renamed[1] == written[1]) == (False, False)


def test_the_same_size_and_time_do_not_hide_another_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    times = (tmp_path / "a").stat()
    before = stamps(tmp_path)
    (tmp_path / "a").write_bytes(b"y")
    os.utime(tmp_path / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert stamps(tmp_path)[1] != before[1]


def test_what_happens_in_a_directory_inside_is_no_change_of_this_one(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    before = stamps(tmp_path)
    (tmp_path / "d" / "a").touch()
    assert stamps(tmp_path) == before


def test_no_link_is_followed_out_of_the_root(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/")
    descriptor = os.open(tmp_path, os.O_PATH)
    try:
        with pytest.raises(OSError):
            look(descriptor, "out")
        with pytest.raises(OSError):
            look_inside(descriptor, "out/tmp")
    finally:
        os.close(descriptor)


def drained(watch: PollingWatch, seconds: float) -> list[Event]:
    """What is reported within so many seconds of simulated time."""
    now, events = time.monotonic(), list[Event]()
    until = now + seconds
    while now <= until:
        events += watch.drain(now).events
        due = watch.next_due()
        now = until + 1 if due is None else max(due, now)
    return events


def test_a_directory_that_is_away_for_one_look_is_known_when_it_is_back_and_its_parent_is_reported(
    tmp_path: Path,
) -> None:
    (tmp_path / "d").mkdir()
    watch = PollingWatch(tmp_path, lambda: None, PACE)
    watch.drain(time.monotonic())
    for directory in ("", "d"):
        watch.add(directory)
    (tmp_path / "d").rename(tmp_path / "away")
    assert DirectoryChanged("") in drained(watch, 1.5)
    (tmp_path / "away").rename(tmp_path / "d")
    assert DirectoryChanged("d") in drained(watch, 10)
    assert watch.coverage.watched == 2


def test_a_directory_that_cannot_be_read_is_reported_when_it_can() -> None:
    with unprivileged() as folder:
        (folder / "d").mkdir()
        watch = PollingWatch(folder, lambda: None, PACE)
        for directory in ("", "d"):
            watch.add(directory)
        (folder / "d").chmod(0)
        assert DirectoryChanged("d") not in drained(watch, 10)
        (folder / "d").chmod(0o700)
        assert DirectoryChanged("d") in drained(watch, 70)


# -- what is reported ------------------------------------------------------------------------------------------


def test_changed_directories_are_listed_once_each_and_under_the_names_that_they_have_after_moves() -> None:
    events: list[Event] = [
        DirectoryChanged("a/b"),
        MoveEvent("a", "c"),
        DirectoryChanged("c/b"),
        DirectoryChanged(""),
    ]
    assert normalise(events).directories == ["c/b", ""]
