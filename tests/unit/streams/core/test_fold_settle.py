"""Debounce: a path is published when it has been quiet for the window, or at the max hold; and only if it differs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.lane import DecodedOutput, Lane, a_dir, a_file, decoded, kinds


def changes(lane: Lane) -> list[DecodedOutput]:
    """The changes of paths published so far."""
    outputs = [t for t in decoded(lane.outputs) if t.topic == "catalog.fs.changes.v1"]
    return [t for t in outputs if t["kind"] in ("created", "modified", "deleted", "moved")]


CREATED = ["created a.mkv", "media created", "job"]


def test_quiet_for_two_seconds_settles_and_not_a_millisecond_before(lane: Lane) -> None:
    assert lane.see("a.mkv", a_file(1)) == []
    assert lane.later(1_999) == []
    assert kinds(lane.later(1)) == CREATED


def test_a_changed_size_mtime_or_identity_starts_the_window_anew(lane: Lane) -> None:
    for file in (a_file(1), a_file(1, size=2_000), a_file(1, size=2_000, mtime_ns=2), a_file(2, 2_000, 2)):
        lane.see("a.mkv", file)
        assert lane.later(1_500) == []
    assert kinds(lane.later(500)) == CREATED


def test_an_equal_sight_does_not_restart_the_window(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.later(1_900)
    lane.see("a.mkv", a_file(1, nlink=2))
    assert kinds(lane.later(100)) == CREATED


def test_a_fingerprint_does_not_restart_the_window(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.later(1_900)
    lane.finger("a.mkv", a_file(1), "f1")
    outputs = lane.later(100)
    assert kinds(outputs) == CREATED
    assert outputs[0]["fingerprint"] == "f1"


def test_a_fingerprint_of_another_state_is_not_taken(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1, size=2_000))
    lane.finger("a.mkv", a_file(1), "f1")
    assert "fingerprint" not in (lane.later(2_000)[0].value or {})


def test_still_changing_at_the_max_hold_is_published_unsettled_and_the_hold_begins_anew(lane: Lane) -> None:
    for second in range(70):
        assert lane.see("a.mkv", a_file(1, size=1_000 + second)) == []
        lane.later(1_000)
    outputs = [(t["kind"], t["size"], t["settled"]) for t in changes(lane)]
    assert outputs == [("created", 1_029, False), ("created", 1_059, False)]
    assert kinds(lane.quiet())[:2] == ["created a.mkv", "media created"]


def test_a_rewritten_known_file_is_modified_unsettled_with_its_id(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    id_ = lane.later(2_000)[0]["media_id"]
    for second in range(31):
        lane.see("a.mkv", a_file(1, size=5_000 + second))
        lane.later(1_000)
    change = changes(lane)[-1]
    assert (change["kind"], change["settled"], change["media_id"]) == ("modified", False, id_)


def test_an_empty_file_settles_catalogued_without_a_job(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1, size=0))
    assert kinds(lane.later(2_000)) == ["created a.mkv", "media created"]


def test_an_empty_file_touched_for_ever_settles_at_the_max_hold(lane: Lane) -> None:
    emitted: list[str] = []
    for second in range(31):
        emitted += kinds(lane.see("a.mkv", a_file(1, size=0, mtime_ns=second)))
        emitted += kinds(lane.later(1_000))
    assert emitted == ["created a.mkv", "media created"]


def test_deleted_before_it_settled_was_never_there(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.see("a.mkv", None)
    assert kinds(lane.quiet()) == []


def test_deleted_and_back_within_the_window_is_nothing(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.later(2_000)
    lane.see("a.mkv", None)
    lane.see("a.mkv", a_file(1))
    assert kinds(lane.quiet()) == []


def test_deleted_and_made_anew_at_the_same_path_is_a_modification_of_one_item(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    id_ = lane.later(2_000)[0]["media_id"]
    lane.see("a.mkv", None)
    lane.later(500)
    lane.see("a.mkv", a_file(1, size=7_000, mtime_ns=9))
    outputs = lane.later(2_000)
    assert kinds(outputs) == ["modified a.mkv", "media updated", "job"]
    assert outputs[0]["media_id"] == id_


def test_observing_everything_again_changes_nothing(lane: Lane) -> None:
    tree = {"D": a_dir(9), "D/a.mkv": a_file(1), "n.txt": a_file(2, size=0), "l": a_file(3, type="symlink")}
    for path, file in tree.items():
        lane.see(path, file)
    assert len(lane.quiet()) > 0
    for _ in range(3):
        for path, file in tree.items():
            assert lane.see(path, file) == []
        lane.see("never", None)
        assert lane.fold.next_due is None or lane.fold.next_due > lane.fold.now + 3_600_000


def test_another_device_number_alone_is_no_change(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.later(2_000)
    lane.see("a.mkv", a_file(1, dev=77))
    assert kinds(lane.quiet()) == []


def test_windows_are_the_roots_own(lane: Lane) -> None:
    lane.declare("smb", debounce_ms=500)
    lane.see("a.mkv", a_file(1), root="smb")
    assert kinds(lane.later(500)) == CREATED


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 2)), min_size=1, max_size=25))
def test_nothing_early_nothing_late(sights: list[tuple[int, int]]) -> None:
    """Against a model a line long: quiet since the last different sight, looked at every 100 ms."""
    lane = Lane()
    lane.declare(max_hold_ms=10**9)
    outputs: list[tuple[int, object]] = []
    expected: list[tuple[int, object]] = []
    size, since, known = -1, 0, None
    for wait, kind in [*sights, (40, -1)]:
        if kind >= 0:
            if size != 1_000 + kind:
                size, since = 1_000 + kind, lane.fold.now
            lane.see("a.mkv", a_file(1, size=size))
        for _ in range(wait):
            for one in lane.later(100):
                if one.topic == "catalog.fs.changes.v1":
                    outputs.append((lane.fold.now, one["size"]))
            if size != known and lane.fold.now >= since + 2_000:
                expected.append((lane.fold.now, size))
                known = size
    assert outputs == expected
