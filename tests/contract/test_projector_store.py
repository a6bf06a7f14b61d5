"""The projector's store, fake and real: one contract."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from schemas import topics
from schemas.analysis import Cover
from schemas.changes import (
    Created,
    Deleted,
    GapChanged,
    Modified,
    Renamed,
    RootChanged,
    ScanChanged,
    TreeRenamed,
)
from schemas.found import Found, Tags
from schemas.media import Analysis, AnalysisComplete, ItemAnalyzed, ItemCreated, ItemDeleted, ItemUpdated
from schemas.raw import Counts
from schemas.system import SystemUpdate
from streams.projector.errors import RowsRefused
from streams.projector.plan import rows_of
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.rows import ChangeRow
from streams.projector.store import Batch, PostgresStore, Store
from tests.fakes.projector_store import FakeStore, Record, Tables
from tests.support.projector_histories import Step, delivered, deliveries, histories, straight
from tests.support.projector_log import LIBRARY, ROOT, Log, Logged, at, gone, item
from tests.support.projector_tables import derived, dump, empty, plain

P = Partition(topics.CHANGES.name, 0)


class Subject:
    """A store and a look into its tables."""

    def __init__(self, store: Store, look: Callable[[], Tables], empty: Callable[[], None]) -> None:
        self.store = store
        self.look = look
        self.empty = empty

    def run(self, work: Callable[[Store], Awaitable[object]]) -> None:
        """Do it and let go."""

        async def whole() -> None:
            try:
                await work(self.store)
            finally:
                await self.store.close()

        asyncio.run(whole())

    def write(self, *records: Logged) -> None:
        """Deliver records, a batch per topic."""

        async def work(store: Store) -> None:
            for topic in {record.of: None for record in records}:
                await deliver(store, [record for record in records if record.of == topic])

        self.run(work)

    def rows(self, table: str) -> list[Record]:
        """A table's rows."""
        return list(self.look()[table].values())

    def row(self, table: str) -> Record:
        """A table's only row."""
        (row,) = self.rows(table)
        return row


async def deliver(store: Store, records: list[Logged]) -> None:
    """One batch, wherever the position stands."""
    topic, partition = records[0].of, Partition(records[0].topic, records[0].partition)
    await store.begin(partition, PartitionPosition(0, "e"))
    kept = (await store.positions())[partition].next_offset
    rows = tuple(row for record in records for row in rows_of(topic, record))
    assert await store.apply(Batch(partition, kept, records[-1].offset + 1, rows))


@pytest.fixture(params=["fake", "postgres", "postgres by copy"])
def subject(request: pytest.FixtureRequest) -> Subject:
    """Both stores; the real one also as it writes many rows."""
    if request.param == "fake":
        fake = FakeStore()
        return Subject(fake, lambda: plain(fake.tables), fake.empty)
    url: str = request.getfixturevalue("migrated")
    store = PostgresStore(url) if request.param == "postgres" else PostgresStore(url, many=1)

    def look() -> Tables:
        derived(url)
        return dump(url)

    return Subject(store, look, lambda: empty(url))


def created(path: str, **fields: object) -> Created:
    """A file was created."""
    base = Created(library=LIBRARY, root=ROOT, at=at(1), path=path, type="file", origin="live", size=1)
    return msgspec.structs.replace(base, **fields)


def test_the_first_position_stays(subject: Subject) -> None:
    async def work(store: Store) -> None:
        await store.begin(P, PartitionPosition(3, "e"))
        await store.begin(P, PartitionPosition(9, "f"))
        assert await store.positions() == {P: PartitionPosition(3, "e")}

    subject.run(work)


def test_a_position_moves_only_from_where_it_is_expected(subject: Subject) -> None:
    async def work(store: Store) -> None:
        assert not await store.move(P, 0, 5)
        await store.begin(P, PartitionPosition(3, "e"))
        assert not await store.move(P, 0, 5)
        assert await store.move(P, 3, 1)
        assert await store.positions() == {P: PartitionPosition(1, "e")}

    subject.run(work)


def test_rows_and_position_are_written_together(subject: Subject) -> None:
    record = Log().change(created("a.mkv", media_id=7))
    subject.write(record)
    assert subject.row("change_log")["path"] == "a.mkv"
    subject.run(_expect_position(1))


def test_nothing_is_written_when_somebody_else_moved_the_position(subject: Subject) -> None:
    rows = tuple(rows_of(topics.CHANGES, Log().change(created("a.mkv"))))

    async def work(store: Store) -> None:
        await store.begin(P, PartitionPosition(5, "e"))
        assert not await store.apply(Batch(P, 4, 6, rows))

    subject.run(work)
    assert subject.rows("change_log") == []
    subject.run(_expect_position(5))


def test_refused_rows_leave_rows_and_position_as_they_were(subject: Subject) -> None:
    good, bad = (rows_of(topics.CHANGES, record) for record in _two_creations())
    huge = [msgspec.structs.replace(row, size=2**63) if isinstance(row, ChangeRow) else row for row in bad]

    async def work(store: Store) -> None:
        await store.begin(P, PartitionPosition(0, "e"))
        with pytest.raises(RowsRefused):
            await store.apply(Batch(P, 0, 2, (*good, *huge)))
        assert await store.apply(Batch(P, 0, 1, tuple(good)))

    subject.run(work)
    assert [row["path"] for row in subject.rows("change_log")] == ["a.mkv"]
    subject.run(_expect_position(1))


def _two_creations() -> tuple[Logged, Logged]:
    log = Log()
    return log.change(created("a.mkv")), log.change(created("b.mkv"))


def _expect_position(offset: int) -> Callable[[Store], Awaitable[None]]:
    async def work(store: Store) -> None:
        assert (await store.positions())[P].next_offset == offset

    return work


def test_a_file_is_where_it_was_moved_to_and_nowhere_else(subject: Subject) -> None:
    log = Log()
    log.change(created("a.mkv", media_id=7))
    log.change(
        Renamed(
            library=LIBRARY, root=ROOT, at=at(2), path="b.mkv", type="file", origin="live", size=1, media_id=7,
            from_path="a.mkv", from_root=ROOT,
        )
    )  # fmt: skip
    subject.write(*log.records)
    assert {row["path"]: row["deleted_at"] is None for row in subject.rows("media_files")} == {
        "a.mkv": False,
        "b.mkv": True,
    }


def test_a_moved_directory_is_at_its_new_place(subject: Subject) -> None:
    log = Log()
    log.change(created("old", type="dir"))
    log.change(
        TreeRenamed(
            library=LIBRARY, root=ROOT, at=at(2), path="new", from_path="old", from_root=ROOT, count=0, cause="c"
        )
    )
    subject.write(*log.records)
    assert [row["path"] for row in subject.rows("media_files") if row["deleted_at"] is None] == ["new"]


def test_paths_that_are_displayed_alike_are_two_places(subject: Subject) -> None:
    log = Log()
    log.change(created("\ufffd.mkv", path_b64="/y5ta3Y="))
    log.change(created("\ufffd.mkv", path_b64="/i5ta3Y="))
    log.change(created("\ufffd.mkv"))
    subject.write(*log.records)
    assert len(subject.rows("media_files")) == 3


def test_the_longest_paths_are_kept(subject: Subject) -> None:
    path = "/".join(f"{i:0100x}"[::-1] + "é" * 50 for i in range(20))
    subject.write(Log().change(created(path)))
    assert [row["path"] for row in subject.rows("media_files")] == [path]


def test_nul_characters_are_kept_as_escapes(subject: Subject) -> None:
    log = Log()
    log.update(ItemCreated, item(7, "a.mkv", title="a\0b\\u0000c"))
    subject.write(*log.records)
    row = subject.row("media_items")
    assert row["title"] == "a\\u0000b\\u0000c"
    assert isinstance(row["item"], dict) and row["item"]["title"] == row["title"]


def test_an_older_item_never_replaces_a_newer_one(subject: Subject) -> None:
    log = Log()
    for version in range(3):
        log.update(ItemUpdated, item(7, f"{version}.mkv", version=version))
    subject.write(*log.records)
    subject.write(*log.records[:2])
    assert subject.row("media_items")["path"] == "2.mkv"


def test_a_deleted_item_keeps_what_is_known_of_it_and_is_not_revived(subject: Subject) -> None:
    log = Log()
    log.update(ItemCreated, item(7, "a.mkv"))
    log.update(ItemDeleted, gone(7, "a.mkv"))
    subject.write(*log.records[:1])
    subject.write(*log.records[1:])
    before = subject.row("media_items")
    assert before["deleted_at"] is not None and before["year"] == 1999
    subject.write(*log.records[:1])
    assert subject.row("media_items") == before


def test_an_item_that_was_never_seen_alive_is_there_as_deleted(subject: Subject) -> None:
    log = Log()
    log.update(ItemDeleted, gone(7, "a.mkv"))
    subject.write(*log.records)
    row = subject.row("media_items")
    assert (row["deleted_at"] is not None, row["library"], row["title"]) == (True, LIBRARY, "Title")


def test_an_analysis_is_kept_with_what_was_found(subject: Subject) -> None:
    found = Found(duration_ms=5, tags=Tags(artist="A"))
    log = Log()
    log.update(
        ItemAnalyzed, item(7, "a.mkv", analysis=Analysis(status="done", at=at(4), found=found)), analysis_id="a-1"
    )
    subject.write(*log.records)
    row = subject.row("analyses")
    assert (row["analysis_id"], row["media_id"], row["status"]) == ("a-1", 7, "done")
    assert row["found"] == {"duration_ms": 5, "tags": {"artist": "A"}}
    assert subject.row("media_items")["id"] == 7


def test_the_end_of_a_batch_of_analyses_is_a_row(subject: Subject) -> None:
    log = Log()
    log.append(
        topics.ANALYSIS_UPDATES,
        AnalysisComplete(items_processed=3, items_identified=2, items_failed=1, duration_ms=9, scan_id=4),
    )
    subject.write(*log.records)
    row = subject.row("analysis_batches")
    assert (row["items_processed"], row["scan_id"], row["storage_root"]) == (3, 4, None)


def test_a_cover_is_kept_until_its_tombstone(subject: Subject) -> None:
    log = Log()
    log.append(topics.COVERS, Cover(hash="h", mime="image/png", width=2, height=3, data=b"\0\xff"), key="h")
    log.put(topics.COVERS, None, key="h")
    subject.write(log.records[0])
    assert subject.row("covers")["data"] == b"\0\xff"
    subject.write(log.records[1])
    assert subject.rows("covers") == []


def test_a_root_keeps_its_declaration_while_it_is_lost(subject: Subject) -> None:
    log = Log()
    declared = RootChanged(
        library=LIBRARY, root=ROOT, at=at(1), state="declared", epoch="e", site="attic", protocol="nfs",
        location="/mnt",
    )  # fmt: skip
    log.change(declared)
    log.change(RootChanged(library=LIBRARY, root=ROOT, at=at(2), state="lost", epoch="e", cause="unmounted"))
    subject.write(*log.records)
    row = subject.row("storage_roots")
    assert (row["state"], row["cause"], row["site"], row["location"]) == ("lost", "unmounted", "attic", "/mnt")


@pytest.mark.parametrize("first", ["state", "status"])
def test_a_roots_state_and_status_come_in_any_order(subject: Subject, first: str) -> None:
    log = Log()
    state = log.change(RootChanged(library=LIBRARY, root=ROOT, at=at(1), state="declared", epoch="e", site="s"))
    status = log.status(
        SystemUpdate(
            action="storage_update", component=ROOT, status="error", message="gone", details={"retry_count": 3}
        )
    )
    subject.write(*([state, status] if first == "state" else [status, state]))
    row = subject.row("storage_roots")
    assert (row["state"], row["library"], row["status"], row["message"]) == ("declared", LIBRARY, "error", "gone")
    assert row["details"] == {"retry_count": 3}


def test_system_updates_of_components_are_no_rows(subject: Subject) -> None:
    log = Log()
    log.status(SystemUpdate(action="health_check", component="stream", status="healthy"))
    subject.write(*log.records)
    assert subject.rows("storage_roots") == []


def test_a_scan_has_a_start_and_an_end(subject: Subject) -> None:
    log = Log()
    started = ScanChanged(
        library=LIBRARY, root=ROOT, at=at(1), scan_id=5, state="started", origin="scan", cause="start"
    )
    finished = ScanChanged(
        library=LIBRARY, root=ROOT, at=at(2), scan_id=5, state="finished", origin="scan", cause="start", total=9,
        counts=Counts(added=9),
    )  # fmt: skip
    log.change(started)
    log.change(finished)
    subject.write(*log.records)
    row = subject.row("scans")
    assert (row["state"], row["total"], row["counts"]) == ("finished", 9, {"added": 9})
    assert row["started_at"] is not None and row["ended_at"] is not None


def gap(state: str, subtree: str, cause: str = "overflow") -> GapChanged:
    """A gap opens or closes."""
    assert state in ("open", "closed")
    return GapChanged(
        library=LIBRARY, root=ROOT, at=at(1), state="open" if state == "open" else "closed", cause=cause,
        subtree=subtree,
    )  # fmt: skip


def test_a_gap_is_closed_by_the_first_word_after_it_that_covers_it(subject: Subject) -> None:
    log = Log()
    log.change(gap("open", "a/b"))
    log.change(gap("open", "ab"))
    log.change(gap("open", "a/b", "watch_limit"))
    log.change(gap("closed", "a"))
    log.change(gap("closed", ""))
    log.change(gap("open", "a"))
    for batch in (log.records[:2], log.records[2:4], log.records[4:], log.records):
        subject.write(*batch)
    assert {(row["src_offset"], row["closed_offset"]) for row in subject.rows("gaps")} == {
        (0, 3),
        (1, 4),
        (2, None),
        (5, None),
    }


def test_every_kind_of_change_is_in_the_log_table_with_its_whole_record(subject: Subject) -> None:
    log = Log()
    log.change(created("a.mkv", media_id=7, scan_id=5))
    log.change(
        Modified(
            library=LIBRARY, root=ROOT, at=at(2), path="a.mkv", type="file", origin="live", size=2, settled=False
        )
    )
    log.change(Deleted(library=LIBRARY, root=ROOT, at=at(3), path="a.mkv", type="file", origin="live"))
    log.change(RootChanged(library=LIBRARY, root=ROOT, at=at(4), state="back", epoch="e"))
    log.change(gap("open", ""))
    subject.write(*log.records)
    rows = sorted(subject.rows("change_log"), key=lambda row: str(row["n"]))
    assert [row["kind"] for row in rows] == ["created", "modified", "deleted", "root_changed", "gap_changed"]
    assert [row["settled"] for row in rows] == [True, False, True, None, None]
    assert (rows[0]["media_id"], rows[0]["scan_id"]) == (7, 5)
    assert isinstance(rows[1]["record"], dict) and rows[1]["record"]["kind"] == "modified"


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories, deliveries)
def test_any_redelivery_ends_in_the_rows_that_the_fake_says(subject: Subject, log: Log, steps: list[Step]) -> None:
    subject.empty()
    once = FakeStore()
    asyncio.run(straight(once, log))
    subject.run(lambda store: delivered(store, log, steps, lambda: None))
    assert subject.look() == plain(once.tables)
