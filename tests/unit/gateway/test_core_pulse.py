"""Dead or slow, by acknowledgements alone, on a manual clock."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.core.pulse import Pulse, Sample, Verdict

STUCK_SECONDS = 60.0


def verdicts(samples: Iterable[Sample]) -> list[Verdict]:
    """One sample a second."""
    pulse = Pulse()
    return [pulse.observe(sample, float(now), STUCK_SECONDS) for now, sample in enumerate(samples)]


def test_a_peer_that_acknowledges_nothing_is_dead_after_15_seconds() -> None:
    silent = (Sample(unacknowledged=True, waiting=True, taken=0, ack_age_seconds=100.0 + n) for n in range(30))
    assert verdicts(silent).index(Verdict.DEAD) == 15


def test_a_full_window_is_slow_however_rarely_its_probes_are_due() -> None:
    # A probe every half minute, acknowledged at once, and sampled once in the moment between.
    full = (
        Sample(unacknowledged=n == 30, waiting=True, taken=7, ack_age_seconds=float(n % 30 or 30))
        for n in range(60)
    )
    assert set(verdicts(full)) == {Verdict.FINE}


def test_a_peer_that_takes_nothing_for_a_minute_is_stuck_and_one_that_takes_a_byte_is_not() -> None:
    full = [Sample(unacknowledged=False, waiting=True, taken=0, ack_age_seconds=0.0)] * 70
    assert verdicts(full).index(Verdict.STUCK) == 60
    slow = (Sample(unacknowledged=False, waiting=True, taken=n // 50, ack_age_seconds=0.0) for n in range(200))
    assert set(verdicts(slow)) == {Verdict.FINE}


def test_a_busy_peer_that_acknowledges_is_fine_though_something_is_always_under_way() -> None:
    busy = (Sample(unacknowledged=True, waiting=True, taken=n, ack_age_seconds=0.2) for n in range(200))
    assert set(verdicts(busy)) == {Verdict.FINE}


def test_idle_time_counts_for_nothing() -> None:
    idle = [Sample(unacknowledged=False, waiting=False, taken=5, ack_age_seconds=float(n)) for n in range(100)]
    owing = [Sample(unacknowledged=True, waiting=True, taken=5, ack_age_seconds=100.0 + n) for n in range(20)]
    assert verdicts([*idle, *owing]).index(Verdict.DEAD) == 115
