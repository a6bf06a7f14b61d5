"""Ends of transactions are passed where an agent has had nothing to do for some looks, and no event ever is."""

from __future__ import annotations

from aiokafka import TopicPartition

from streams.app import QUIET_LOOKS, Quiet

JOBS, REPORTS = TopicPartition("jobs", 0), TopicPartition("reports", 0)


def looked(quiet: Quiet, times: int, positions: dict[TopicPartition, int], *, has_work: bool = False) -> Quiet:
    for _ in range(times):
        quiet.look(positions, has_work=has_work)
    return quiet


def test_a_position_that_stays_is_passed_after_some_looks_and_not_before() -> None:
    quiet = looked(Quiet(), QUIET_LOOKS, {JOBS: 5})
    assert quiet.passed(JOBS) is None
    assert looked(quiet, 1, {JOBS: 5}).passed(JOBS) == 5


def test_one_that_moves_is_not_and_holds_up_no_other() -> None:
    quiet = Quiet()
    for position in range(1, QUIET_LOOKS + 3):
        quiet.look({JOBS: position, REPORTS: 9}, has_work=False)
    assert (quiet.passed(JOBS), quiet.passed(REPORTS)) == (None, 9)


def test_while_any_agent_has_something_to_do_none_is_for_events_may_wait_behind_it() -> None:
    quiet = looked(Quiet(), QUIET_LOOKS + 1, {JOBS: 5})
    assert looked(quiet, 1, {JOBS: 5}, has_work=True).passed(JOBS) is None
    assert looked(quiet, QUIET_LOOKS - 1, {JOBS: 5}).passed(JOBS) is None
    assert looked(quiet, 1, {JOBS: 5}).passed(JOBS) == 5


def test_a_partition_that_is_another_ones_now_is_not() -> None:
    quiet = looked(Quiet(), QUIET_LOOKS + 1, {JOBS: 5})
    assert looked(quiet, 1, {}).passed(JOBS) is None
    assert looked(quiet, 1, {JOBS: 5}).passed(JOBS) is None


def test_where_it_is_read_from_is_not_known_nothing_is_committed() -> None:
    assert looked(Quiet(), QUIET_LOOKS + 1, {JOBS: 0}).passed(JOBS) is None
