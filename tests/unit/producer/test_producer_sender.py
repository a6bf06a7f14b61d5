"""The sender: in order, until acknowledged, and repeated sends are the same."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.database import Database
from producer.errors import NotAcknowledged
from producer.outbox import LIVE, Outbox, Unsent
from producer.ports import Outgoing, Point
from producer.sender import BATCH, Sender
from schemas.raw import FileState
from tests.fakes.producer_log import FakeLog, SendFault
from tests.support.producer_root import SkippingClock

FAULTS = st.lists(st.sampled_from([None, "before", "half", "after"]), max_size=8)


def filled(count: int) -> Database:
    """An outbox with so many rows."""
    database = Database(Path(":memory:"))
    outbox = Outbox(database, "films", SkippingClock())
    with database.transaction():
        outbox.begin()
        for number in range(count):
            outbox.observed(f"{number}", FileState("file", 1, 1, 1, number), LIVE)
        outbox.end()
    return database


def rows(log: FakeLog) -> list[Outgoing]:
    return [row for _, row in log.records.get(3, [])]


def first_seen(found: list[Outgoing]) -> list[Outgoing]:
    """The records of a reader that drops those whose number does not rise."""
    taken: list[Outgoing] = []
    for row in found:
        if not taken or row.seq > taken[-1].seq:
            taken.append(row)
    return taken


@settings(deadline=None, max_examples=30)  # each some thousands of rows in SQLite
@given(FAULTS, st.integers(1, 3 * BATCH))
def test_whatever_the_log_does_each_record_is_in_it_in_order_and_each_copy_the_same(
    faults: list[SendFault | None], count: int
) -> None:
    database, log = filled(count), FakeLog()
    log.faults = list(faults)
    unsent = Unsent(database)
    wanted = unsent.first(10 * BATCH)
    sender = Sender("films", unsent, log, 3, b"home")

    async def send_all() -> None:
        while unsent.first(1):
            try:
                await sender.send_once()
            except NotAcknowledged:
                continue

    asyncio.run(send_all())
    assert first_seen(rows(log)) == wanted
    assert {row.seq: row for row in rows(log)} == {row.seq: row for row in wanted}
    database.close()


def test_a_row_is_deleted_only_after_its_acknowledgement() -> None:
    database, log, passed = filled(1), FakeLog(), list[tuple[Point, int, int]]()
    unsent = Unsent(database)

    def point(at: Point) -> None:
        passed.append((at, len(rows(log)), len(unsent.first(9))))

    asyncio.run(Sender("films", unsent, log, 3, b"home", points=point).send_once())
    assert passed == [("before_send", 0, 1), ("after_ack", 1, 1), ("after_outbox_delete", 1, 0)]
    log.faults = ["after"]
    database.close()


def test_a_log_that_does_not_accept_it_leaves_the_outbox_alone() -> None:
    database, log = filled(2), FakeLog()
    log.faults = ["after"]
    unsent = Unsent(database)
    with pytest.raises(NotAcknowledged):
        asyncio.run(Sender("films", unsent, log, 3, b"home").send_once())
    assert [row.seq for row in unsent.first(9)] == [1, 2]
    database.close()


def test_a_running_sender_tries_again_by_itself_reports_that_and_wakes_for_new_rows() -> None:
    database, log = filled(1), FakeLog()
    log.faults = ["half"]
    sender = Sender("films", Unsent(database), log, 3, b"home")

    async def main() -> None:
        task = asyncio.create_task(sender.run())
        async with asyncio.timeout(10):
            await sender.emptied()
        assert sender.unavailable is None
        task.cancel()

    asyncio.run(main())
    assert [row.seq for row in rows(log)] == [1]
    database.close()


def test_while_the_root_is_not_ours_nothing_is_sent_and_when_it_is_again_all_of_it() -> None:
    database, log, ours = filled(2), FakeLog(), False
    sender = Sender("films", Unsent(database), log, 3, b"home", allowed=lambda: ours)

    async def main() -> None:
        nonlocal ours
        task = asyncio.create_task(sender.run())
        async with asyncio.timeout(10):
            await asyncio.sleep(0)
            assert sender.is_held_back
            sender.wake()
            await asyncio.sleep(0)
            assert rows(log) == []
            ours = True
            sender.wake()
            await sender.emptied()
        task.cancel()

    asyncio.run(main())
    assert [row.seq for row in rows(log)] == [1, 2]
    database.close()
