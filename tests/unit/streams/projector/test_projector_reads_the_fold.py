"""What the fold says, the projector understands: no output is a dead letter, and the rows are the tree."""

from __future__ import annotations

import asyncio

import msgspec

from schemas import raw
from schemas.found import Found
from streams.core.emit import Output
from streams.projector.plan import TOPICS, rows_of
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.store import Batch
from tests.fakes.projector_store import FakeStore, Record, Tables
from tests.support.lane import Lane, a_dir, a_file, decoded, kinds
from tests.support.projector_log import Log
from tests.support.projector_tables import plain


def projected(outputs: list[Output]) -> Tables:
    """The tables after the fold's outputs, each a transaction."""
    log, store = Log(), FakeStore()

    async def run() -> None:
        for output in outputs:
            if output.topic not in TOPICS:
                continue
            record = log.put(output.topic, output.value, tuple(output.headers), key=output.key.decode())
            partition = Partition(output.topic.name, 0)
            await store.begin(partition, PartitionPosition(0, "e"))
            rows = tuple(rows_of(output.topic, record))
            assert await store.apply(Batch(partition, record.offset, record.offset + 1, rows))

    asyncio.run(run())
    return plain(store.tables)


def alive(tables: Tables, table: str) -> set[object]:
    """Paths of rows that are not over."""
    return {row["path"] for row in tables[table].values() if row["deleted_at"] is None}


def settled() -> Lane:
    """A root with a directory and two films in it."""
    lane = Lane()
    lane.declare()
    lane.scan(1, "baseline")
    lane.see("dir", a_dir(10), scan=1, origin="baseline")
    lane.see("dir/One (1999).mkv", a_file(11, 2_000), scan=1, origin="baseline")
    lane.see("dir/Two.mkv", a_file(12, 3_000), scan=1, origin="baseline")
    lane.scanned(1, 3, "baseline")
    lane.quiet()
    return lane


def test_files_and_directories_are_where_the_tree_has_them() -> None:
    lane = settled()
    lane.move("dir/Two.mkv", "Two.mkv", a_file(12, 3_000))
    lane.see("dir/One (1999).mkv", None)
    lane.see("new.mkv", a_file(13, 500))
    lane.quiet()
    tables = projected(lane.outputs)
    assert alive(tables, "media_files") == {"dir", "Two.mkv", "new.mkv"}
    assert alive(tables, "media_items") == {"Two.mkv", "new.mkv"}


def test_a_moved_directory_takes_all_that_is_below_it_along() -> None:
    lane = settled()
    lane.move("dir", "elsewhere", a_dir(10))
    lane.quiet()
    tables = projected(lane.outputs)
    below = {"elsewhere/One (1999).mkv", "elsewhere/Two.mkv"}
    assert alive(tables, "media_files") == {"elsewhere"} | below
    assert alive(tables, "media_items") == below


def test_scans_gaps_and_roots_are_published() -> None:
    lane = settled()
    lane.make(raw.GapOpen, "films", cause="overflow", subtree="dir")
    lane.make(raw.GapClosed, "films", cause="overflow", subtree="dir", counts=raw.Counts(added=1))
    lane.seqs["films", "e1"] += 5
    lane.make(raw.RootLost, "films", cause="unmounted")
    tables = projected(lane.outputs)
    assert [row["state"] for row in tables["scans"].values()] == ["finished"]
    assert [_closed(gap) for gap in tables["gaps"].values()] == [("overflow", True), ("seq_jump", False)]
    (root,) = tables["storage_roots"].values()
    assert (root["state"], root["cause"], root["site"]) == ("lost", "unmounted", "main")


def test_a_file_that_never_settled_and_is_gone_leaves_no_row() -> None:
    lane = settled()
    for size in range(1, 20):
        lane.see("film.mkv.part", a_file(30, size))
        lane.later(1_900)
    assert "created film.mkv.part" in kinds(decoded(lane.outputs))
    lane.see("film.mkv.part", None)
    lane.quiet()
    assert "film.mkv.part" not in alive(projected(lane.outputs), "media_files")


def test_a_baseline_closes_the_gap_of_a_jump() -> None:
    lane = settled()
    lane.seqs["films", "e1"] += 5
    lane.scan(2, "baseline")
    lane.scanned(2, 0, "baseline")
    assert [_closed(gap) for gap in projected(lane.outputs)["gaps"].values()] == [("seq_jump", True)]


def _closed(gap: Record) -> tuple[object, bool]:
    return gap["cause"], gap["closed_at"] is not None


def test_results_are_analyses_and_the_end_of_a_scans_jobs_a_batch() -> None:
    lane = settled()
    jobs = [output for output in lane.outputs if output.topic.name == "catalog.analysis.jobs.v1"]
    assert len(jobs) == 2
    for row in list(projected(lane.outputs)["media_items"].values()):
        name = str(row["path"])
        job = next(job for job in _jobs(jobs) if job["path"] == name)
        file = a_file(11, 2_000) if "One" in name else a_file(12, 3_000)
        lane.put(
            raw.Result(
                job=str(job["job"]), media_id=int(str(job["media_id"])), root="films", size=file.size,
                mtime_ns=file.mtime_ns, inode=file.inode, status="done", found=Found(duration_ms=7),
            )
        )  # fmt: skip
    lane.quiet()
    tables = projected(lane.outputs)
    assert [row["found"] for row in tables["analyses"].values()] == [{"duration_ms": 7}, {"duration_ms": 7}]
    assert [row["items_processed"] for row in tables["analysis_batches"].values()] == [2]


def _jobs(outputs: list[Output]) -> list[dict[str, object]]:
    return [msgspec.json.decode(output.value or b"{}") for output in outputs]
