"""A process is well, starting or in trouble; starting is no trouble, but only for so long."""

from __future__ import annotations

from prometheus_client import REGISTRY

from runtime.health import GRACE_SECONDS, Health, Starting


class Clock:
    """By hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def a_health(found: list[str | Starting | None]) -> tuple[Health, Clock]:
    """One check that answers with the last of `found`."""
    clock = Clock()
    health = Health(clock=clock)
    health.add("log", lambda: found[-1])
    return health, clock


def test_starting_is_not_ready_and_not_wrong() -> None:
    health, _ = a_health([Starting("reading on")])
    assert health.problems() == {}
    assert health.starting() == {"log": "starting: reading on"}
    assert health.unready() == {"log": "starting: reading on"}


def test_starting_for_too_long_is_wrong() -> None:
    health, clock = a_health([Starting("reading on")])
    assert health.problems() == {}
    clock.now += GRACE_SECONDS
    assert health.problems() == {}
    clock.now += 1
    assert health.problems() == health.unready() == {"log": "not started within 120 s: reading on"}
    assert health.starting() == {}


def test_whether_it_is_ready_is_a_gauge_and_so_is_what_measures_set() -> None:
    found: list[str | Starting | None] = ["the disk is full"]
    health, _ = a_health(found)
    measured: list[str] = []
    health.measures.append(lambda: measured.append("once"))
    health.measure()
    assert (REGISTRY.get_sample_value("catalogizer_ready"), measured) == (0, ["once"])
    found.append(None)
    health.measure()
    assert REGISTRY.get_sample_value("catalogizer_ready") == 1


def test_each_start_has_its_own_time() -> None:
    found: list[str | Starting | None] = [Starting("reading on")]
    health, clock = a_health(found)
    assert health.problems() == {}
    found.append(None)
    assert health.unready() == {}
    clock.now += 10 * GRACE_SECONDS
    found.append(Starting("reading on"))
    assert health.problems() == {}


def test_what_is_wrong_is_wrong_at_once() -> None:
    health, _ = a_health(["connection refused"])
    assert health.problems() == health.unready() == {"log": "connection refused"}
    assert health.starting() == {}


def test_what_is_only_a_warning_is_reported_and_hinders_nothing() -> None:
    health = Health()
    health.add("topics", lambda: "not as they were made", warning=True)
    assert health.problems() == {"topics": "not as they were made"}
    assert health.unready() == {}
