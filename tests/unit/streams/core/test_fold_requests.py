"""Analysis on request: a cursor over what is known, a window of open jobs, and fresh files beside it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import raw
from schemas.errors import Undecodable
from schemas.found import Found, MediaType
from schemas.headers import raw_headers
from schemas.ids import media_id
from schemas.media import Analysis
from schemas.topics import ANALYSIS_JOBS, ANALYSIS_UPDATES, CHANGES, MEDIA_UPDATES, REQUESTED_JOBS
from streams.core import intake, state_bytes
from streams.core.emit import Output
from streams.core.fold import Fold
from streams.core.known import Known
from streams.core.rules import RULES, RULES_1, Rules
from streams.core.state import Entry, RootPath
from tests.support.fold_truth import check, leftovers
from tests.support.lane import DecodedOutput, Lane, a_file
from tests.support.small_tree import ROOTS
from tests.support.small_world import (
    DISK_STEPS,
    PLAY_STEPS,
    WATCH_STEPS,
    Step,
    World,
    long_history,
    steps,
)  # fmt: skip

AT = "2026-11-27T10:00:00.000Z"
WINDOW = 3
MANY = 100_000
CARRIED: dict[int, Rules] = {
    version: msgspec.structs.replace(rules, request_window=WINDOW) for version, rules in RULES.items()
}


@pytest.fixture
def lane() -> Lane:
    lane = Lane(Fold(0, carried=CARRIED))
    lane.declare()
    return lane


def requested(
    lane: Lane, root: str = "films", subtree: str = "", types: tuple[MediaType, ...] = (),
    statuses: tuple[raw.Standing, ...] = (),
) -> list[DecodedOutput]:  # fmt: skip
    record = raw.AnalysisRequested(
        root=root, subtree=subtree, media_types=types, statuses=statuses, reason="new reader", by="admin", at=AT
    )
    return lane.put(record)


def steered(lane: Lane, action: str, request: int | None = None) -> list[DecodedOutput]:
    return lane.put(raw.AnalysisSteered(action=action, reason="night", by="admin", at=AT, request=request))  # type: ignore[arg-type]


def library(lane: Lane, *names: str, root: str = "films", status: raw.ResultStatus | None = "done") -> None:
    """These files are known, and (with a status) analysed."""
    for name in names:
        lane.see(name, a_file(sum(name.encode()) + 1_000 * len(name), size=len(name) * 1_000), root=root)
    lane.later(2_000)
    answer_all(lane, status)
    lane.quiet()


def answer(
    lane: Lane, path: str, status: raw.ResultStatus = "done", found: Found | None = None
) -> list[DecodedOutput]:
    """The open job of a path gets its result."""
    (job,) = [job for job in lane.fold.state.jobs.values() if job.place.path == path]
    entry = lane.fold.state.known[job.place.root][path]
    return lane.put(
        raw.Result(
            job=job.id, media_id=entry.media_id, root=entry.root, size=entry.size, mtime_ns=entry.mtime_ns,
            inode=entry.inode, status=status, found=found,
        )
    )  # fmt: skip


def answer_all(lane: Lane, status: raw.ResultStatus | None) -> list[DecodedOutput]:
    """Until no job is open."""
    outputs: list[DecodedOutput] = []
    while status is not None and lane.fold.state.jobs:
        outputs += answer(lane, next(iter(lane.fold.state.jobs.values())).place.path, status)
    return outputs


def requested_jobs(outputs: Iterable[DecodedOutput]) -> list[object]:
    """Paths whose jobs were requested by analyses on request."""
    return [one["path"] for one in outputs if one.topic == REQUESTED_JOBS.name]


def fresh(outputs: Iterable[DecodedOutput]) -> list[object]:
    return [one["path"] for one in outputs if one.topic == ANALYSIS_JOBS.name]


def states(outputs: Iterable[DecodedOutput]) -> list[tuple[object, ...]]:
    """The published changes of requests: state, matched, asked, processed, failed."""
    names = ("state", "matched", "asked", "processed", "failed")
    return [
        tuple(one.value.get(name, 0) for name in names)
        for one in outputs
        if one.topic == CHANGES.name and one.value is not None and one["kind"] == "analysis_request_changed"
    ]


def open_jobs(lane: Lane) -> int:
    return len(lane.fold.state.jobs)


FIVE = ("a.mkv", "b.mkv", "c.mkv", "d.mkv", "e.mkv")

# -- the window --------------------------------------------------------------------------------------------------


def test_no_more_jobs_are_open_than_the_window_holds_and_each_that_ends_makes_room_for_the_next(
    lane: Lane,
) -> None:
    library(lane, *FIVE)
    outputs = requested(lane)
    assert (requested_jobs(outputs), states(outputs)) == (["a.mkv", "b.mkv", "c.mkv"], [("started", 5, 0, 0, 0)])
    assert lane.fold.requested == 5
    assert requested_jobs(answer(lane, "b.mkv", "failed")) == ["d.mkv"]
    lane.see("a.mkv", None)
    assert requested_jobs(lane.quiet()) == ["e.mkv"]
    outputs = answer_all(lane, "done")
    assert states(outputs) == [("progress", 5, 5, 3, 1), ("finished", 5, 5, 4, 1)]
    (complete,) = [one for one in outputs if one.topic == ANALYSIS_UPDATES.name]
    assert (complete["items_processed"], complete["items_failed"], complete["storage_root"]) == (4, 1, "films")
    assert lane.fold.requested == 0
    assert lane.fold.state.requests == {}
    assert lane.fold.state.by_age is None


def test_the_turn_goes_by_age_and_not_by_name_or_place(lane: Lane) -> None:
    library(lane, "z.mkv")
    library(lane, "a.mkv")
    lane.see("D", raw.FileState("dir", 1, 1, 1, 9))
    moved = a_file(sum(b"z.mkv") + 5_000, size=5_000)
    lane.move("z.mkv", "D/late.mkv", moved)
    lane.quiet()
    assert requested_jobs(requested(lane)) == ["D/late.mkv", "a.mkv"]


def test_a_fresh_file_is_requested_at_once_beside_a_full_window_and_in_a_topic_of_its_own(lane: Lane) -> None:
    library(lane, *FIVE)
    requested(lane)
    lane.see("fresh.mkv", a_file(77, size=9_000))
    outputs = lane.later(2_000)
    assert (fresh(outputs), requested_jobs(outputs)) == (["fresh.mkv"], [])
    assert open_jobs(lane) == WINDOW + 1


def test_a_file_that_changes_while_its_turn_is_on_is_a_fresh_one(lane: Lane) -> None:
    library(lane, *FIVE)
    requested(lane)
    lane.see("a.mkv", a_file(sum(b"a.mkv") + 5_000, size=9_000, mtime_ns=2))
    outputs = lane.later(2_000)
    assert (fresh(outputs), requested_jobs(outputs)) == (["a.mkv"], ["d.mkv"])


def test_what_was_observed_after_the_request_does_not_belong_to_it(lane: Lane) -> None:
    library(lane, *FIVE)
    requested(lane)
    library(lane, "later.mkv", status=None)
    answer(lane, "later.mkv")
    assert requested_jobs(answer_all(lane, "done")) == ["d.mkv", "e.mkv"]


# -- what matches ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subtree", "types", "statuses", "expected"),
    [
        ("", (), (), ["v.mkv", "D/s.mp3", "E/w.mkv", "never.mkv"]),
        ("D", (), (), ["D/s.mp3"]),
        ("", ("video",), (), ["v.mkv", "E/w.mkv", "never.mkv"]),
        ("", ("archive",), (), []),
        ("", (), ("failed",), ["D/s.mp3"]),
        ("", (), ("unreadable", "none"), ["E/w.mkv", "never.mkv"]),
        ("", ("audio",), ("done",), []),
        ("nowhere", (), (), []),
    ],
)
def test_what_matches_is_below_the_subtree_of_these_types_and_stands_so(
    subtree: str, types: tuple[MediaType, ...], statuses: tuple[raw.Standing, ...], expected: list[str]
) -> None:
    lane = Lane()
    lane.declare()
    library(lane, "v.mkv")
    library(lane, "D/s.mp3", status="failed")
    library(lane, "E/w.mkv", status="unreadable")
    library(lane, "old.zip", "empty.txt")
    library(lane, "never.mkv", status=None)
    lane.fold.state.known["films"]["never.mkv"].job = None  # lost after its last attempt
    (job,) = lane.fold.state.jobs.values()
    lane.fold.state.tallies[job.tally].open_jobs -= 1
    lane.fold.state.jobs.clear()
    outputs = requested(lane, subtree=subtree, types=types, statuses=statuses)
    assert requested_jobs(outputs) == expected
    if not expected:
        assert states(outputs) == [("started", 0, 0, 0, 0), ("finished", 0, 0, 0, 0)]


def test_whether_an_item_matches_is_decided_when_its_turn_comes(lane: Lane) -> None:
    library(lane, *FIVE, status="failed")
    requested(lane, statuses=("failed",))
    lane.see("d.mkv", a_file(sum(b"d.mkv") + 5_000, size=9_999, mtime_ns=2))
    lane.later(2_000)
    answer(lane, "d.mkv")
    assert requested_jobs(answer(lane, "a.mkv")) == ["e.mkv"]


@pytest.mark.parametrize(
    "value",
    [
        {"root": "films", "subtree": "../etc"},
        {"root": "films", "subtree": "/D"},
        {"root": "films", "subtree": "D/"},
        {"root": "films", "media_types": ["film"]},
        {"root": "films", "statuses": ["broken"]},
        {"subtree": "D"},
    ],
)
def test_one_that_is_none_never_enters(value: dict[str, object]) -> None:
    record = {"kind": "analysis_requested", "reason": "r", "by": "b", "at": AT, **value}
    with pytest.raises(Undecodable):
        intake.read(RULES_1, msgspec.json.encode(record), raw_headers("analysis_requested"))


def test_of_a_root_that_is_not_there_or_was_retired_nothing_is_published(lane: Lane) -> None:
    assert requested(lane, root="nowhere") == []
    lane.put(raw.RootRetired(root="films", by="admin", at=AT))
    assert requested(lane) == []
    lane.library = "other"
    assert requested(lane) == []
    assert lane.fold.dropped["undeclared_root"] == 3
    assert leftovers(lane.fold) == {}


# -- several -----------------------------------------------------------------------------------------------------


def test_the_same_again_while_it_is_under_way_changes_nothing(lane: Lane) -> None:
    library(lane, *FIVE)
    requested(lane, types=("video", "audio"))
    outputs = requested(lane, types=("audio", "video", "audio"))
    assert (states(outputs), requested_jobs(outputs)) == ([("repeated", 5, 3, 0, 0)], [])
    assert lane.fold.dropped["repeated_request"] == 1
    assert requested_jobs(answer_all(lane, "done")) == ["d.mkv", "e.mkv"]
    assert requested_jobs(requested(lane, types=("video", "audio"))) == ["a.mkv", "b.mkv", "c.mkv"]


def test_what_two_have_before_them_is_requested_once(lane: Lane) -> None:
    library(lane, *FIVE)
    requested(lane)
    outputs = requested(lane, types=("video",))
    assert requested_jobs(outputs) == []
    outputs = answer_all(lane, "done")
    assert requested_jobs(outputs) == ["d.mkv", "e.mkv"], "what the first had passed was being analysed for both"
    assert [state[0] for state in states(outputs)].count("finished") == 2


def test_what_the_first_has_behind_it_is_requested_again_by_the_second_that_goes_first_until_it_has_caught_up(
    lane: Lane,
) -> None:
    library(lane, *FIVE)
    requested(lane)
    assert requested_jobs(answer(lane, "a.mkv")) == ["d.mkv"]
    requested(lane, types=("video",))
    assert requested_jobs(answer(lane, "b.mkv")) == ["a.mkv"]
    assert requested_jobs(answer(lane, "c.mkv")) == ["b.mkv"]
    assert requested_jobs(answer_all(lane, "done")) == ["c.mkv", "d.mkv", "e.mkv"]


def test_the_window_is_of_all_of_them_together(lane: Lane) -> None:
    lane.declare("music")
    library(lane, *FIVE)
    library(lane, "x.mp3", "yy.mp3", root="music")
    requested(lane)
    requested(lane, root="music")
    assert open_jobs(lane) == WINDOW
    check(lane.fold)
    assert len(requested_jobs(answer_all(lane, "done"))) == 4


# -- hold, go on, leave off --------------------------------------------------------------------------------------


def test_while_they_are_held_nothing_is_begun_but_fresh_files_are_and_it_goes_on_where_it_was(lane: Lane) -> None:
    library(lane, *FIVE)
    requested(lane)
    assert states(steered(lane, "pause")) == [("paused", 5, 3, 0, 0)]
    assert lane.fold.requested == 0
    assert requested_jobs(answer_all(lane, "done")) == []
    assert requested_jobs(requested(lane, types=("video",))) == []
    lane.see("fresh.mkv", a_file(77, size=9_000))
    assert fresh(lane.later(2_000)) == ["fresh.mkv"]
    answer(lane, "fresh.mkv")
    outputs = steered(lane, "resume")
    assert states(outputs)[0] == ("resumed", 5, 3, 3, 0)
    assert requested_jobs(outputs) == ["a.mkv", "b.mkv", "c.mkv"]
    assert requested_jobs(answer_all(lane, "done")) == ["d.mkv", "e.mkv"]


def test_a_library_is_held_by_its_name_alone() -> None:
    lane = Lane(Fold(0, carried=CARRIED))
    lane.declare()
    library(lane, *FIVE)
    for lane.library in ("other", "", "home"):
        steered(lane, "pause")
    assert lane.fold.state.held == {"home"}
    assert lane.fold.dropped["undeclared_library"] == 2


def test_one_is_left_off_and_ends_with_what_is_open(lane: Lane) -> None:
    library(lane, *FIVE)
    requested(lane)
    (id_,) = lane.fold.state.requests
    assert steered(lane, "cancel", request=id_ + 1) == []
    assert steered(lane, "cancel", request=id_) == []
    outputs = answer_all(lane, "done")
    assert requested_jobs(outputs) == []
    assert states(outputs)[-1] == ("cancelled", 5, 3, 3, 0)
    assert leftovers(lane.fold).keys() <= {"known", "by_inode", "by_fingerprint"}


def test_without_a_job_open_one_that_is_left_off_ends_at_once(lane: Lane) -> None:
    library(lane, *FIVE)
    steered(lane, "pause")
    requested(lane)
    assert states(steered(lane, "cancel")) == [("cancelled", 5, 0, 0, 0)]


# -- roots that go and come --------------------------------------------------------------------------------------


def test_of_a_root_that_is_lost_or_paused_nothing_is_begun_until_it_is_back(lane: Lane) -> None:
    library(lane, *FIVE)
    lane.make(raw.RootLost, "films", cause="missing")
    outputs = requested(lane)
    assert (requested_jobs(outputs), states(outputs)) == ([], [("started", 5, 0, 0, 0)])
    assert lane.fold.requested == 0
    lane.make(raw.GapOpen, "films", cause="paused")
    assert requested_jobs(lane.make(raw.RootBack, "films", cause="there again")) == []
    outputs = lane.make(raw.GapClosed, "films", cause="paused", counts=raw.Counts())
    assert requested_jobs(outputs) == ["a.mkv", "b.mkv", "c.mkv"]


def test_one_that_is_retired_in_the_middle_ends_its_requests(lane: Lane) -> None:
    library(lane, *FIVE)
    requested(lane)
    lane.make(raw.RootLost, "films", cause="missing")
    outputs = lane.put(raw.RootRetired(root="films", by="admin", at=AT))
    assert (requested_jobs(outputs), states(outputs)) == ([], [("finished", 5, 3, 0, 0)])
    assert leftovers(lane.fold) == {}


def test_rules_that_are_adopted_in_the_middle_change_only_what_comes_after() -> None:
    wider = msgspec.structs.replace(CARRIED[2], request_window=4, probed=("video",))
    lane = Lane(Fold(0, carried={**CARRIED, 2: wider}))
    lane.declare()
    library(lane, "a.mkv", "b.mp3", "c.mkv", "d.mp3", "e.mkv", "f.mkv")
    assert requested_jobs(requested(lane)) == ["a.mkv", "b.mp3", "c.mkv"]
    outputs = lane.put(raw.RulesAdopted(version=2, program="2", by="admin", at=AT))
    assert requested_jobs(outputs) == ["e.mkv", "f.mkv"]
    assert states(answer_all(lane, "done"))[-1] == ("finished", 6, 5, 4, 0)


def test_what_could_not_be_read_is_requested_again_when_the_root_is_back_and_once_each_time(lane: Lane) -> None:
    library(lane, "good.mkv")
    library(lane, *FIVE, status="unreadable")
    lane.make(raw.RootLost, "films", cause="missing")
    outputs = lane.make(raw.RootBack, "films", cause="there again")
    assert (requested_jobs(outputs), states(outputs)) == (["a.mkv", "b.mkv", "c.mkv"], [("started", 5, 0, 0, 0)])
    answer(lane, "a.mkv")
    outputs = answer_all(lane, "unreadable")
    assert (requested_jobs(outputs), states(outputs)[-1]) == (["e.mkv"], ("finished", 5, 5, 5, 4))
    assert lane.quiet() == []
    assert requested_jobs(lane.make(raw.RootBack, "films", cause="there again")) == ["b.mkv", "c.mkv", "d.mkv"]


def test_a_root_without_any_comes_back_without_a_word(lane: Lane) -> None:
    library(lane, "good.mkv")
    library(lane, "bad.mkv", status="failed")
    lane.make(raw.RootLost, "films", cause="missing")
    assert states(lane.make(raw.RootBack, "films", cause="there again")) == []
    assert lane.fold.state.by_age is None


def test_a_root_that_comes_and_goes_has_one_request_of_its_own(lane: Lane) -> None:
    library(lane, *FIVE, status="unreadable")
    for _ in range(3):
        lane.make(raw.RootLost, "films", cause="missing")
        lane.make(raw.RootBack, "films", cause="there again")
    assert sum(not lane.fold.state.tallies[r.tally].finished for r in lane.fold.state.requests.values()) == 1
    assert set(requested_jobs(answer_all(lane, "done"))) == {"d.mkv", "e.mkv"}


def test_what_is_known_of_a_content_is_kept_when_it_could_not_be_read_again(lane: Lane) -> None:
    library(lane, "a.mkv", status=None)
    answer(lane, "a.mkv", found=Found(title="Heat", year=1995))
    lane.quiet()
    requested(lane)
    outputs = answer(lane, "a.mkv", "unreadable")
    assert [one for one in outputs if one.topic == MEDIA_UPDATES.name] == []
    assert states(outputs) == [("finished", 1, 1, 1, 1)]
    assert lane.fold.state.known["films"]["a.mkv"].analysis.found.title == "Heat"  # type: ignore[union-attr]


# -- the laws of the fold hold -----------------------------------------------------------------------------------


@dataclass
class Asking(World):
    """A world in which analyses are requested, and roots come and go."""

    lane: Lane = field(default_factory=lambda: Lane(Fold(0, carried=CARRIED)))

    def do_request(self, step: Step) -> None:
        subtree = ("", "D", "F/D")[step.b % 3]
        statuses: tuple[raw.Standing, ...] = ((), ("failed",), ("unreadable", "none"))[step.c % 3]
        requested(self.lane, ROOTS[step.a % 2], subtree, (("video",), ())[step.c % 2], statuses)

    def do_steer(self, step: Step) -> None:
        ids = [None, *self.lane.fold.state.requests]
        steered(self.lane, ("pause", "resume", "resume", "resume", "cancel")[step.a % 5], ids[step.b % len(ids)])

    def do_lost(self, step: Step) -> None:
        self._of_root(step, raw.RootLost)

    def do_back(self, step: Step) -> None:
        self._of_root(step, raw.RootBack)

    def do_adopt(self, step: Step) -> None:
        self.lane.put(raw.RulesAdopted(version=1 + step.a % 2, program="1", by="admin", at=AT))

    def do_retire(self, step: Step) -> None:
        if step.b % 4 == 0:
            watcher = self._watcher(step.a)
            self.lane.put(raw.RootRetired(root=watcher.root, by="admin", at=AT))
            watcher.new_epoch(f"e{int(watcher.epoch[1:]) + 1}")

    def settle_down(self) -> None:
        steered(self.lane, "resume")
        for root in range(2):
            self.do_back(Step("back", root))
        super().settle_down()

    def _of_root(self, step: Step, kind: type[raw.ProducerRecord]) -> None:
        watcher = self._watcher(step.a)
        self.lane.epoch = watcher.epoch
        self.lane.make(kind, watcher.root, cause="missing")


ASKING = ("request", "request", "request", "request", "steer", "lost", "back", "back", "adopt", "retire")
SOME = [
    *(Step("create", number % 2, number, 2 + number % 2) for number in range(8)),
    Step("look", 0),
    Step("look", 1),
    Step("wait", 5),
    *(Step("result", 0, number) for number in range(8)),
]
"""Before anything: files, and what their analysis came to."""
_small = st.integers(0, 23)
asking = st.builds(Step, st.sampled_from(ASKING), _small, _small, _small)
short = st.lists(asking | steps, max_size=45)
seeds = st.integers(0, 2**32).map(lambda seed: long_history(seed, 150, PLAY_STEPS + ASKING))
assert set(DISK_STEPS) & set(ASKING) == set(WATCH_STEPS) & set(ASKING) == set()


def lived(history: list[Step]) -> Asking:
    world = Asking()
    world.live([*SOME, *history])
    world.settle_down()
    return world


def refolded(world: World, every: int | None) -> list[Output]:
    """From the log; written down and read back before each `every`-th record."""
    fold, outputs = Fold(0, carried=CARRIED), list[Output]()
    for number, (offset, at, key, record) in enumerate(world.lane.log):
        if every is not None and number % every == 0:
            fold = Fold(0, state=state_bytes.decode(state_bytes.encode(fold.state)), carried=CARRIED)
        outputs += fold.apply(offset, at, key, intake.decoded(record))
        check(fold)
    return outputs


@settings(max_examples=60, deadline=None)
@given(short | seeds, st.sampled_from([1, 2, 7]))
def test_replay_is_live_also_from_what_was_written_down_anywhere_and_the_window_holds(
    history: list[Step], every: int
) -> None:
    world = lived(history)
    assert refolded(world, None) == world.lane.outputs
    assert refolded(world, every) == world.lane.outputs


@settings(max_examples=60, deadline=None)
@given(short | seeds)
def test_every_request_ends_and_leaves_nothing(history: list[Step]) -> None:
    world = lived(history)
    assert world.lane.fold.state.requests == {}
    assert world.lane.fold.state.by_age is None
    assert not world.lane.fold.state.jobs


@pytest.mark.parametrize("steps_of_a_part", [1, 3])
def test_where_the_parts_of_a_record_end_is_not_in_the_outputs(
    steps_of_a_part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = [lived(long_history(seed, 300, PLAY_STEPS + ASKING)) for seed in range(6)]
    monkeypatch.setattr("streams.core.fold.PART_STEPS", steps_of_a_part)
    for world in worlds:
        assert refolded(world, None) == world.lane.outputs
    assert sum(output.topic is REQUESTED_JOBS for world in worlds for output in world.lane.outputs) > 20


# -- how much it takes -------------------------------------------------------------------------------------------


def test_a_request_over_a_hundred_thousand_items_is_a_cursor(lane: Lane) -> None:
    lane = Lane()
    lane.declare()
    lane.offset = MANY
    known = Known(lane.fold.state, RULES_1)
    for number in range(1, MANY + 1):
        place = RootPath("films", f"D{number % 100}/{number}.mkv")
        entry = Entry.seen("home", place, a_file(number), 0)
        entry.media_id, entry.analysis = media_id(0, 0, number - 1), Analysis("done", AT)
        known.add(entry)
    kept = len(state_bytes.encode(lane.fold.state))
    outputs = requested(lane)
    assert (len(requested_jobs(outputs)), states(outputs)) == (
        RULES_1.request_window,
        [("started", MANY, 0, 0, 0)],
    )
    assert len(state_bytes.encode(lane.fold.state)) - kept < 250 * RULES_1.request_window
    assert sys.getsizeof(lane.fold.state.by_age) < 10 * MANY
    began = time.monotonic()
    for _ in range(200):
        assert len(requested_jobs(answer(lane, next(iter(lane.fold.state.jobs.values())).place.path))) == 1
    assert time.monotonic() - began < 2.0, "what a result costs does not grow with what is known"
    assert lane.fold.open_jobs == RULES_1.request_window
