"""Which records of producers count: epochs adopted in log order, dense seq, roots of one library."""

from __future__ import annotations

from schemas import raw
from tests.support.lane import DecodedOutput, Lane, a_file, kinds


def gaps(outputs: list[DecodedOutput]) -> list[tuple[object, ...]]:
    return [
        (t["state"], t["cause"], t.value.get("first_seq"), t.value.get("last_seq"))
        for t in outputs
        if t.value and t.value.get("kind") == "gap_changed"
    ]


def test_a_declaration_is_published_with_what_was_declared() -> None:
    outputs = Lane().declare("films")
    assert [(t["kind"], t["state"], t["epoch"], t["site"]) for t in outputs] == [
        ("root_changed", "declared", "e1", "main")
    ]


def test_a_root_never_declared_does_not_count() -> None:
    lane = Lane()
    lane.see("a.mkv", a_file(1))
    assert lane.quiet() == []
    assert lane.fold.dropped == {"undeclared_root": 1}


def test_a_record_of_another_epoch_is_dropped(lane: Lane) -> None:
    lane.epoch = "e2"
    lane.see("a.mkv", a_file(1))
    assert lane.quiet() == []
    assert lane.fold.dropped == {"other_epoch": 1}


def test_what_is_sent_again_is_dropped(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    record = lane.log[-1][3]
    lane.see("a.mkv", a_file(1, size=2_000))
    lane.put(record)
    assert lane.quiet()[0]["size"] == 2_000
    assert lane.fold.dropped == {"resent": 1}


def test_a_declaration_sent_again_does_not_bring_an_old_epoch_back(lane: Lane) -> None:
    old = lane.log[-1][3]
    lane.epoch = "e2"
    lane.declare()
    assert lane.put(old) == []
    lane.see("a.mkv", a_file(1))
    assert kinds(lane.quiet())[0] == "created a.mkv"


def test_a_jump_of_seq_is_a_gap_until_a_whole_baseline_has_published_everything_again(lane: Lane) -> None:
    lane.seqs["films", "e1"] = 5
    assert gaps(lane.see("a.mkv", a_file(1))) == [("open", "seq_jump", 2, 5)]
    lane.scan(1, "baseline", subtree="D")
    assert gaps(lane.scanned(1, 0, "baseline", subtree="D")) == []
    lane.scan(2)  # says only what the producer believes to be unsaid
    assert gaps(lane.scanned(2, 0)) == []
    lane.scan(3, "baseline")
    assert gaps(lane.scanned(3, 0, "baseline")) == [("closed", "seq_jump", None, None)]
    lane.scan(4, "baseline")
    assert gaps(lane.scanned(4, 0, "baseline")) == []


def test_a_baseline_that_lost_something_itself_heals_no_jump(lane: Lane) -> None:
    lane.scan(1, "baseline")
    lane.seqs["films", "e1"] += 5
    assert gaps(lane.scanned(1, 0, "baseline")) == [("open", "seq_jump", 3, 7)]
    lane.scan(2, "baseline")
    lane.see("a.mkv", a_file(1), origin="baseline", scan=2)
    assert gaps(lane.scanned(2, 2, "baseline")) == []  # one of two arrived
    lane.scan(3, "baseline")
    assert gaps(lane.scanned(3, 0, "baseline", unseen=(raw.Unseen("closed"),))) == []


def test_the_record_after_the_jump_counts(lane: Lane) -> None:
    lane.seqs["films", "e1"] = 5
    lane.see("a.mkv", a_file(1))
    assert kinds(lane.quiet())[0] == "created a.mkv"


def test_a_new_epoch_does_not_forget_the_gap(lane: Lane) -> None:
    lane.seqs["films", "e1"] = 5
    lane.see("a.mkv", a_file(1))
    lane.epoch = "e2"
    lane.declare()
    lane.scan(1, "baseline")
    assert gaps(lane.scanned(1, 0, "baseline")) == [("closed", "seq_jump", None, None)]


def test_lost_and_back_is_published_and_deletes_nothing(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.quiet()
    assert [t["state"] for t in lane.make(raw.RootLost, "films", cause="unmounted")] == ["lost"]
    assert kinds(lane.later(600_000)) == []
    outputs = lane.make(raw.RootBack, "films", cause="seen")
    assert [(t["state"], t["cause"]) for t in outputs] == [("back", "seen")]
    assert kinds(lane.later(600_000)) == []


def test_gaps_of_producers_are_published_with_their_counts(lane: Lane) -> None:
    assert gaps(lane.make(raw.GapOpen, "films", cause="overflow", subtree="D")) == [
        ("open", "overflow", None, None)
    ]
    outputs = lane.make(raw.GapClosed, "films", cause="overflow", subtree="D", counts=raw.Counts(added=3))
    assert [(t["state"], t["subtree"], t["counts"]) for t in outputs] == [("closed", "D", {"added": 3})]


def test_a_root_declared_in_another_library_is_refused(lane: Lane) -> None:
    lane.epoch = "e2"
    assert lane.declare(library="away") == []
    lane.library = "away"
    assert lane.declare(library="away") == []
    assert lane.fold.dropped == {"other_library": 2}


def test_windows_without_sense_cannot_stop_the_fold() -> None:
    lane = Lane()
    lane.declare(debounce_ms=-5, max_hold_ms=0, rename_window_ms=-1)
    for size in range(1, 20):
        lane.see("a.mkv", a_file(1, size=size))
        lane.later(1)
    assert kinds(lane.quiet())[-1:] in ([], ["job"])
    assert lane.fold.known_paths == 1


def test_what_a_producer_that_lost_its_root_had_under_way_changes_nothing() -> None:
    lane = Lane()
    lane.declare(term=3)
    lane.see("a.mkv", a_file(1))
    lane.epoch = "e2"
    lane.declare(term=5)
    lane.quiet()
    dropped = lane.fold.dropped.get("other_epoch", 0)
    lane.epoch = "e1"
    late = [
        lane.declare(term=3),
        lane.make(raw.RootLost, "films", cause="missing"),
        lane.see("a.mkv", None),
        lane.make(raw.GapOpen, "films", cause="late"),
        lane.scan(1, "baseline"),
        lane.scanned(1, 0, "baseline"),
    ]
    lane.epoch = "never declared"
    late.append(lane.declare(term=4))
    assert (late, lane.quiet(), lane.fold.known_paths) == ([[]] * 7, [], 1)
    assert lane.fold.dropped["other_epoch"] == dropped + 7
    lane.epoch = "e2"
    lane.see("b.mkv", a_file(2))
    assert kinds(lane.quiet())[0] == "created b.mkv"


def test_its_holder_may_begin_a_root_anew_under_the_term_that_it_has() -> None:
    lane = Lane()
    for epoch, term in (("e1", 3), ("e1", 7), ("e2", 7), ("e3", 7)):
        lane.epoch = epoch
        assert [t["state"] for t in lane.declare(term=term)] == ["declared"]


def test_a_root_that_was_retired_is_not_brought_back_by_its_former_producer() -> None:
    lane = Lane()
    lane.declare(term=5)
    lane.put(raw.RootRetired(root="films", by="admin", at="2026-01-01T00:00:00.000Z"))
    lane.epoch = "e0"
    assert lane.declare(term=4) == []
    lane.epoch = "e2"
    assert [t["state"] for t in lane.declare(term=5)] == ["declared"]


def test_seen_from_another_machine_it_is_the_same_root_and_its_baseline_decides_what_is_gone() -> None:
    lane = Lane()
    lane.declare(identity=raw.RootIdentity(dev=1, inode=2, fsid=7))
    lane.see("a.mkv", a_file(1))
    lane.quiet()
    lane.epoch = "e2"
    lane.declare(identity=raw.RootIdentity(dev=9, inode=2, fsid=7), term=1)
    lane.scan(1, "baseline")
    lane.scanned(1, 0, "baseline")
    assert kinds(lane.quiet())[0] == "deleted a.mkv"


def test_a_gap_that_its_producer_can_close_no_more_is_closed_by_the_baseline_of_the_next_one(lane: Lane) -> None:
    lane.make(raw.GapOpen, "films", cause="overflow", subtree="D")
    lane.make(raw.GapOpen, "films", cause="overflow", subtree="D/E")
    lane.make(raw.GapOpen, "films", cause="watch_limit")
    lane.make(raw.GapClosed, "films", cause="overflow", subtree="D/E", counts=raw.Counts())
    lane.epoch = "e2"
    lane.declare(term=1)
    lane.scan(1, "baseline")
    assert gaps(lane.scanned(1, 1, "baseline")) == []  # something is missing of it
    lane.scan(2)
    assert gaps(lane.scanned(2, 0)) == []
    lane.scan(3, "baseline")
    assert gaps(lane.scanned(3, 0, "baseline")) == [
        ("closed", "overflow", None, None), ("closed", "watch_limit", None, None),
    ]  # fmt: skip
    lane.scan(4, "baseline")
    assert gaps(lane.scanned(4, 0, "baseline")) == []
