"""A root that is retired leaves nothing in the catalogue, whatever was known, pending or held of it; others stay."""

from __future__ import annotations

from schemas import raw
from tests.support.fold_truth import leftovers
from tests.support.lane import DecodedOutput, Lane, a_file, kinds

AT = "2026-11-24T10:30:00.000Z"


def retire(lane: Lane, root: str = "films") -> list[DecodedOutput]:
    return lane.put(raw.RootRetired(root=root, by="admin@nas", at=AT))


def test_every_item_is_closed_with_that_cause_and_then_the_root_is_published_as_retired(lane: Lane) -> None:
    lane.see("D", raw.FileState("dir", 0, 1, 1, 9))
    lane.see("D/a.mkv", a_file(1))
    lane.see("b.mkv", a_file(2))
    lane.quiet()
    outputs = retire(lane)
    changes = [t for t in outputs if t.value and "kind" in t.value]
    assert sorted(kinds(changes)[:-1]) == ["deleted D", "deleted D/a.mkv", "deleted b.mkv"]
    assert {t["cause"] for t in changes[:-1]} == {"retired"}
    assert (changes[-1]["kind"], changes[-1]["state"], changes[-1]["cause"]) == (
        "root_changed",
        "retired",
        "admin@nas",
    )
    assert leftovers(lane.fold) == {}


def test_what_was_pending_or_held_is_never_published(lane: Lane) -> None:
    lane.see("known.mkv", a_file(1))
    lane.quiet()
    lane.see("known.mkv", None)
    lane.see("new.mkv", a_file(2))
    retire(lane)
    assert lane.quiet() == []
    assert lane.fold.known_paths == 0
    assert lane.fold.next_due is None


def test_another_root_of_the_library_stays_as_it_is(lane: Lane) -> None:
    lane.declare("music")
    lane.see("a.flac", a_file(1), root="music")
    lane.see("a.mkv", a_file(2))
    lane.quiet()
    retire(lane)
    assert lane.fold.known_paths == 1


def test_records_that_come_after_it_do_not_count_until_the_root_is_declared_anew(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.quiet()
    retire(lane)
    lane.see("b.mkv", a_file(2))
    assert lane.quiet() == []
    lane.epoch = "e2"
    lane.declare()
    lane.see("a.mkv", a_file(1))
    assert kinds(lane.quiet())[0] == "created a.mkv"


def test_one_that_is_retired_again_has_nothing_left_to_close(lane: Lane) -> None:
    retire(lane)
    assert [t["kind"] for t in retire(lane)] == ["root_changed"]


def test_a_root_of_another_library_or_of_none_does_not_count(lane: Lane) -> None:
    assert retire(lane, "nosuch") == []
    assert lane.fold.dropped == {"undeclared_root": 1}


def test_a_scan_under_way_is_not_kept_for_ever(lane: Lane) -> None:
    lane.scan(1, "baseline")
    lane.see("a.mkv", a_file(1))
    retire(lane)
    assert lane.fold.state.tallies == {}
