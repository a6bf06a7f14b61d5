"""How often a sign-in may fail, on a manual clock: the failures of others never lower a count."""

from __future__ import annotations

import random

import pytest

from gateway.access.sign_in_limits import (
    FAILURES,
    FAILURES_OF_ACCOUNT,
    FAILURES_OF_ADDRESS,
    SPARE_ATTEMPTS,
    WINDOW_SECONDS,
    Failures,
    SignInLimits,
)

KEY = "bob"


def test_the_sixth_failure_waits_until_the_first_is_five_minutes_old() -> None:
    failures = Failures(FAILURES)
    for second in range(5):
        assert failures.wait_seconds(KEY, second) == 0
        failures.add(KEY, second)
    assert failures.wait_seconds(KEY, 10) == 290
    assert failures.wait_seconds("alice", 10) == 0
    assert failures.wait_seconds(KEY, 300) == 0


@pytest.mark.parametrize("others", [11_000, 100_000])
def test_failures_of_any_number_of_other_names_do_not_push_one_out(others: int) -> None:
    failures = Failures(FAILURES)
    for _ in range(5):
        failures.add(KEY, 0.0)
    for n in range(others):
        failures.add(f"name {n}", 1.0)
    assert failures.wait_seconds(KEY, 2.0) >= 298


def test_it_never_counts_less_than_a_count_of_each_key_would() -> None:
    chance = random.Random(1)
    failures, exact = Failures(FAILURES), dict[str, list[float]]()
    for second in range(20_000):
        key = f"name {chance.randrange(400)}"
        failures.add(key, second / 20)
        exact.setdefault(key, []).append(second / 20)
    now = 1_000.0
    for key, times in exact.items():
        least = times[-FAILURES] + WINDOW_SECONDS - now if len(times) >= FAILURES else 0
        assert failures.wait_seconds(key, now) >= max(0, least)


def test_strangers_are_not_taken_for_who_failed_while_as_many_fail_as_can() -> None:
    failures = Failures(FAILURES)
    for n in range(9_000):
        failures.add(f"name {n}", 0.0)
    waiting = sum(failures.wait_seconds(f"stranger {n}", 1.0) > 0 for n in range(2_000))
    assert waiting < 2_000 * 0.25


def test_an_account_is_limited_from_one_address_from_all_and_an_address_for_all() -> None:
    limits = SignInLimits()
    for _ in range(FAILURES):
        limits.failed("bob", "here", 0)
    assert limits.wait_seconds("bob", "here", 1) == 299
    assert limits.wait_seconds("bob", "there", 1) == limits.wait_seconds("alice", "here", 1) == 0
    for n in range(FAILURES_OF_ACCOUNT):
        limits.failed("carol", f"address {n}", 0)
    assert limits.wait_seconds("carol", "somewhere", 1) == 299
    for n in range(FAILURES_OF_ADDRESS):
        limits.failed(f"name {n}", "sprayer", 0)
    assert limits.wait_seconds("dora", "sprayer", 1) == 299


def test_an_account_over_a_limit_has_spare_attempts_for_a_storm_and_then_one_a_second() -> None:
    limits = SignInLimits()
    assert [limits.spare("bob", 0) for _ in range(int(SPARE_ATTEMPTS) + 1)] == [True] * int(SPARE_ATTEMPTS) + [
        False
    ]
    assert [limits.spare("bob", 10) for _ in range(11)] == [True] * 10 + [False]
