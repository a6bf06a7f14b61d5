"""Read again from anywhere, in any batches and order of topics: the same rows, and nothing shown that was over."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings

from tests.fakes.projector_store import FakeStore
from tests.support.projector_histories import Step, delivered, deliveries, histories, straight
from tests.support.projector_log import Log


@settings(max_examples=300, deadline=None)
@given(histories, deliveries)
def test_any_redelivery_ends_in_the_same_rows(log: Log, steps: list[Step]) -> None:
    once, again = FakeStore(), FakeStore()
    asyncio.run(straight(once, log))
    asyncio.run(delivered(again, log, steps, lambda: None))
    assert again.tables == once.tables
    assert again.kept == once.kept


@settings(max_examples=200, deadline=None)
@given(histories, deliveries)
def test_what_was_deleted_is_never_seen_again(log: Log, steps: list[Step]) -> None:
    store = FakeStore()
    deleted: set[object] = set()

    def look() -> None:
        for id_, row in store.tables["media_items"].items():
            assert row["deleted_at"] is not None or id_ not in deleted
            if row["deleted_at"] is not None:
                deleted.add(id_)

    asyncio.run(delivered(store, log, steps, look))


@settings(max_examples=100, deadline=None)
@given(histories, deliveries)
def test_a_replay_shows_no_place_that_a_file_has_left(log: Log, steps: list[Step]) -> None:
    store = FakeStore()
    asyncio.run(straight(store, log))
    before = {key for key, row in store.tables["media_files"].items() if row["deleted_at"] is None}

    def look() -> None:
        now = {key for key, row in store.tables["media_files"].items() if row["deleted_at"] is None}
        assert now == before

    asyncio.run(delivered(store, log, steps, look))
