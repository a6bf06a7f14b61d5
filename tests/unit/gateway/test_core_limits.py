"""Limits, on a manual clock."""

from __future__ import annotations

from gateway.core.limits import PENALTY_MEMORY_SECONDS, TABLE_SIZE, Bucket, Penalties


def test_forty_messages_at_once_then_twenty_a_second() -> None:
    bucket = Bucket(at=100.0)
    assert [bucket.allows(100.0) for _ in range(41)] == [True] * 40 + [False]
    assert [bucket.allows(101.0) for _ in range(21)] == [True] * 20 + [False]


def test_twenty_a_second_are_allowed_for_ever() -> None:
    bucket = Bucket(at=0.0)
    assert all(bucket.allows(n / 20) for n in range(2_000))


def test_the_same_bad_token_waits_longer_each_time_and_another_does_not() -> None:
    penalties = Penalties()
    assert [penalties.next_seconds(b"a", n) for n in range(8)] == [0, 1, 2, 4, 8, 16, 16, 16]
    assert penalties.next_seconds(b"b", 8) == 0
    assert penalties.next_seconds(b"a", 8 + PENALTY_MEMORY_SECONDS) == 0


def test_the_table_is_bounded() -> None:
    penalties = Penalties()
    for n in range(TABLE_SIZE + 10):
        penalties.next_seconds(b"%d" % n, 0)
    assert penalties.next_seconds(b"0", 0) == 0  # forgotten, for it was the oldest
    assert len(penalties._table) <= TABLE_SIZE
