"""Whatever people do to a disk, a reader of the log has what is there, as soon as it is quiet."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.backends.interface import Drained
from producer.backends.polling.watch import PollingWatch
from tests.oracle.__main__ import make_up
from tests.oracle.model import RecordReader, Thing, differences
from tests.oracle.run import Play, play
from tests.oracle.shrink import shrink
from tests.oracle.steps import Step, parse, parse_all
from tests.oracle.ways import PACE, WATCHES, Way
from tests.support.samba import provided
from tests.support.watching import need_fanotify

SEEDS = range(1, 9)
OTHER_SEEDS = range(13, 18)
OPERATIONS = 200
OTHER_WAYS: tuple[Way, ...] = ("fanotify", "polling")
SHARE_WAYS: tuple[Way, ...] = ("share", "server")
SHARE_SEEDS = range(18, 21)

CASES = {
    "a directory made again at once": (
        "mkdir films/e; quiet; rmdir films/e; mkdir films/e; quiet; write films/e/z 5; quiet"
    ),
    "a file moved into a directory made again": (
        "mkdir films/e; write films/h 3; quiet; rmdir films/e; mkdir films/e; turn films; pause 60; turn films;"
        "rename films/h films/e/h; quiet"
    ),
    "a season moved out and made anew": (
        "fill films/a 2; quiet; rename films/a outside/a; mkdir films/a; quiet; write films/a/z 7; quiet"
    ),
    "a season moved out and another one moved to its place": (
        "fill films/a 2; fill films/b 3; quiet; rename films/a outside/a; rename films/b films/a; quiet;"
        "write films/a/z 7; quiet"
    ),
    "moved out, another one in, and back below it": (
        "fill films/a 1; fill outside/n 1; fill films/b; write films/h 4; quiet;"
        "rename films/a outside/o; rename outside/n films/a; quiet; rename films/b films/a/b; quiet;"
        "rename films/h films/a/b/h; quiet"
    ),
    "renamed over while nobody watched": (
        "write films/f 10; write films/g 20; quiet; stop films; rename films/f films/old; rename films/g films/f;"
        "start films; quiet"
    ),
    "swapped while nobody watched": (
        "write films/f 10; write films/g 20; quiet; kill films; rename films/f films/x; rename films/g films/f;"
        "rename films/x films/g; start films; quiet"
    ),
    "other bytes of the same size and time": "write films/f 500; quiet; retag films/f; quiet",
    "other bytes of the same size and time, unseen": (
        "write films/f 500; quiet; stop films; retag films/f; start films; quiet"
    ),
    "written through another name": "write films/f 9; link films/f films/g; quiet; append films/f 10; quiet",
    "another name of a changed file moved in with its directory": (
        "write films/f 9; mkdir outside/c; link films/f outside/c/k; quiet; append outside/c/k 5;"
        "rename outside/c films/c; quiet"
    ),
    "a directory swapped for a link in the middle of a scan": (
        "fill outside/far 4; fill outside/in 4; quiet; rename outside/in films/d; rename films/d outside/d @3;"
        "symlink films/d outside/far @4; turn films; quiet"
    ),
    "exchanged directories": (
        "fill films/a 1; fill films/b 2; quiet; exchange films/a films/b; quiet; write films/a/z 1; quiet"
    ),
    "touched": "write films/f 10; quiet; touch films/f 7; quiet",
    "made longer and never closed": "write films/f 10; quiet; truncate films/f 5000; quiet",
    "cut short before anybody looked": "write films/g 5000; turn films; truncate films/g 100; quiet",
    "exchanged with what left before": (
        "fill outside/b 1; rename outside/b films/a; rename films/a outside/a; mkdir films/a; write films/h 100;"
        "fill outside/a/in/c 1; rename outside/a/in/c outside/a/in/x; turn films; stop films;"
        "exchange outside/a/in/x films/a; quiet"
    ),
    "a place taken three times in one run": (
        "fill films/b 3; rename films/b/in outside/i; rename films/b outside/b; rename outside/i films/b;"
        "write films/b/k; turn films; pause 40; mkdir music/c; rename music/c films/c @9; write films/b/g.tmp 1000;"
        "rename films/b/g.tmp films/b/g; quiet"
    ),
    "removed and made again before the scan of it": (
        "mkdir music/c; mkdir music/c/a; turn music; rmtree music/c/a; mkdir music/c/a @3; write music/c/a/g 2000;"
        "quiet"
    ),
    "gone into what came only now": (
        "write films/f 5; quiet; mkdir films/t; rename films/f films/t/f; rename films/t films/u; quiet"
    ),
    "a file exchanged with one of another root, and renamed there": (
        "write music/h 200000; write films/f 100; mkdir films/a; rename films/f films/a/i; quiet;"
        "exchange films/a/i music/h; turn music; rename music/h music/i; quiet"
    ),
    "a directory exchanged, and its new place removed": (
        "fill music/b 3; fill music/e; quiet; exchange music/e music/b; rmtree music/b; quiet"
    ),
    "a file exchanged with a link of another root": (
        "write music/i 1000; mkdir films/e; quiet; symlink films/e/k outside; exchange music/i films/e/k; quiet"
    ),
    "a file exchanged with a link of another root, and another one moved there": (
        "write music/i 1000; mkdir films/e; mkdir music/c; write music/c/f 100; quiet; symlink films/e/k outside;"
        "exchange music/i films/e/k; rename music/c/f music/i; quiet"
    ),
    "an empty file of another root, by another name": (
        "fill outside/c 4; rename outside/c films/b; write music/j; write films/b/in/i 100; quiet; rename music/j music/x;"
        "rename music/x films/b/in/i; turn films; rename films/b/in/i films/b/in/j; quiet"
    ),
    "a file where a link was, swapped at once": (
        "write music/e 1000; symlink music/k films; quiet; unlink music/k; write music/k 100; turn music;"
        "rename music/k music/x; rename music/e music/k; rename music/x music/e; quiet"
    ),
    "a file over a link, swapped at once": (
        "mkdir films/d; mkdir films/e; write films/d/i 1000; symlink films/e/g films/d; quiet; write films/e/g.tmp 7;"
        "rename films/e/g.tmp films/e/g; turn films; rename films/d/i films/d/x; rename films/e/g films/d/i;"
        "rename films/d/x films/e/g; quiet"
    ),
    "two swapped, and another name of one comes in": (
        "mkdir music/a; mkdir outside/d; write outside/d/g 200000; link outside/d/g music/k; write music/e 5000; quiet;"
        "rename music/e music/x; rename music/k music/e; rename music/x music/k; rename outside/d music/a/in; quiet"
    ),
    "a file in the place of its directory, unseen": (
        "fill films/c; turn films; rename films/c/in outside/c; stop films; rename outside/c/g0 films/c/in; quiet"
    ),
    "moved in, and exchanged within": (
        "mkdir films/b; fill outside/e 1; rename outside/e films/e; mkdir films/b/e; write films/b/e/k 100; quiet;"
        "fill films/e/c 4; quiet; write films/e/c/k 200000; turn films; pause 3000; rename films/e films/b/c;"
        "exchange films/b/c/c films/b/e; quiet"
    ),
    "touched and exchanged": (
        "write films/f 10; mkdir films/d; write films/d/g 13; turn films; turn films; link films/d/g films/h; turn films;"
        "touch films/d/g 100; exchange films/d/g films/f; quiet"
    ),
    "a file gone to another root, and a copy of it deleted": (
        "write films/a 500; copy films/a films/b; quiet; unlink films/b; rename films/a music/a; quiet"
    ),
    "a file gone to another root, and then a copy of it deleted": (
        "write films/a 500; copy films/a films/b; quiet; rename films/a music/a; unlink films/b; quiet"
    ),
    "a file by two steps over one of another root, and on from there": (
        "write music/j 500; write films/b 300; quiet; rename music/j music/x; rename music/x films/b; turn films;"
        "turn music; rename films/b films/c; quiet"
    ),
    "an empty file by two steps over one of another root, and on from there": (
        "mkdir films/b; write music/j; write films/b/i 100; quiet; rename music/j music/x; rename music/x films/b/i;"
        "turn films; turn music; rename films/b/i films/b/j; quiet"
    ),
    "two of two roots swapped by three steps, and one on from there": (
        "mkdir films/b; write music/j; write films/b/i 100; quiet; rename music/j music/x; rename films/b/i music/j;"
        "rename music/x films/b/i; turn films; turn music; rename films/b/i films/b/j; quiet"
    ),
    "gone to another root, and what came to its place moved on": (
        "mkdir films/b; fill outside/e; write outside/e/i 100; fill films/b/in; write films/b/in/i 100; quiet;"
        "rename films/b/in/i music/j; exchange films/b/in outside/e; turn films; rename films/b/in/i films/b/in/j; quiet"
    ),
    "gone over a file of another root, and what came to its place moved on": (
        "mkdir films/b; fill outside/e; write outside/e/i 100; fill films/b/in; write films/b/in/i 100; write music/j 7;"
        "quiet; rename films/b/in/i music/j; turn films; turn music; pause 10; exchange films/b/in outside/e; turn films;"
        "rename films/b/in/i films/b/in/j; quiet"
    ),
    "written through a name outside, and renamed while nobody watched": (
        "write films/h; link films/h outside/h; turn films; write outside/h 100; unlink outside/h; quiet;"
        "rename films/h films/x; stop films; quiet"
    ),
    "an empty file whose directory was exchanged unseen, and another one gone": (
        "fill outside/b746; rename outside/b746 music/e; rename music/e outside/c779; fill outside/a854; "
        "rename outside/a854 music/b; mkdir outside/c779/b; fill outside/c779/b/e 3; "
        "rename outside/c779/b/e/in outside/d985; write music/b/h; mkdir outside/d985/c; "
        "rename outside/d985 films/c; rename music/b films/b; mkdir films/c/b; write films/c/b/h; quiet; "
        "rename films/b outside/a1530; stop films; exchange films/c/b films/c/c; quiet"
    ),
}  # fmt: skip
"""Sequences that once failed, most of them shrunk by the oracle. `; quiet` compares."""


@pytest.mark.parametrize("case", CASES)
def test_a_sequence_that_was_lost_once_is_followed(case: str, tmp_path: Path) -> None:
    assert play(parse_all(CASES[case]), tmp_path / "play") == []


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_people_do_is_followed(seed: int, tmp_path: Path) -> None:
    steps = make_up(seed, OPERATIONS, tmp_path)
    assert play(steps, tmp_path / "play") == [], "\n".join(map(str, steps))


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("case", CASES)
def test_it_is_followed_however_the_roots_are_watched(case: str, way: Way, tmp_path: Path) -> None:
    need(way, tmp_path)
    assert play(parse_all(CASES[case]), tmp_path / "play", way) == []


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("seed", OTHER_SEEDS)
def test_whatever_people_do_is_followed_however_the_roots_are_watched(seed: int, way: Way, tmp_path: Path) -> None:
    need(way, tmp_path)
    steps = make_up(seed, OPERATIONS, tmp_path)
    assert play(steps, tmp_path / "play", way) == [], "\n".join(map(str, steps))


@pytest.mark.parametrize("seed", SHARE_SEEDS)
@pytest.mark.parametrize("way", SHARE_WAYS)
def test_seed_on_a_share(way: Way, seed: int, tmp_path: Path) -> None:
    if (missing := provided()) is not None:
        pytest.skip(missing)
    steps = make_up(seed, OPERATIONS, tmp_path)
    assert play(steps, tmp_path / "play", way) == [], "\n".join(map(str, steps))


@pytest.mark.parametrize("way", SHARE_WAYS)
def test_swapping_two_files_of_a_share_swaps_their_items(way: Way, tmp_path: Path) -> None:
    if (missing := provided()) is not None:
        pytest.skip(missing)
    play_ = Play(tmp_path, way=way)
    try:
        assert play_.go_on(parse_all("write films/f 100; write films/g 200; quiet")) == []
        before = play_.ids
        assert (
            play_.go_on(parse_all("rename films/f films/x; rename films/g films/f; rename films/x films/g; quiet"))
            == []
        )
        assert play_.ids == {"films/f": before["films/g"], "films/g": before["films/f"]}
    finally:
        play_.stop()


class Blind(PollingWatch):
    """Never looks."""

    def drain(self, now: float) -> Drained:
        return Drained()

    def next_due(self) -> float | None:
        return None


def test_a_watch_that_does_not_look_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WATCHES, "polling", lambda root, wake: Blind(root, wake, PACE))
    assert play(parse_all("mkdir films/e; quiet; write films/e/z 5; quiet"), tmp_path / "play", "polling")


def need(way: Way, folder: Path) -> None:
    if way == "fanotify":
        need_fanotify(folder)


# -- the oracle itself -----------------------------------------------------------------------------------------


def test_a_step_is_a_line_and_a_line_a_step() -> None:
    for step in (
        Step("rename", "a", "b"),
        Step("write", "a", number=5, within=3),
        Step("quiet"),
        Step("pause", number=9),
    ):
        assert parse(str(step)) == step


def test_a_seed_is_always_the_same_sequence(tmp_path: Path) -> None:
    assert make_up(5, 80, tmp_path / "one") == make_up(5, 80, tmp_path / "other")


def test_what_does_not_matter_is_left_out() -> None:
    steps = [Step("pause", number=number) for number in range(50)]
    wanted = {7, 31}
    assert [step.number for step in shrink(steps, lambda tried: wanted <= {step.number for step in tried})] == [
        7,
        31,
    ]


def test_every_record_that_is_kept_from_the_reader_is_missed(tmp_path: Path) -> None:
    """A reader that misses an observation has another tree, whichever observation it is."""

    class Forgetful(RecordReader):
        def __init__(self, forgotten: int) -> None:
            super().__init__()
            self.forgotten = forgotten
            self.forgot = False

        def read(self, record: bytes) -> None:
            if b'"observed"' in record and self.count == self.forgotten:
                self.forgot = True
                self.count += 1
                return
            super().read(record)

    steps = parse_all(
        "write films/f 5; mkdir films/a; turn films; write films/a/g 6; turn films; rename films/a films/b; write films/i 3;"
        "unlink films/f; quiet"
    )
    missed = 0
    for number in range(30):
        play_ = Play(tmp_path / f"{number}")
        forgetful = Forgetful(number)
        play_._roots["films"].reader = forgetful
        found = play_.run(steps)
        missed += forgetful.forgot and bool(found)
    assert missed >= 3


def test_each_kind_of_difference_is_seen() -> None:
    file = Thing("file", 1, 2, "x")
    there = {b"a": file}
    for recorded in (
        {}, {b"a": file, b"b": file}, {b"a": Thing("file", 2, 2, "x")}, {b"a": Thing("file", 1, 3, "x")},
        {b"a": Thing("file", 1, 2, None)}, {b"a": Thing("dir", 0, 0, None)},
    ):  # fmt: skip
        assert len(differences(recorded, there)) == 1
    assert differences(there, there) == []
