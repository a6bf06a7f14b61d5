"""Scans: what they found is held until they have finished; a baseline finds what is gone; analyses end once."""

from __future__ import annotations

from schemas import raw
from tests.support.fold_truth import check
from tests.support.lane import DecodedOutput, Lane, a_dir, a_file, kinds


def scans(outputs: list[DecodedOutput]) -> list[tuple[object, object]]:
    return [(t["scan_id"], t["state"]) for t in outputs if t.value and t.value.get("kind") == "scan_changed"]


def results(lane: Lane, outputs: list[DecodedOutput], status: raw.ResultStatus = "done") -> list[DecodedOutput]:
    """Every requested job gets a result."""
    emitted: list[DecodedOutput] = []
    for one in outputs:
        if one.topic == "catalog.analysis.jobs.v1":
            file = one["file"]
            assert isinstance(file, dict)
            emitted += lane.put(
                raw.Result(
                    job=str(one["job"]), media_id=int(str(one["media_id"])), root="films", size=file["size"],
                    mtime_ns=file["mtime_ns"], inode=file["inode"], status=status,
                )
            )  # fmt: skip
    return emitted


def complete(outputs: list[DecodedOutput]) -> list[dict[str, object]]:
    return [t.value for t in outputs if t.topic == "catalog.analysis.updates.v1" and t.value is not None]


def known(lane: Lane, *paths: str) -> None:
    for inode, path in enumerate(paths, 100):
        lane.see(path, a_file(inode))
    results(lane, lane.quiet())
    lane.quiet()


def test_a_scan_is_published_with_the_id_of_its_start(lane: Lane) -> None:
    assert scans(lane.scan(7)) == [(2 * 1024, "started")]
    assert scans(lane.scanned(7, 0)) == [(2 * 1024, "finished")]


def test_deletions_of_a_scan_are_held_until_it_finished(lane: Lane) -> None:
    known(lane, "a.mkv")
    lane.scan(1)
    lane.see("a.mkv", None, origin="scan", scan=1)
    assert kinds(lane.later(60_000)) == []
    lane.scanned(1, 0)
    outputs = lane.quiet()
    assert kinds(outputs) == ["deleted a.mkv", "media deleted"]


def test_a_rename_while_the_producer_was_down_is_one_move(lane: Lane) -> None:
    """The scan publishes what is there first and what is gone last, here a minute apart."""
    known(lane, "a.mkv")
    lane.scan(1)
    lane.see("D/b.mkv", a_file(100), origin="scan", scan=1)
    assert kinds(lane.later(60_000)) == []
    lane.see("a.mkv", None, origin="scan", scan=1)
    outputs = lane.later(2_000)
    assert kinds(outputs) == ["moved D/b.mkv", "media updated"]
    assert outputs[0]["scan_id"] == scans_started(lane)
    check(lane.fold)
    lane.scanned(1, 1)
    check(lane.fold)


def scans_started(lane: Lane) -> int:
    starts = [offset for offset, _at, _key, record in lane.log if isinstance(record, raw.ScanStarted)]
    return (starts[-1] + 1) * 1024


def test_a_creation_of_a_scan_like_nothing_known_is_published_at_once(lane: Lane) -> None:
    lane.scan(1)
    lane.see("a.mkv", a_file(1), origin="scan", scan=1)
    assert kinds(lane.later(2_000)) == ["created a.mkv", "media created", "job"]


def test_a_scan_that_covers_an_unfinished_one_supersedes_it_and_takes_over_what_it_held(lane: Lane) -> None:
    known(lane, "a.mkv")
    lane.scan(1)
    lane.see("a.mkv", None, origin="scan", scan=1)
    lane.see("n.mkv", a_file(5), origin="scan", scan=1)
    outputs = lane.later(10_000)
    second = lane.scan(2)
    assert [state for _, state in scans(second)] == ["started", "superseded"]
    check(lane.fold)
    assert kinds(lane.later(10_000)) == []
    lane.scanned(2, 0)
    assert kinds(lane.quiet()) == ["deleted a.mkv", "media deleted"]
    ended = complete(results(lane, outputs))
    assert [(c["scan_id"], c["items_processed"]) for c in ended] == [(scans_started(lane), 1)]
    check(lane.fold)


def test_the_end_of_a_superseded_scan_means_nothing(lane: Lane) -> None:
    lane.scan(1)
    lane.scan(2)
    assert lane.scanned(1, 0) == []
    assert len(scans(lane.scanned(2, 0))) == 1


def test_a_scan_beside_it_does_not_supersede(lane: Lane) -> None:
    lane.scan(1, subtree="D")
    assert [s for _, s in scans(lane.scan(2, subtree="E"))] == ["started"]


def test_a_path_seen_by_a_later_scan_counts_for_that_one(lane: Lane) -> None:
    """The first scan is complete then, and forgotten."""
    lane.scan(1)
    lane.see("a.mkv", a_file(1), origin="scan", scan=1)
    lane.scanned(1, 1)
    lane.scan(2)
    lane.see("a.mkv", a_file(1, size=3_000), origin="scan", scan=2)
    check(lane.fold)
    lane.scanned(2, 1)
    outputs = lane.quiet()
    assert [t["scan_id"] for t in outputs if t.value and t.value.get("kind") == "created"] == [scans_started(lane)]


def test_the_analysis_of_a_scan_is_complete_once_with_its_counts(lane: Lane) -> None:
    lane.scan(1)
    for inode, path in enumerate(("Alien (1979).mkv", "b.mkv", "c.mkv", "d.txt"), 1):
        lane.see(path, a_file(inode), origin="scan", scan=1)
    outputs = lane.later(2_000)
    jobs = [t for t in outputs if t.topic == "catalog.analysis.jobs.v1"]
    assert len(jobs) == 3
    lane.later(500)
    assert complete(results(lane, jobs[:2])) == []
    lane.scanned(1, 4)
    lane.later(500)
    assert complete(results(lane, jobs[2:], "failed")) == [
        {
            "items_processed": 3, "items_identified": 1, "items_failed": 1, "duration_ms": 1_000,
            "storage_root": "films", "scan_id": 2_048,
        }
    ]  # fmt: skip
    assert complete(results(lane, jobs)) == []
    assert complete(lane.quiet()) == []


def test_it_waits_for_the_end_of_the_scan(lane: Lane) -> None:
    lane.scan(1)
    lane.see("a.mkv", a_file(1), origin="scan", scan=1)
    assert complete(results(lane, lane.later(2_000))) == []
    assert len(complete(lane.scanned(1, 1))) == 1


def test_a_scan_without_jobs_is_not_published(lane: Lane) -> None:
    lane.scan(1)
    lane.see("a.txt", a_file(1), origin="scan", scan=1)
    lane.scanned(1, 1)
    assert complete(lane.quiet()) == []


def test_a_batch_outside_scans_is_complete_when_quiet(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.later(1_000)
    lane.see("b.mkv", a_file(2))
    assert complete(results(lane, lane.later(1_000))) == []
    assert complete(results(lane, lane.later(1_000))) == []
    assert complete(lane.later(1_999)) == []
    assert complete(lane.later(1)) == [
        {
            "items_processed": 2, "items_identified": 0, "items_failed": 0, "duration_ms": 3_000,
            "storage_root": "films",
        }
    ]  # fmt: skip
    assert complete(lane.quiet()) == []


def test_a_baseline_finds_what_is_gone(lane: Lane) -> None:
    known(lane, "a.mkv", "b.mkv")
    lane.epoch = "e2"
    lane.declare()
    lane.scan(1, "baseline")
    lane.see("a.mkv", a_file(100), origin="baseline", scan=1)
    lane.scanned(1, 1, "baseline")
    assert kinds(lane.quiet()) == ["deleted b.mkv", "media deleted"]


def test_a_baseline_does_not_decide_what_it_could_not_see(lane: Lane) -> None:
    known(lane, "a.mkv", "closed/b.mkv", "closed.mkv")
    lane.epoch = "e2"
    lane.declare()
    lane.scan(1, "baseline")
    lane.see("a.mkv", a_file(100), origin="baseline", scan=1)
    lane.scanned(1, 1, "baseline", unseen=(raw.Unseen("closed"),))
    assert kinds(lane.quiet()) == ["deleted closed.mkv", "media deleted"]


def test_a_baseline_that_saw_nothing_at_all_finds_nothing_gone(lane: Lane) -> None:
    known(lane, "a.mkv", "b.mkv")
    lane.epoch = "e2"
    lane.declare()
    lane.scan(1, "baseline")
    lane.scanned(1, 0, "baseline", unseen=(raw.Unseen(""),))
    assert kinds(lane.quiet()) == []


def test_a_baseline_finds_a_rename_while_the_outbox_was_lost(lane: Lane) -> None:
    known(lane, "a.mkv")
    lane.epoch = "e2"
    lane.declare()
    lane.scan(1, "baseline")
    lane.see("b.mkv", a_file(100), origin="baseline", scan=1)
    lane.later(30_000)
    outputs = lane.scanned(1, 1, "baseline")
    assert kinds(outputs) == ["scan_changed films", "moved b.mkv", "media updated"]
    assert kinds(lane.quiet()) == []


def test_what_was_about_to_be_known_and_is_not_in_the_baseline_is_never_published(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.epoch = "e2"
    lane.declare()
    lane.scan(1, "baseline")
    lane.see("b.mkv", a_file(1), origin="baseline", scan=1)
    lane.scanned(1, 1, "baseline")
    assert kinds(lane.quiet())[:2] == ["created b.mkv", "media created"]


def test_an_incomplete_baseline_deletes_nothing(lane: Lane) -> None:
    known(lane, "a.mkv", "b.mkv")
    lane.epoch = "e2"
    lane.declare()
    lane.scan(1, "baseline")
    lane.see("a.mkv", a_file(100), origin="baseline", scan=1)
    lane.scanned(1, 2, "baseline")
    assert kinds(lane.quiet()) == []


def test_a_baseline_of_another_root_at_the_same_name_deletes_nothing(lane: Lane) -> None:
    known(lane, "a.mkv")
    lane.epoch = "e2"
    lane.declare(identity=raw.RootIdentity(dev=9, inode=9))
    lane.scan(1, "baseline")
    lane.scanned(1, 0, "baseline")
    assert kinds(lane.quiet()) == []


def test_a_directory_that_moves_during_a_baseline_is_not_missing(lane: Lane) -> None:
    lane.see("S", a_dir(10))
    lane.see("S/a.txt", a_file(11))
    lane.quiet()
    lane.epoch = "e2"
    lane.declare()
    lane.scan(1, "baseline")
    lane.see("S", a_dir(10), origin="baseline", scan=1)
    lane.see("S/a.txt", a_file(11), origin="baseline", scan=1)
    lane.move("S", "T", a_dir(10))
    lane.scanned(1, 2, "baseline")
    assert kinds(lane.quiet()) == []


def test_a_scan_number_used_again_ends_the_one_before(lane: Lane) -> None:
    known(lane, "a.mkv")
    lane.scan(1, subtree="D")
    lane.see("a.mkv", None, origin="scan", scan=1)
    lane.scan(1, subtree="E")
    check(lane.fold)
    lane.scanned(1, 0, subtree="E")
    assert kinds(lane.quiet()) == ["deleted a.mkv", "media deleted"]
