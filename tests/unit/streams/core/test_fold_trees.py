"""A directory's move is applied at once, to everything known, pending or held below it, and published when it is
quiet."""

from __future__ import annotations

from schemas import raw
from tests.support.fold_truth import check
from tests.support.lane import DecodedOutput, Lane, a_dir, a_file, kinds


def path_changes(outputs: list[DecodedOutput]) -> list[tuple[object, ...]]:
    return [
        (t["kind"], t["from_path"] if t["kind"] == "moved" else None, t["path"])
        for t in outputs
        if t.topic == "catalog.fs.changes.v1" and t["kind"] in ("created", "modified", "deleted", "moved")
    ]


def season(lane: Lane) -> None:
    lane.see("S", a_dir(10))
    lane.see("S/one.txt", a_file(11))
    lane.see("S/two.txt", a_file(12))
    lane.quiet()


WITH_SEASON = [("moved", "S", "T"), ("moved", "S/one.txt", "T/one.txt"), ("moved", "S/two.txt", "T/two.txt")]


def test_one_record_for_the_tree_and_one_for_each_path_of_one_cause(lane: Lane) -> None:
    season(lane)
    assert lane.move("S", "T", a_dir(10)) == []
    outputs = lane.later(2_000)
    tree = outputs[0]
    assert (tree["kind"], tree["from_path"], tree["path"], tree["count"]) == ("tree_moved", "S", "T", 3)
    assert path_changes(outputs) == WITH_SEASON
    changes = [t for t in outputs if t.topic == "catalog.fs.changes.v1"]
    assert {t["cause"] for t in changes} == {f"tree:{tree.id}"}
    assert kinds(lane.quiet()) == []


def test_ids_are_kept_below_it(lane: Lane) -> None:
    season(lane)
    lane.move("S", "T", a_dir(10))
    outputs = lane.quiet()
    ids = {t["path"]: t["media_id"] for t in outputs if t.value and t.value.get("media_id") and "path" in t.value}
    assert ids == {"T/one.txt": 3 * 1024, "T/two.txt": 4 * 1024}


def test_what_is_pending_below_settles_at_the_new_place(lane: Lane) -> None:
    season(lane)
    lane.see("S/one.txt", a_file(11, size=7_000))
    lane.see("S/new.txt", a_file(13))
    lane.later(1_000)
    lane.move("S", "T", a_dir(10))
    assert path_changes(lane.later(1_000)) == [
        *WITH_SEASON, ("modified", None, "T/one.txt"), ("created", None, "T/new.txt"),
    ]  # fmt: skip


def test_a_deletion_held_below_is_of_the_new_place(lane: Lane) -> None:
    season(lane)
    lane.see("S/one.txt", None)
    lane.later(1_900)
    lane.see("found.txt", a_file(11))
    lane.later(600)
    lane.move("S", "T", a_dir(10))
    check(lane.fold)
    assert path_changes(lane.quiet()) == [*WITH_SEASON, ("moved", "T/one.txt", "found.txt")]


def test_a_creation_held_below_is_of_the_new_place(lane: Lane) -> None:
    season(lane)
    lane.see("other.txt", a_file(21))
    lane.quiet()
    lane.see("S/link.txt", a_file(21))
    lane.later(2_500)
    lane.move("S", "T", a_dir(10))
    check(lane.fold)
    assert path_changes(lane.quiet()) == [*WITH_SEASON, ("created", None, "T/link.txt")]


def test_a_file_on_its_way_out_follows_its_directory_first(lane: Lane) -> None:
    season(lane)
    lane.move("S/one.txt", "one.txt", a_file(11))
    lane.move("S", "T", a_dir(10))
    assert path_changes(lane.quiet()) == [*WITH_SEASON, ("moved", "T/one.txt", "one.txt")]


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
    outputs = lane.move("S", "T", a_dir(10))
    check(lane.fold)
    assert path_changes(outputs) == [("deleted", None, "T"), ("deleted", None, "T/one.txt")]
    assert path_changes(lane.quiet()) == WITH_SEASON


def test_a_creation_held_where_the_tree_arrives_is_outdated(lane: Lane) -> None:
    season(lane)
    lane.see("other.txt", a_file(40))
    lane.quiet()
    lane.see("T/one.txt", a_file(40))
    lane.later(2_500)
    lane.move("S", "T", a_dir(10))
    check(lane.fold)
    assert path_changes(lane.quiet()) == WITH_SEASON


def test_a_name_that_only_begins_alike_stays(lane: Lane) -> None:
    season(lane)
    lane.see("S2.txt", a_file(30))
    lane.quiet()
    lane.move("S", "T", a_dir(10))
    assert path_changes(lane.quiet()) == WITH_SEASON
    lane.see("S2.txt", a_file(30))
    assert path_changes(lane.quiet()) == []


def test_a_directory_that_moves_on_is_published_once(lane: Lane) -> None:
    """As a file manager's rename does that is corrected, and 401 renames of one directory in a burst."""
    season(lane)
    for number in range(400):
        lane.move("S" if number == 0 else f"S{number}", f"S{number + 1}", a_dir(10))
        lane.at += 10
    lane.move("S400", "T", a_dir(10))
    check(lane.fold)
    assert path_changes(lane.quiet()) == WITH_SEASON


def test_one_that_never_rests_is_published_at_the_max_hold(lane: Lane) -> None:
    season(lane)
    outputs = []
    for number in range(40):
        outputs += lane.move("S" if number == 0 else f"S{number}", f"S{number + 1}", a_dir(10))
        outputs += lane.later(1_000)
    assert [t["from_path"] for t in outputs if t.value and t.value.get("kind") == "tree_moved"] == ["S"]


def test_of_a_directory_that_is_back_nothing_is_published(lane: Lane) -> None:
    season(lane)
    lane.move("S", "T", a_dir(10))
    lane.move("T", "S", a_dir(10))
    check(lane.fold)
    assert path_changes(lane.quiet()) == []


def test_two_directories_that_change_places_are_published_as_a_swap(lane: Lane) -> None:
    season(lane)
    lane.see("T", a_dir(20))
    lane.see("T/one.txt", a_file(21))
    lane.quiet()
    for source, target, inode in (("S", ".~1", 10), ("T", "S", 20), (".~1", "T", 10)):
        lane.move(source, target, a_dir(inode))
        check(lane.fold)
    outputs = lane.quiet()
    assert sorted(path_changes(outputs)) == sorted(
        [*WITH_SEASON, ("moved", "T", "S"), ("moved", "T/one.txt", "S/one.txt")]
    )
    taken = {(t["kind"], t["from_path"]) for t in outputs if t.value and t.value.get("from_taken")}
    assert taken == {("tree_moved", "T"), ("moved", "T"), ("moved", "T/one.txt")}


def test_what_happens_below_it_is_published_after_it(lane: Lane) -> None:
    season(lane)
    lane.move("S", "T", a_dir(10))
    lane.move("T/one.txt", "T/1.txt", a_file(11))
    lane.see("S", a_dir(30))
    lane.see("S/one.txt", a_file(31))
    lane.move("T", "U", a_dir(10))
    check(lane.fold)
    assert path_changes(lane.quiet()) == [
        ("moved", "S", "U"), ("moved", "S/one.txt", "U/one.txt"), ("moved", "S/two.txt", "U/two.txt"),
        ("moved", "U/one.txt", "U/1.txt"), ("created", None, "S"), ("created", None, "S/one.txt"),
    ]  # fmt: skip


def test_a_directory_moved_inside_one_that_has_moved_comes_after_it(lane: Lane) -> None:
    season(lane)
    lane.see("S/E", a_dir(13))
    lane.see("S/E/x.txt", a_file(14))
    lane.quiet()
    outputs = lane.move("S", "T", a_dir(10))
    outputs += lane.move("T/E", "T/F", a_dir(13))
    outputs += lane.quiet()
    trees = [(t["from_path"], t["path"]) for t in outputs if t.value and t.value.get("kind") == "tree_moved"]
    assert trees == [("S", "T"), ("T/E", "T/F")]


def test_a_result_while_a_directory_is_on_its_way_counts(lane: Lane) -> None:
    lane.see("S", a_dir(10))
    lane.see("S/a.mkv", a_file(11))
    (job,) = [t for t in lane.later(2_000) if t.topic == "catalog.analysis.jobs.v1"]
    lane.move("S", "T", a_dir(10))
    done = lane.put(
        raw.Result(
            job=job.id, media_id=lane.offset, root="films", size=1000, mtime_ns=1, inode=11, status="done",
        )
    )  # fmt: skip
    assert kinds(done) == ["media analyzed"]
    check(lane.fold)
    assert "job" not in kinds(lane.quiet())
