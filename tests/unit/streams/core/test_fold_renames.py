"""Which deletion and which creation are one move, and what the move keeps."""

from __future__ import annotations

import pytest

from streams.core.fold import Fold
from streams.core.state import State
from tests.support.fold_truth import check
from tests.support.lane import DecodedOutput, Lane, a_file, kinds

MOVED = ["moved b.mkv", "media updated"]


@pytest.fixture
def analysed(lane: Lane) -> Lane:
    """`a.mkv`, known, with its job ended."""
    known(lane, "a.mkv", a_file(1))
    return lane


def known(lane: Lane, path: str, file: object, root: str = "films") -> int:
    """Make a path known and quiet, its job answered; returns the media id."""
    lane.see(path, file, root)  # type: ignore[arg-type]
    outputs = lane.later(2_000)
    answer(lane, outputs)
    lane.later(2_000)
    id_ = outputs[0]["media_id"]
    assert isinstance(id_, int)
    return id_


def answer(lane: Lane, outputs: list[DecodedOutput]) -> list[DecodedOutput]:
    """Every requested job gets a result."""
    from schemas import raw

    emitted: list[DecodedOutput] = []
    for one in outputs:
        if one.topic != "catalog.analysis.jobs.v1":
            continue
        file = one["file"]
        assert isinstance(file, dict)
        emitted += lane.put(
            raw.Result(
                job=str(one["job"]), media_id=int(str(one["media_id"])), root=str(one["root"]), size=file["size"],
                mtime_ns=file["mtime_ns"], inode=file["inode"], status="done",
            )
        )  # fmt: skip
    return emitted


def ids(outputs: list[DecodedOutput]) -> list[object]:
    return [
        t["media_id"] for t in outputs if t.topic == "catalog.fs.changes.v1" and t.value and "media_id" in t.value
    ]


def test_a_move_tied_by_the_kernel_is_one_move_and_keeps_the_id(analysed: Lane) -> None:
    assert analysed.move("a.mkv", "b.mkv", a_file(1)) == []
    outputs = analysed.later(2_000)
    assert kinds(outputs) == MOVED
    assert ids(outputs) == [2_048]
    assert kinds(analysed.quiet()) == []


@pytest.mark.parametrize("deletion_first", [True, False])
def test_delete_and_create_of_the_same_identity_within_the_window_are_one_move(
    analysed: Lane, deletion_first: bool
) -> None:
    halves = [("a.mkv", None), ("b.mkv", a_file(1))]
    for path, file in halves if deletion_first else halves[::-1]:
        analysed.see(path, file)
        analysed.later(900)
    outputs = analysed.quiet()
    assert kinds(outputs) == MOVED
    assert ids(outputs) == [2_048]


@pytest.mark.parametrize("order", ["bac", "bca", "cba", "abc", "acb", "cab"])
def test_a_moved_file_is_not_taken_for_a_copy_of_it_that_was_deleted(lane: Lane, order: str) -> None:
    ids = {}
    for path, inode in (("a.mkv", 1), ("b.mkv", 2)):
        ids[path] = known(lane, path, a_file(inode))
        lane.finger(path, a_file(inode), "f1")
    for name in order:
        lane.see(f"{name}.mkv", a_file(1) if name == "c" else None)
        if name == "c":
            lane.finger("c.mkv", a_file(1), "f1")
        lane.later(900)
    outputs = {str(one["kind"]): one for one in lane.quiet() if one.topic == "catalog.fs.changes.v1"}
    assert sorted(outputs) == ["deleted", "moved"]
    assert (outputs["moved"]["path"], outputs["moved"]["media_id"]) == ("c.mkv", ids["a.mkv"])
    assert (outputs["deleted"]["path"], outputs["deleted"]["media_id"]) == ("b.mkv", ids["b.mkv"])


@pytest.mark.parametrize("deletion_first", [True, False])
def test_the_same_content_with_another_identity_is_one_move(analysed: Lane, deletion_first: bool) -> None:
    analysed.finger("a.mkv", a_file(1), "f1")
    copy = a_file(7, mtime_ns=99)

    def gone() -> None:
        analysed.see("a.mkv", None)

    def new() -> None:
        analysed.see("b.mkv", copy)
        analysed.finger("b.mkv", copy, "f1")

    for half in (gone, new) if deletion_first else (new, gone):
        half()
        analysed.later(500)
    assert kinds(analysed.quiet()) == MOVED


def test_the_inode_alone_is_never_enough(analysed: Lane) -> None:
    analysed.see("a.mkv", None)
    analysed.see("b.mkv", a_file(1, size=5_000, mtime_ns=8))
    outputs = analysed.quiet()
    assert kinds(outputs) == ["created b.mkv", "media created", "job", "deleted a.mkv", "media deleted"]


def test_outside_the_window_it_is_a_deletion_and_a_creation(analysed: Lane) -> None:
    analysed.see("a.mkv", None)
    assert kinds(analysed.later(4_000)) == ["deleted a.mkv", "media deleted"]
    analysed.see("b.mkv", a_file(1))
    assert kinds(analysed.later(2_000)) == ["created b.mkv", "media created", "job"]


def test_a_creation_like_nothing_known_is_not_held(analysed: Lane) -> None:
    analysed.see("new.mkv", a_file(5))
    assert kinds(analysed.later(2_000)) == ["created new.mkv", "media created", "job"]


def test_a_move_across_directories_and_roots_of_a_library_keeps_the_id(analysed: Lane) -> None:
    analysed.declare("music")
    analysed.see("a.mkv", None)
    analysed.see("deep/er/c.mkv", a_file(1), root="music")
    outputs = analysed.quiet()
    assert kinds(outputs) == ["moved deep/er/c.mkv", "media updated"]
    assert (outputs[0]["from_root"], outputs[0]["root"], ids(outputs)) == ("films", "music", [2_048])


@pytest.mark.parametrize("version", [4, 5])
def test_an_item_that_comes_from_another_root_is_published_with_what_it_was_there(version: int) -> None:
    state = State()
    state.rules_version = version
    lane = Lane(Fold(0, state=state))
    lane.declare("films")
    lane.declare("music")
    known(lane, "Alien (1979)/Alien.mkv", a_file(1))
    lane.see("Alien (1979)/Alien.mkv", None)
    lane.see("Aliens (1986).mkv", a_file(1), root="music")
    updated = next(one for one in lane.quiet() if one.value and one.value.get("action") == "updated")
    was = {
        "id": updated["media_id"], "title": "Alien (1979)", "media_type": "video", "storage_root": "films",
        "path": "Alien (1979)/Alien.mkv",
    }  # fmt: skip
    assert (updated.value or {}).get("was") == (was if version == 5 else None)
    lane.see("Aliens (1986).mkv", None, root="music")
    lane.see("B (1986).mkv", a_file(1), root="music")
    again = next(one for one in lane.quiet() if one.value and one.value.get("action") == "updated")
    assert "was" not in (again.value or {})


def test_nothing_moves_across_libraries(analysed: Lane) -> None:
    home = analysed.library
    analysed.library = "away"
    analysed.declare("other")
    analysed.see("b.mkv", a_file(1), root="other")
    analysed.library = home
    analysed.see("a.mkv", None)
    emitted = kinds(analysed.quiet())
    assert emitted == ["created b.mkv", "media created", "job", "deleted a.mkv", "media deleted"]


@pytest.mark.parametrize("size", [0, 63])
def test_tiny_and_empty_files_pair_only_with_the_same_name(lane: Lane, size: int) -> None:
    tiny = a_file(1, size=size)
    known(lane, "a.nfo", tiny)
    lane.see("a.nfo", None)
    lane.see("b.nfo", tiny)
    assert kinds(lane.quiet()) == ["created b.nfo", "media created", "deleted a.nfo", "media deleted"]
    lane.see("b.nfo", None)
    lane.see("D/b.nfo", tiny)
    assert kinds(lane.quiet()) == ["moved D/b.nfo", "media updated"]


def test_tiny_files_move_by_the_kernels_word_whatever_their_name(lane: Lane) -> None:
    known(lane, "a.nfo", a_file(1, size=0))
    lane.move("a.nfo", "b.nfo", a_file(1, size=0))
    assert kinds(lane.quiet()) == ["moved b.nfo", "media updated"]


def test_64_bytes_are_enough(lane: Lane) -> None:
    known(lane, "a.nfo", a_file(1, size=64))
    lane.see("a.nfo", None)
    lane.see("b.nfo", a_file(1, size=64))
    assert kinds(lane.quiet()) == ["moved b.nfo", "media updated"]


def test_each_hard_link_is_an_item_of_its_own(analysed: Lane) -> None:
    analysed.see("b.mkv", a_file(1, nlink=2))
    outputs = analysed.quiet()
    assert kinds(outputs)[:2] == ["created b.mkv", "media created"]
    assert ids(outputs) != [2_048]
    analysed.see("a.mkv", None)
    assert kinds(analysed.quiet()) == ["deleted a.mkv", "media deleted"]


def test_a_rename_over_an_existing_file_closes_the_replaced_item_first(analysed: Lane) -> None:
    replaced = known(analysed, "b.mkv", a_file(2, size=9_000))
    analysed.move("a.mkv", "b.mkv", a_file(1))
    outputs = analysed.quiet()
    assert kinds(outputs) == ["deleted b.mkv", "media deleted", *MOVED]
    assert ids(outputs) == [replaced, 2_048]


def test_a_safe_save_through_a_temporary_file_keeps_the_id(analysed: Lane) -> None:
    analysed.see("a.mkv.tmp", a_file(2, size=0))
    analysed.see("a.mkv.tmp", a_file(2, size=8_000, mtime_ns=5))
    analysed.move("a.mkv.tmp", "a.mkv", a_file(2, size=8_000, mtime_ns=5))
    outputs = analysed.quiet()
    assert kinds(outputs) == ["modified a.mkv", "media updated", "job"]
    assert ids(outputs) == [2_048]


def test_a_chain_within_the_window_is_one_move_from_the_first_to_the_last(analysed: Lane) -> None:
    analysed.move("a.mkv", "b.mkv", a_file(1))
    analysed.later(500)
    analysed.move("b.mkv", "c.mkv", a_file(1))
    outputs = analysed.quiet()
    assert kinds(outputs) == ["moved c.mkv", "media updated"]
    assert (outputs[0]["from_path"], ids(outputs)) == ("a.mkv", [2_048])


def test_there_and_back_is_nothing(analysed: Lane) -> None:
    analysed.move("a.mkv", "b.mkv", a_file(1))
    analysed.later(500)
    analysed.move("b.mkv", "a.mkv", a_file(1))
    assert kinds(analysed.quiet()) == []


def test_among_several_deleted_the_first_deletion_gives_the_id(lane: Lane) -> None:
    first = known(lane, "one.mkv", a_file(1))
    lane.see("two.mkv", a_file(1, nlink=2))
    answer(lane, lane.quiet())
    lane.quiet()
    lane.see("two.mkv", None)
    lane.see("one.mkv", None)
    lane.see("three.mkv", a_file(1))
    outputs = lane.quiet()
    assert kinds(outputs) == ["moved three.mkv", "media updated", "deleted one.mkv", "media deleted"]
    assert ids(outputs)[1] == first


def test_a_move_of_a_file_not_yet_settled_is_a_plain_creation(lane: Lane) -> None:
    lane.see("a.mkv.part", a_file(1))
    lane.later(500)
    lane.move("a.mkv.part", "a.mkv", a_file(1))
    assert kinds(lane.quiet())[:3] == ["created a.mkv", "media created", "job"]


def test_what_is_made_anew_at_the_source_is_another_item(analysed: Lane) -> None:
    analysed.move("a.mkv", "b.mkv", a_file(1))
    analysed.see("a.mkv", a_file(2, size=4_000))
    outputs = analysed.quiet()
    assert sorted(kinds(outputs)) == sorted([*MOVED, "created a.mkv", "media created", "job"])
    assert next(t for t in outputs if t.value and t.value.get("kind") == "moved")["media_id"] == 2_048


def test_a_file_moved_before_it_settled_leaves_its_name_to_the_next(lane: Lane) -> None:
    """A log that is rotated within the window: both are plain creations."""
    lane.see("a.mkv", a_file(1))
    lane.move("a.mkv", "b.mkv", a_file(1))
    lane.see("a.mkv", a_file(2))
    assert [k for k in kinds(lane.quiet()) if k.startswith(("created", "moved"))] == [
        "created a.mkv",
        "created b.mkv",
    ]


def test_a_move_whose_target_changes_for_thirty_seconds_still_keeps_the_id(analysed: Lane) -> None:
    analysed.move("a.mkv", "b.mkv", a_file(1))
    for second in range(28):
        assert kinds(analysed.later(1_000)) == []
        analysed.see("b.mkv", a_file(1, size=2_000 + second, mtime_ns=second))
    outputs = analysed.quiet()
    assert kinds(outputs) == ["moved b.mkv", "media updated", "job"]
    assert ids(outputs) == [2_048]


def test_two_moves_in_a_row_through_one_name_keep_both_ids(analysed: Lane) -> None:
    other = known(analysed, "z.mkv", a_file(2, size=9_000))
    analysed.move("a.mkv", "b.mkv", a_file(1))
    analysed.move("z.mkv", "a.mkv", a_file(2, size=9_000))
    outputs = analysed.quiet()
    assert kinds(outputs) == [*MOVED, "moved a.mkv", "media updated"]
    assert ids(outputs) == [2_048, other]


def test_a_thousand_files_that_make_room_for_one_another_keep_their_ids(lane: Lane) -> None:
    """`photo 1` to `photo 2`, `photo 2` to `photo 3` and so on, the last one first; then all are touched, from the
    first: so the first settles first, and all others must leave before it can arrive."""
    count = 1_000
    for i in range(count):
        lane.see(f"{i:04}.jpg", a_file(i + 1))
    before = ids(lane.later(2_000))
    for i in reversed(range(count)):
        lane.move(f"{i:04}.jpg", f"{i + 1:04}.jpg", a_file(i + 1))
    for i in range(count):
        lane.at += 1
        lane.see(f"{i + 1:04}.jpg", a_file(i + 1, mtime_ns=2))
    outputs = [t for t in lane.later(30_000) if t.topic == "catalog.fs.changes.v1"]
    assert {t["kind"] for t in outputs} == {"moved"}
    assert [t["media_id"] for t in sorted(outputs, key=lambda t: str(t["path"]))] == before


@pytest.mark.parametrize("count", [2, 3, 7])
def test_files_that_change_places_keep_their_ids(lane: Lane, count: int) -> None:
    """The names were never free at once: each is published where another one was, with the fact that this one has
    left."""
    before = {f"{i}.mkv": known(lane, f"{i}.mkv", a_file(i + 1, size=9_000 + i)) for i in range(count)}
    lane.move("0.mkv", "aside", a_file(1, size=9_000))
    for i in range(1, count):
        lane.move(f"{i}.mkv", f"{i - 1}.mkv", a_file(i + 1, size=9_000 + i))
    lane.move("aside", f"{count - 1}.mkv", a_file(1, size=9_000))
    check(lane.fold)
    outputs = [t for t in lane.quiet() if t.topic == "catalog.fs.changes.v1"]
    assert {t["kind"] for t in outputs} == {"moved"}
    assert {str(t["from_path"]): t["media_id"] for t in outputs} == before
    assert {str(t["path"]): t["media_id"] for t in outputs} == {
        f"{(i - 1) % count}.mkv": before[f"{i}.mkv"] for i in range(count)
    }
    assert [t.value is not None and t.value.get("from_taken", False) for t in outputs] == [False] + [True] * (
        count - 1
    )


def test_files_that_change_places_and_one_is_written_to_keep_their_ids(analysed: Lane) -> None:
    other = known(analysed, "b.mkv", a_file(2, size=9_000))
    analysed.move("a.mkv", "x", a_file(1))
    analysed.move("b.mkv", "a.mkv", a_file(2, size=9_000))
    analysed.move("x", "b.mkv", a_file(1))
    analysed.later(1_000)
    analysed.see("b.mkv", a_file(1, size=1_500, mtime_ns=9))
    outputs = [t for t in analysed.quiet() if t.topic == "catalog.fs.changes.v1"]
    assert {(t["kind"], t["path"], t["media_id"]) for t in outputs} == {
        ("moved", "a.mkv", other),
        ("moved", "b.mkv", 2_048),
    }


def test_the_kernels_word_outranks_a_likeness(analysed: Lane) -> None:
    """A copy of a file that is on its way, and still changing where it went, does not take its id."""
    analysed.finger("a.mkv", a_file(1), "f1")
    analysed.move("a.mkv", "b.mkv", a_file(1))
    analysed.see("copy.mkv", a_file(2, mtime_ns=7))
    analysed.finger("copy.mkv", a_file(2, mtime_ns=7), "f1")
    analysed.later(1_000)
    analysed.see("b.mkv", a_file(1, mtime_ns=9))
    moved = [t for t in analysed.quiet() if t.value and t.value.get("kind") == "moved"]
    assert [(t["path"], t["media_id"]) for t in moved] == [("b.mkv", 2_048)]


def test_another_file_at_the_target_is_not_what_was_moved_there(analysed: Lane) -> None:
    analysed.move("a.mkv", "b.mkv", a_file(1))
    analysed.see("b.mkv", a_file(2, size=9_000))
    emitted = [k for k in kinds(analysed.quiet()) if not k.startswith(("media", "job", "complete"))]
    assert emitted == ["created b.mkv", "deleted a.mkv"]


def test_what_is_moved_from_a_name_after_its_file_has_left_is_not_that_file(analysed: Lane) -> None:
    analysed.move("a.mkv", "x.mkv", a_file(1))
    analysed.see("a.mkv", a_file(2, size=9_000))
    analysed.move("a.mkv", "y.mkv", a_file(2, size=9_000))
    outputs = analysed.quiet()
    moved = [t for t in outputs if t.value and t.value.get("kind") == "moved"]
    assert [(t["path"], t["media_id"]) for t in moved] == [("x.mkv", 2_048)]
    assert "created y.mkv" in kinds(outputs)


def test_a_held_creation_that_vanishes_was_never_there(analysed: Lane) -> None:
    analysed.see("b.mkv", a_file(1))
    analysed.later(2_500)
    analysed.see("b.mkv", None)
    assert kinds(analysed.quiet()) == []


def test_a_deletion_found_wrong_while_held_is_nothing(analysed: Lane) -> None:
    analysed.see("a.mkv", None)
    analysed.later(2_500)
    analysed.see("a.mkv", a_file(1))
    assert kinds(analysed.quiet()) == []


def moves(outputs: list[DecodedOutput]) -> list[tuple[object, ...]]:
    return [
        (t["kind"], f"{t['root']}/{t['path']}", t.value.get("media_id"))
        for t in outputs
        if t.topic == "catalog.fs.changes.v1" and t.value and "path" in t.value
    ]


@pytest.mark.parametrize("first", ["films", "music"])
def test_files_exchanged_across_roots_keep_their_ids(lane: Lane, first: str) -> None:
    """The kernel ties nothing there: each producer sees another file at a known path."""
    lane.declare("music")
    one = known(lane, "a.mkv", a_file(1))
    other = known(lane, "b.mkv", a_file(2, size=9_000), "music")
    sights = [("a.mkv", a_file(2, size=9_000), "films"), ("b.mkv", a_file(1), "music")]
    outputs: list[DecodedOutput] = []
    for sight in sights if first == "films" else sights[::-1]:
        lane.see(*sight)
        outputs += lane.later(500)
        check(lane.fold)
    assert sorted(moves(outputs + lane.quiet())) == [
        ("moved", "films/a.mkv", other),
        ("moved", "music/b.mkv", one),
    ]


@pytest.mark.parametrize("first", ["gone", "over"])
def test_a_file_moved_over_another_one_in_another_root_keeps_its_id(lane: Lane, first: str) -> None:
    lane.declare("music")
    one = known(lane, "a.mkv", a_file(1))
    other = known(lane, "b.mkv", a_file(2, size=9_000), "music")
    sights = [("a.mkv", None, "films"), ("b.mkv", a_file(1), "music")]
    outputs: list[DecodedOutput] = []
    for sight in sights if first == "gone" else sights[::-1]:
        lane.see(*sight)
        outputs += lane.later(1_500)
        check(lane.fold)
    assert sorted(moves(outputs + lane.quiet())) == [
        ("deleted", "music/b.mkv", other),
        ("moved", "music/b.mkv", one),
    ]


@pytest.mark.parametrize("first", ["there", "taken"])
def test_a_file_whose_place_is_taken_by_a_new_one_keeps_its_id_elsewhere(lane: Lane, first: str) -> None:
    lane.declare("music")
    one = known(lane, "a.mkv", a_file(1))
    sights = [("b.mkv", a_file(1), "music"), ("a.mkv", a_file(5, size=7_000), "films")]
    outputs: list[DecodedOutput] = []
    for sight in sights if first == "there" else sights[::-1]:
        lane.see(*sight)
        outputs += lane.later(1_500)
        check(lane.fold)
    found = moves(outputs + lane.quiet())
    assert ("moved", "music/b.mkv", one) in found
    assert [(kind, path) for kind, path, _ in found] == [("moved", "music/b.mkv"), ("created", "films/a.mkv")]


def test_a_safe_save_keeps_the_id_of_its_path(analysed: Lane) -> None:
    analysed.see("a.mkv", a_file(7, size=1_200, mtime_ns=9))
    assert moves(analysed.later(2_000)) == [("modified", "films/a.mkv", 2_048)]


def test_another_name_of_a_file_moved_over_a_known_one_waits_and_is_a_change(analysed: Lane) -> None:
    """The file is known elsewhere and stays there: after the window nothing is left to wait for."""
    other = known(analysed, "b.mkv", a_file(2, size=9_000))
    analysed.see("b.mkv", a_file(1))
    assert moves(analysed.later(2_000)) == []
    assert moves(analysed.later(2_000)) == [("modified", "films/b.mkv", other)]
    check(analysed.fold)
