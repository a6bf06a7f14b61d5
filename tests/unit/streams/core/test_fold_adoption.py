"""Rules change where a record says so, and a replay over several versions is what was live."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import raw
from schemas.codec import encode
from schemas.headers import raw_headers
from schemas.topics import MEDIA_UPDATES
from streams.core import state_bytes
from streams.core.fold import Fold
from streams.core.naming import names_by
from streams.core.rules import RULES, RULES_2, Rules, UnknownRules
from streams.core.state import State
from tests.support.lane import DecodedOutput, Lane, a_file
from tests.support.small_world import Step, World, histories, long_history

MADE_UP = msgspec.structs.replace(
    RULES_2, version=4, extensions=(("video", "mkv txt"), ("other", "mp3")), title_cap=4, probed=("video",)
)  # fmt: skip
CARRIED: dict[int, Rules] = {**RULES, 4: MADE_UP}
UPDATES = MEDIA_UPDATES.name
AT = "2026-11-27T10:00:00.000Z"


def adopted(version: int) -> raw.RulesAdopted:
    return raw.RulesAdopted(version=version, program="9.9.9", by="admin", at=AT)


@dataclass
class Adopting(World):
    """A world in whose middle rules are adopted."""

    lane: Lane = field(default_factory=lambda: Lane(Fold(0, carried=CARRIED)))

    def do_adopt(self, step: Step) -> None:
        self.lane.put(adopted(step.a))


@pytest.fixture
def lane() -> Lane:
    lane = Lane(Fold(0, carried=CARRIED))
    lane.declare()
    return lane


def updates(outputs: list[DecodedOutput]) -> list[tuple[Any, ...]]:
    return [
        (one["action"], one.value.get("cause"), one["media"]["title"])  # type: ignore[index]
        for one in outputs
        if one.topic == UPDATES and one.value is not None
    ]


def jobs(outputs: list[DecodedOutput]) -> int:
    return sum(one.topic == "catalog.analysis.jobs.v1" for one in outputs)


# -- what is told ----------------------------------------------------------------------------------------------


def test_each_item_that_is_read_otherwise_has_one_update_and_keeps_its_id(lane: Lane) -> None:
    for number, name in enumerate(("[REC] (2007).mkv", "7 Rings.mp3", "Plain (1999).mkv", "D")):
        lane.see(
            name, a_file(number + 1, size=1_000 + number) if name != "D" else raw.FileState("dir", 1, 1, 1, 9)
        )
    before = {one["media_id"] for one in lane.later(2_000) if one.topic == UPDATES}
    outputs = lane.put(adopted(2))
    assert updates(outputs) == [("updated", "rules:2", "[REC] (2007)"), ("updated", "rules:2", "7 Rings")]
    assert {one["media_id"] for one in outputs if one.topic == UPDATES} < before
    assert jobs(outputs) == 0
    assert lane.put(adopted(2)) == lane.put(adopted(1)) == []
    assert lane.fold.dropped["outdated_rules"] == 2


def test_what_comes_afterwards_is_by_the_new_rules_and_names_them(lane: Lane) -> None:
    lane.put(adopted(2))
    lane.see("99 Luftballons.mp3", a_file(1))
    assert updates(lane.later(2_000)) == [("created", None, "99 Luftballons")]
    assert dict(lane.outputs[-1].headers)["x-fold-version"] == b"2"


def test_what_only_the_new_rules_analyse_is_requested_and_what_they_do_not_is_requested_no_more(
    lane: Lane,
) -> None:
    lane.see("note.txt", a_file(1, size=5_000))
    lane.see("song.mp3", a_file(2, size=6_000))
    assert jobs(lane.later(2_000)) == 1
    outputs = lane.put(adopted(4))
    assert jobs(outputs) == 1
    assert [job.place.path for job in lane.fold.state.jobs.values()] == ["note.txt"]


def test_versions_may_be_left_out(lane: Lane) -> None:
    lane.see("clip 1080x1920.mp4", a_file(1))
    lane.later(2_000)
    assert updates(lane.put(adopted(4))) == [("updated", "rules:4", "clip")]
    assert lane.fold.rules is MADE_UP


# -- rules that are not there ----------------------------------------------------------------------------------


def test_rules_that_are_not_available_stop_the_fold_before_any_output(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.at += 5_000
    before = state_bytes.encode(lane.fold.state)
    with pytest.raises(UnknownRules) as error:
        lane.fold.parts(9, lane.at, b"", encode(adopted(99)), raw_headers("rules_adopted"))
    assert (error.value.version, error.value.program) == (99, "9.9.9")
    assert state_bytes.encode(lane.fold.state) == before


def test_a_program_without_the_rules_of_the_beginning_goes_on_from_a_state_and_begins_nothing(lane: Lane) -> None:
    later = {2: RULES_2, 4: MADE_UP}
    with pytest.raises(UnknownRules):
        Fold(0, carried=later)
    with pytest.raises(UnknownRules):
        Fold(0, carried=later, state=lane.fold.state)
    lane.put(adopted(2))
    lane.fold = Fold(0, carried=later, state=state_bytes.decode(state_bytes.encode(lane.fold.state)))
    assert lane.fold.rules is RULES_2
    lane.put(adopted(4))
    assert lane.fold.rules is MADE_UP


# -- over several versions -------------------------------------------------------------------------------------

mixed = st.tuples(
    histories | st.integers(0, 2**32).map(long_history),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 4)), max_size=4),
)


def with_adoptions(history: list[Step], where: list[tuple[int, int]]) -> list[Step]:
    steps = list(history)
    for at, version in where:
        steps.insert(at % (len(steps) + 1), Step("adopt", version))
    return steps


@settings(max_examples=60, deadline=None)
@given(mixed)
def test_a_replay_over_three_versions_is_what_was_live_also_from_any_state_in_between(
    drawn: tuple[list[Step], list[tuple[int, int]]],
) -> None:
    world = Adopting()
    world.live(with_adoptions(*drawn))
    world.settle_down()
    whole, cut = Fold(0, carried=CARRIED), Fold(0, carried=CARRIED)
    for offset, at, key, record in world.lane.log:
        cut = Fold(0, carried=CARRIED, state=state_bytes.decode(state_bytes.encode(cut.state)))
        assert cut.apply(offset, at, key, record) == whole.apply(offset, at, key, record)
    assert whole.counters == world.lane.fold.counters


@settings(max_examples=60, deadline=None)
@given(mixed)
def test_afterwards_every_item_is_as_the_last_rules_read_it(
    drawn: tuple[list[Step], list[tuple[int, int]]],
) -> None:
    world = Adopting()
    world.live(with_adoptions(*drawn))
    world.settle_down()
    outputs: dict[int, dict[str, Any]] = {}
    for output in world.lane.outputs:
        if output.topic.name == "catalog.media.state.v1":
            outputs[int(output.key)] = {} if output.value is None else msgspec.json.decode(output.value)
    names = names_by(CARRIED[world.lane.fold.state.rules_version])
    read = {
        item["path"]: (item["media_type"], item.get("season"))
        for item in outputs.values()
        if item and "path_b64" not in item
    }
    assert read == {path: (names.read(path).media_type, names.read(path).season) for path in read}


def test_the_state_knows_its_rules() -> None:
    state = State()
    state.rules_version = 2
    assert Fold(0, state=state).rules is RULES_2
