"""Items and jobs: ids by position, one job per content, results that count once, jobs that always end."""

from __future__ import annotations

import pytest

from schemas import raw
from schemas.found import Found, Tags
from schemas.raw import FileState
from streams.core.fold import Fold
from streams.core.rules import RULES_1
from tests.support.fold_truth import check
from tests.support.lane import DecodedOutput, Lane, a_dir, a_file, decoded, kinds


def job_of(outputs: list[DecodedOutput]) -> DecodedOutput:
    return next(t for t in outputs if t.topic == "catalog.analysis.jobs.v1")


def result(
    lane: Lane, job: DecodedOutput, status: raw.ResultStatus = "done", **more: object
) -> list[DecodedOutput]:
    file = job["file"]
    assert isinstance(file, dict)
    fields = {k: file[k] for k in ("size", "mtime_ns", "inode")} | more
    return lane.put(
        raw.Result(job=str(job["job"]), media_id=int(str(job["media_id"])), root="films", status=status, **fields)
    )


def item_of(outputs: list[DecodedOutput]) -> dict[str, object]:
    media = next(t for t in outputs if t.topic == "catalog.media.updates.v1")["media"]
    assert isinstance(media, dict)
    return media


def opened(lane: Lane, path: str = "a.mkv") -> DecodedOutput:
    """A known file; its job."""
    lane.see(path, a_file(1))
    return job_of(lane.later(2_000))


def test_a_media_id_is_the_position_of_the_observation_that_settled() -> None:
    lane = Lane(Fold(5))
    lane.declare()
    lane.see("a.mkv", a_file(1))
    lane.see("a.mkv", a_file(1, size=2_000))
    lane.finger("a.mkv", a_file(1, size=2_000), "f")
    assert lane.later(2_000)[0]["media_id"] == (2 + 1) * 1024 + 5


def test_equal_sights_move_the_position_and_not_the_window(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.see("a.mkv", a_file(1))
    assert lane.later(2_000)[0]["media_id"] == 3 * 1024


def test_a_moved_record_at_its_new_path_opens_an_item(lane: Lane) -> None:
    lane.see("a.part", a_file(1))
    lane.move("a.part", "a.mkv", a_file(1))
    assert lane.later(2_000)[0]["media_id"] == 3 * 1024


def test_an_id_base_is_added_to_every_id() -> None:
    lane = Lane(Fold(0, id_base=10**12))
    lane.declare()
    lane.see("a.mkv", a_file(1))
    assert lane.later(2_000)[0]["media_id"] == 10**12 + 2 * 1024


def test_directories_links_and_others_have_no_item(lane: Lane) -> None:
    for path, file in (("D", a_dir(1)), ("l", a_file(2, type="symlink")), ("p", a_file(3, type="other"))):
        lane.see(path, file)
    assert kinds(lane.quiet()) == ["created D", "created l", "created p"]


def test_an_item_is_published_complete(lane: Lane) -> None:
    lane.see("Films/Alien (1979) 1080p.mkv", a_file(1))
    item = item_of(lane.later(2_000))
    assert item == {
        "id": 2_048, "title": "Alien (1979)", "media_type": "video", "year": 1979, "quality": "1080p",
        "category": "movie", "file_size": 1_000, "directory_path": "/films/Films", "library": "home",
        "storage_root": "films", "path": "Films/Alien (1979) 1080p.mkv", "created_at": "2023-11-14T22:13:22.000Z",
        "updated_at": "2023-11-14T22:13:22.000Z",
    }  # fmt: skip


def test_a_result_is_published_with_its_job_and_what_was_found(lane: Lane) -> None:
    job = opened(lane)
    found = Found(title="Alien", year=1979, duration_ms=7_020_000, tags=Tags(title="x"), cover="c0")
    outputs = result(lane, job, found=found)
    assert kinds(outputs) == ["media analyzed"]
    assert outputs[0]["analysis_id"] == job["job"]
    item = item_of(outputs)
    assert (item["title"], item["duration"], item["cover_image"]) == ("Alien (1979)", 7_020, "/api/v1/covers/c0")


def test_a_job_is_known_by_its_own_events_id(lane: Lane) -> None:
    job = opened(lane)
    assert job["job"] == job.id


def test_a_second_result_of_a_job_is_dropped(lane: Lane) -> None:
    job = opened(lane)
    result(lane, job)
    assert result(lane, job) == []
    assert lane.fold.dropped["outdated_result"] == 1


def test_a_result_after_the_item_is_deleted_is_dropped(lane: Lane) -> None:
    job = opened(lane)
    lane.see("a.mkv", None)
    lane.quiet()
    assert result(lane, job) == []


def test_a_changed_file_ends_its_job_and_asks_a_new_one(lane: Lane) -> None:
    old = opened(lane)
    lane.see("a.mkv", a_file(1, size=9_000))
    outputs = lane.later(2_000)
    assert kinds(outputs) == ["modified a.mkv", "media updated", "job"]
    assert result(lane, old) == []
    assert kinds(result(lane, job_of(outputs))) == ["media analyzed"]


def test_a_result_of_other_content_than_known_waits_for_the_change_on_its_way(lane: Lane) -> None:
    old = opened(lane)
    lane.see("a.mkv", a_file(1, size=9_000))
    assert result(lane, old, size=9_000) == []
    outputs = lane.later(2_000)
    assert kinds(outputs) == ["modified a.mkv", "media updated", "job"]


def test_a_failure_ends_the_job_whatever_it_saw(lane: Lane) -> None:
    outputs = result(lane, opened(lane), "unreadable", size=0, reason="gone")
    assert kinds(outputs) == ["media analyzed"]


def test_a_file_moved_while_its_job_is_open_is_requested_for_again(lane: Lane) -> None:
    old = opened(lane)
    lane.move("a.mkv", "b.mkv", a_file(1))
    outputs = lane.later(2_000)
    assert kinds(outputs) == ["moved b.mkv", "media updated", "job"]
    assert job_of(outputs)["path"] == "b.mkv"
    assert result(lane, old) == []


def test_a_file_moved_after_its_analysis_is_not_analysed_again(lane: Lane) -> None:
    result(lane, opened(lane), found=Found(duration_ms=1_000))
    lane.move("a.mkv", "b.mkv", a_file(1))
    outputs = lane.later(2_000)
    assert kinds(outputs) == ["complete", "moved b.mkv", "media updated"]
    assert item_of(outputs)["duration"] == 1


def test_a_touched_file_of_the_same_content_keeps_its_analysis(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.finger("a.mkv", a_file(1), "f")
    result(lane, job_of(lane.later(2_000)), found=Found(duration_ms=1_000))
    lane.see("a.mkv", a_file(1, mtime_ns=50))
    lane.finger("a.mkv", a_file(1, mtime_ns=50), "f")
    outputs = lane.later(2_000)
    assert kinds(outputs) == ["complete", "modified a.mkv", "media updated"]
    assert item_of(outputs)["duration"] == 1


def test_a_touched_file_of_which_the_fingerprint_comes_late_has_its_analysis_again(lane: Lane) -> None:
    """From a slow disk the fingerprint comes after the window: until then what was found out is in doubt."""
    job = opened(lane)
    lane.finger("a.mkv", a_file(1), "f1")
    result(lane, job)
    lane.later(2_000)
    lane.see("a.mkv", a_file(1, mtime_ns=5))
    doubted = lane.later(2_000)
    assert "analysis" not in item_of(doubted)
    known = lane.finger("a.mkv", a_file(1, mtime_ns=5), "f1")
    assert "analysis" in item_of(known)
    assert lane.fold.open_jobs == 0
    check(lane.fold)


def test_a_changed_file_of_which_the_fingerprint_comes_late_is_analysed(lane: Lane) -> None:
    job = opened(lane)
    lane.finger("a.mkv", a_file(1), "f1")
    result(lane, job)
    lane.later(2_000)
    lane.see("a.mkv", a_file(1, mtime_ns=5))
    lane.later(2_000)
    assert lane.finger("a.mkv", a_file(1, mtime_ns=5), "f2") == []
    assert lane.fold.open_jobs == 1


@pytest.mark.parametrize("with_md5", [False, True])
def test_an_md5_beside_the_same_fingerprint_says_nothing_new_wherever_it_comes(lane: Lane, with_md5: bool) -> None:
    """Pending, known, in doubt, moved: the outputs are the same with and without."""

    def finger(path: str, file: FileState) -> list[DecodedOutput]:
        outputs = lane.finger(path, file, "f1")
        return outputs + (lane.finger(path, file, "f1", md5="m1") if with_md5 else [])

    def md5(path: str, file: FileState) -> list[DecodedOutput]:
        return lane.finger(path, file, "f1", md5="m1") if with_md5 else []

    lane.see("a.mkv", a_file(1))
    assert finger("a.mkv", a_file(1)) == []
    created = lane.later(2_000)
    assert md5("a.mkv", a_file(1)) == []
    result(lane, job_of(created), found=Found(duration_ms=1_000))
    assert md5("a.mkv", a_file(1)) == []
    lane.later(2_000)
    touched = a_file(1, mtime_ns=5)
    lane.see("a.mkv", touched)
    assert "analysis" not in item_of(lane.later(2_000))
    assert md5("a.mkv", a_file(1)) == []  # of what was there before
    known = finger("a.mkv", touched)
    assert kinds(known) == ["media updated"]
    assert item_of(known)["duration"] == 1
    lane.move("a.mkv", "b.mkv", touched)
    assert md5("b.mkv", touched) == []
    assert kinds(lane.quiet()) == ["moved b.mkv", "media updated"]
    assert md5("b.mkv", touched) == []
    check(lane.fold)


def test_another_fingerprint_alone_is_a_change(lane: Lane) -> None:
    """A tagger that restores size and time: the attributes do not show the change, and no window is missed."""
    job = opened(lane)
    lane.finger("a.mkv", a_file(1), "f1")
    result(lane, job)
    lane.later(2_000)
    assert lane.finger("a.mkv", a_file(1), "f2") == []
    assert kinds(lane.later(2_000)) == ["modified a.mkv", "media updated", "job"]
    assert lane.finger("a.mkv", a_file(1), "f2") == []
    check(lane.fold)


def test_another_fingerprint_of_a_file_about_to_settle_as_it_was_is_a_change_too(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.later(2_000)
    lane.finger("a.mkv", a_file(1), "f1")
    lane.see("a.mkv", None)
    lane.see("a.mkv", a_file(1))
    lane.finger("a.mkv", a_file(1), "f2")
    assert "modified a.mkv" in kinds(lane.later(2_000))


def test_what_is_not_media_is_catalogued_without_a_job(lane: Lane) -> None:
    for inode, path in enumerate(("a.srt", "b.zip", "c.txt"), 1):
        lane.see(path, a_file(inode))
    assert "job" not in kinds(lane.quiet())


def test_a_job_is_requested_three_times_and_then_lost(lane: Lane) -> None:
    job = opened(lane)
    attempts = []
    for _ in range(2):
        assert lane.later(RULES_1.job_patience_ms - 1) == []
        again = job_of(lane.later(1))
        attempts.append(again["attempt"])
        assert again["job"] != job["job"]
        assert result(lane, job) == []
        job = again
    assert attempts == [2, 3]
    lane.later(RULES_1.job_patience_ms)
    outputs = lane.quiet()
    assert [(t["items_processed"], t["items_failed"]) for t in outputs] == [(1, 1)]
    assert result(lane, job) == []


def test_the_state_topic_has_the_last_word_of_each_item(lane: Lane) -> None:
    result(lane, opened(lane), found=Found(duration_ms=1_000))
    updates = [t for t in decoded(lane.outputs) if t.topic == "catalog.media.updates.v1"]
    states = [t for t in decoded(lane.outputs) if t.topic == "catalog.media.state.v1"]
    assert [t.value for t in states] == [u["media"] for u in updates]
    lane.see("a.mkv", None)
    lane.quiet()
    assert lane.outputs[-1].value is None
    assert lane.outputs[-1].key == b"2048"


def test_a_path_that_is_not_utf8_is_carried_exactly(lane: Lane) -> None:
    lane.see("caf\ufffd.mkv", a_file(1), path_b64="Y2Fm6S5ta3Y=")
    outputs = lane.later(2_000)
    assert (outputs[0]["path"], outputs[0]["path_b64"]) == ("caf\ufffd.mkv", "Y2Fm6S5ta3Y=")
    assert item_of(outputs)["path_b64"] == "Y2Fm6S5ta3Y="


def test_an_item_on_a_share_has_its_path_there_and_one_on_a_disk_has_none() -> None:
    lane = Lane()
    lane.declare("nas", protocol="smb", location="//nas/media/Films")
    lane.declare("films")
    lane.see("Heat/Heat (1995).mkv", a_file(1), root="nas")
    assert item_of(lane.later(2_000))["smb_path"] == "//nas/media/Films/Heat/Heat (1995).mkv"
    lane.see("a.mkv", a_file(2))
    assert "smb_path" not in item_of(lane.later(2_000))
