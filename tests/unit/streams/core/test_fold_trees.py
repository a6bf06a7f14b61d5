"""A directory's move is applied at once, to everything known, pending or held below it."""

from __future__ import annotations

from tests.support.fold_truth import check
from tests.support.lane import Lane, Told, a_dir, a_file, kinds


def path_changes(told: list[Told]) -> list[tuple[object, ...]]:
    return [
        (t["kind"], t["from_path"] if t["kind"] == "moved" else None, t["path"])
        for t in told
        if t.topic == "catalog.fs.changes.v1" and t["kind"] in ("created", "modified", "deleted", "moved")
    ]


def season(lane: Lane) -> None:
    lane.see("S", a_dir(10))
    lane.see("S/one.txt", a_file(11))
    lane.see("S/two.txt", a_file(12))
    lane.quiet()


def test_one_record_for_the_tree_and_one_for_each_path_of_one_cause(lane: Lane) -> None:
    season(lane)
    told = lane.move("S", "T", a_dir(10))
    tree = told[0]
    assert (tree["kind"], tree["from_path"], tree["path"], tree["count"]) == ("tree_moved", "S", "T", 3)
    assert path_changes(told) == [
        ("moved", "S", "T"), ("moved", "S/one.txt", "T/one.txt"), ("moved", "S/two.txt", "T/two.txt"),
    ]  # fmt: skip
    changes = [t for t in told if t.topic == "catalog.fs.changes.v1"]
    assert {t["cause"] for t in changes} == {f"tree:{tree.id}"}
    assert kinds(lane.quiet()) == []


def test_ids_are_kept_below_it(lane: Lane) -> None:
    season(lane)
    told = lane.move("S", "T", a_dir(10))
    ids = {t["path"]: t["media_id"] for t in told if t.value and t.value.get("media_id") and "path" in t.value}
    assert ids == {"T/one.txt": 3 * 1024, "T/two.txt": 4 * 1024}


def test_what_is_pending_below_settles_at_the_new_place(lane: Lane) -> None:
    season(lane)
    lane.see("S/one.txt", a_file(11, size=7_000))
    lane.see("S/new.txt", a_file(13))
    lane.later(1_000)
    lane.move("S", "T", a_dir(10))
    assert path_changes(lane.later(1_000)) == [("modified", None, "T/one.txt"), ("created", None, "T/new.txt")]


def test_a_deletion_held_below_is_of_the_new_place(lane: Lane) -> None:
    season(lane)
    lane.see("S/one.txt", None)
    lane.later(1_900)
    lane.see("found.txt", a_file(11))
    lane.later(600)
    lane.move("S", "T", a_dir(10))
    check(lane.fold)
    assert path_changes(lane.quiet()) == [("moved", "T/one.txt", "found.txt")]


def test_a_creation_held_below_is_of_the_new_place(lane: Lane) -> None:
    season(lane)
    lane.see("other.txt", a_file(21))
    lane.quiet()
    lane.see("S/link.txt", a_file(21))
    lane.later(2_500)
    lane.move("S", "T", a_dir(10))
    check(lane.fold)
    assert path_changes(lane.quiet()) == [("created", None, "T/link.txt")]


def test_a_file_on_its_way_out_follows_its_directory_first(lane: Lane) -> None:
    season(lane)
    lane.move("S/one.txt", "one.txt", a_file(11))
    lane.move("S", "T", a_dir(10))
    assert path_changes(lane.quiet()) == [("moved", "T/one.txt", "one.txt")]


def test_an_unknown_directory_is_observed_at_its_new_place(lane: Lane) -> None:
    lane.move("S", "T", a_dir(10))
    assert path_changes(lane.quiet()) == [("created", None, "T")]


def test_a_directory_not_yet_settled_moves_with_what_is_pending(lane: Lane) -> None:
    lane.see("S", a_dir(10))
    lane.see("S/one.txt", a_file(11))
    lane.move("S", "T", a_dir(10))
    assert path_changes(lane.quiet()) == [("created", None, "T"), ("created", None, "T/one.txt")]


def test_over_an_emptied_directory_outdated_words_below_it_do_not_count(lane: Lane) -> None:
    """`rm T/one.txt` is still pending when `S`, which has a `one.txt` too, takes the place of `T`."""
    season(lane)
    lane.see("T", a_dir(20))
    lane.see("T/one.txt", a_file(21, size=9_000))
    lane.quiet()
    lane.see("T/one.txt", None)
    told = lane.move("S", "T", a_dir(10))
    check(lane.fold)
    assert path_changes(told) == [
        ("deleted", None, "T"), ("deleted", None, "T/one.txt"),
        ("moved", "S", "T"), ("moved", "S/one.txt", "T/one.txt"), ("moved", "S/two.txt", "T/two.txt"),
    ]  # fmt: skip
    assert path_changes(lane.quiet()) == []


def test_a_creation_held_where_the_tree_arrives_is_outdated(lane: Lane) -> None:
    season(lane)
    lane.see("other.txt", a_file(40))
    lane.quiet()
    lane.see("T/one.txt", a_file(40))
    lane.later(2_500)
    lane.move("S", "T", a_dir(10))
    check(lane.fold)
    assert path_changes(lane.quiet()) == []


def test_a_name_that_only_begins_alike_stays(lane: Lane) -> None:
    season(lane)
    lane.see("S2.txt", a_file(30))
    lane.quiet()
    assert ("moved", "S2.txt", "T2.txt") not in path_changes(lane.move("S", "T", a_dir(10)))
    lane.see("S2.txt", a_file(30))
    assert path_changes(lane.quiet()) == []
