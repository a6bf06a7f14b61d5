"""What takes time: lags that last, deletions within a window, letters of the last hour; over restarts too."""

from __future__ import annotations

import pytest

from schemas.alerts import Alert
from schemas.codec import encode
from schemas.dead_letters import How, Letter, LetterClosed, Mark
from schemas.dead_letters import Origin as LetterOrigin
from schemas.system import BEHIND, ENTRIES, Heartbeat, RootReport
from schemas.topics import ALERTS, ANALYSIS_JOBS, CHANGES, REPORTS, Topic, dlq_of
from streams.alerts.deletions import Limits
from streams.alerts.rules import AlertRules
from tests.support.alert_steps import Step, at, steps, write

# -- lag -------------------------------------------------------------------------------------------------------


def beat(behind: float, instance: str = "a", *, leaving: bool = False) -> Heartbeat:
    return Heartbeat(
        component="project", instance=instance, host="nas", pid=1, status="healthy", at="t", leaving=leaving,
        details={BEHIND: behind},
    )  # fmt: skip


def lagging(*beats: tuple[int, Heartbeat], rules: AlertRules | None = None) -> list[tuple[int, str]]:
    """The alerts, with their times (s)."""
    rules = rules or AlertRules()
    found: list[tuple[int, str]] = []
    for second, heartbeat in beats:
        cause = at(REPORTS, second)
        found += [(second, alert.state) for alert in write(rules, rules.report(heartbeat, cause), cause)]
    return found


def test_a_lag_that_lasts_a_minute_fires_and_a_shorter_one_does_not() -> None:
    late = [(second, beat(100)) for second in range(0, 300, 5)]
    assert lagging(*late, (300, beat(60)), (305, beat(0))) == [(60, "firing"), (300, "resolved")]
    assert lagging(*late[:12], (60, beat(3)), *[(second, beat(100)) for second in range(65, 120, 5)]) == []


def test_one_process_that_is_behind_is_enough_and_one_that_leaves_or_is_silent_is_not_waited_for() -> None:
    both = [(second, beat(90 if name == "a" else 0, name)) for second in range(0, 90, 5) for name in "ab"]
    assert lagging(*both) == [(60, "firing")]
    assert lagging(*both, (90, beat(90, "a", leaving=True)))[1:] == [(90, "resolved")]
    assert lagging(*both, (104, beat(0, "b")))[1:] == [(104, "resolved")]


def test_a_restart_within_a_lag_goes_on_counting_from_where_the_log_is_read_again() -> None:
    late = [(second, beat(100, name)) for second in range(0, 120, 5) for name in "ab"]
    before = AlertRules()
    assert lagging(*late[:14], rules=before) == []
    kept = before.keep_from(REPORTS.name, 0)
    assert kept == 0
    assert lagging(*[one for one in late if one[0] >= kept]) == [(60, "firing")]
    lagging(*late[14:], rules=before)
    assert before.keep_from(REPORTS.name, 0) == 115  # who fires is known; only who is behind now is wanted


# -- deletions -------------------------------------------------------------------------------------------------

LIMITS = Limits(window_ms=60_000, count=5, percent=20, many=50)


def counted(entries: int) -> RootReport:
    return RootReport(
        root="movies", library="home", site="main", protocol="local", status="healthy", at="t", message="m", location="/m",
        mode="watching", details={ENTRIES: entries},
    )  # fmt: skip


def delete(rules: AlertRules, count: int, offset: int, ms: int) -> list[Alert]:
    found: list[Alert] = []
    for n in range(count):
        cause = at(CHANGES, offset + n, ms, partition=2)
        found += write(rules, rules.deleted("movies", "home", cause), cause)
    return found


def quiet(rules: AlertRules, offset: int, ms: int) -> list[Alert]:
    cause = at(REPORTS, offset, ms)
    return write(rules, rules.passed(cause), cause)


@pytest.mark.parametrize(
    ("entries", "deleted", "fires"),
    [
        (25, 5, True), (26, 5, False), (25, 4, False), (None, 49, False), (None, 50, True), (1_000_000, 50, True),
        (0, 9, False),
    ],
)  # fmt: skip
def test_much_is_a_number_and_a_share_or_a_large_number(entries: int | None, deleted: int, fires: bool) -> None:
    rules = AlertRules(LIMITS)
    if entries is not None:
        rules.report(counted(entries), at(REPORTS, 1))
    found = delete(rules, deleted, 0, 5_000)
    assert steps(found) == [("mass_deletion/movies", "firing", "error")] * fires


def test_the_share_is_of_what_was_there_before_and_deletions_that_are_apart_do_not_add_up() -> None:
    rules = AlertRules(LIMITS)
    rules.report(counted(25), at(REPORTS, 1))
    rules.report(counted(21), at(REPORTS, 2))  # counted again while the first are on their way
    assert delete(rules, 4, 0, 5_000) == []
    (alert,) = delete(rules, 1, 4, 6_000)
    assert alert.details == {"deleted": 5, "entries": 25}
    assert "5 of 25 files and directories of root movies were deleted within 60 s" in alert.message
    apart = AlertRules(LIMITS)
    apart.report(counted(25), at(REPORTS, 1))
    assert delete(apart, 4, 0, 5_000) + delete(apart, 4, 4, 67_000) == []


def test_it_is_over_when_nothing_was_deleted_for_as_long() -> None:
    rules = AlertRules(LIMITS)
    delete(rules, 60, 0, 5_000)
    assert quiet(rules, 1, 60_000) == []
    delete(rules, 1, 60, 60_000)
    assert quiet(rules, 2, 90_000) == []
    assert steps(quiet(rules, 3, 121_000)) == [("mass_deletion/movies", "resolved", "error")]
    assert quiet(rules, 4, 122_000) == []
    assert rules.keep_from(CHANGES.name, 2) is None


def test_a_restart_within_the_window_counts_what_is_read_again_and_repeats_no_alert() -> None:
    rules = AlertRules(LIMITS)
    delete(rules, 30, 100, 5_000)
    assert rules.keep_from(CHANGES.name, 2) == 100
    assert rules.keep_from(CHANGES.name, 1) is None
    again = AlertRules(LIMITS)
    (fired,) = delete(again, 30, 100, 5_000) + delete(again, 30, 130, 6_000)
    over = quiet(again, 1, 120_000)
    for alert, cause in ((fired, at(CHANGES, 149, 6_000, 2)), (over[0], at(REPORTS, 1, 120_000))):
        rules.recorded(alert, cause)
    assert delete(rules, 60, 100, 6_000) == []  # killed before the offsets were committed


def test_what_fired_before_a_restart_and_is_quiet_since_is_resolved() -> None:
    rules = AlertRules(LIMITS)
    (fired,) = delete(AlertRules(LIMITS), 50, 0, 5_000)
    rules.recorded(fired, at(CHANGES, 49, 5_000, 2))
    assert steps(quiet(rules, 9, 300_000)) == [("mass_deletion/movies", "resolved", "error")]


# -- dead letters ----------------------------------------------------------------------------------------------

QUEUE = dlq_of(ANALYSIS_JOBS)
HOUR = 3_600_000


def letter(offset: int, ms: int, value: bytes = b"{") -> Letter:
    origin = LetterOrigin(ANALYSIS_JOBS.name, 3, offset, 5)
    return Letter(offset, ms, origin, "Undecodable", "no JSON", 1, b"k", value, [], len(value))


def mark(offset: int, of: int, how: How = "redriven") -> Mark:
    closed = LetterClosed(
        letter=of, how=how, by="a", at="t", topic=ANALYSIS_JOBS.name, partition=3, offset=of, timestamp=5
    )
    return Mark(offset, closed)


def letters(rules: AlertRules, *found: Letter | Mark, ms: int = 0, topic: Topic = ANALYSIS_JOBS) -> list[Step]:
    alerts: list[Alert] = []
    for one in found:
        cause = at(dlq_of(topic), one.offset, one.at if isinstance(one, Letter) else ms)
        alerts += write(rules, rules.letter(topic.name, one, cause), cause)
    return steps(alerts)


FIRED: Step = (f"dead_letters/{ANALYSIS_JOBS.name}", "firing", "warning")
OVER: Step = (f"dead_letters/{ANALYSIS_JOBS.name}", "resolved", "warning")


@pytest.mark.parametrize("how", ["redriven", "discarded"])
def test_a_queue_fires_with_its_first_letter_and_is_resolved_when_all_were_seen_to(how: How) -> None:
    rules = AlertRules()
    came = (letter(0, 10), letter(1, 20), mark(2, 0, how), letter(3, 30), mark(4, 1, how))
    assert letters(rules, *came, ms=40) == [FIRED]
    assert rules.keep_from(QUEUE.name, 0) == 3
    assert letters(rules, mark(5, 3, how), ms=50) == [OVER]
    assert rules.keep_from(QUEUE.name, 0) is None


def test_a_queue_is_resolved_when_no_letter_has_come_for_an_hour_and_fires_with_the_next() -> None:
    rules = AlertRules()
    letters(rules, letter(0, 10), letter(1, HOUR))
    assert quiet(rules, 1, 2 * HOUR - 1) == []
    assert steps(quiet(rules, 2, 2 * HOUR)) == [OVER]
    assert letters(rules, letter(2, 3 * HOUR)) == [FIRED]


def test_letters_read_again_after_a_restart_fire_nothing_twice() -> None:
    before, log = AlertRules(), []
    for one in (letter(0, 10), letter(1, 20), mark(2, 0), mark(3, 1)):
        cause = at(QUEUE, one.offset, 10 * one.offset + 10)
        log += [(alert, cause) for alert in write(before, before.letter(ANALYSIS_JOBS.name, one, cause), cause)]
    again = AlertRules()
    for alert, cause in log:
        again.recorded(alert, cause)
    assert letters(again, letter(0, 10), letter(1, 20), mark(2, 0), mark(3, 1), ms=40) == []


def test_an_alert_about_the_queue_of_alerts_that_is_not_delivered_makes_no_other_one() -> None:
    def undelivered(subject: str) -> Letter:
        alert = Alert(
            kind="dead_letters",
            subject=subject,
            severity="warning",
            state="firing",
            title="t",
            message="m",
            at="t",
        )
        return letter(0, 10, encode(alert))

    about_itself = undelivered(f"dead_letters/{ALERTS.name}")
    assert letters(AlertRules(), about_itself, topic=ALERTS) == []
    assert letters(AlertRules(), undelivered("root_lost/movies"), topic=ALERTS) == [
        (f"dead_letters/{ALERTS.name}", "firing", "warning")
    ]
