"""A subject fires once and is resolved once, whatever is repeated and whoever is started again."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from schemas.alerts import Alert
from schemas.ids import event_id
from schemas.system import Status, SystemAction, SystemUpdate
from schemas.topics import SYSTEM_UPDATES
from streams.alerts.rules import AlertRules, alert_id
from streams.alerts.verdict import Cause
from tests.support.alert_steps import Step, at, steps, write


def storage(status: Status, mode: str = "watching", **more: object) -> SystemUpdate:
    details = {"mode": mode, "library": "home", "location": "/media/movies", **more}
    return SystemUpdate(action="storage_update", component="movies", status=status, message="m", details=details)


def gaps(*causes: str) -> SystemUpdate:
    details: dict[str, object] = {
        "library": "home",
        "cause": "overflow",
        "open_gaps": [{"subtree": "", "cause": c} for c in causes],
    }
    status: Status = "warning" if causes else "healthy"
    return SystemUpdate(action="storage_update", component="movies", status=status, message="m", details=details)


def other(action: SystemAction, component: str, status: Status, **details: object) -> SystemUpdate:
    return SystemUpdate(
        action=action, component=component, status=status, message="m", details=dict(details) if details else UNSET
    )


def run(*updates: SystemUpdate, rules: AlertRules | None = None) -> list[Alert]:
    rules, found = rules or AlertRules(), []
    for offset, update in enumerate(updates):
        cause = at(SYSTEM_UPDATES, offset)
        found += write(rules, rules.update(update, cause), cause)
    return found


F: Literal["firing"] = "firing"
R: Literal["resolved"] = "resolved"


@pytest.mark.parametrize(
    ("updates", "expected"),
    [
        ([storage("healthy"), storage("warning"), storage("warning", "paused")], []),
        (
            [storage("error", "offline"), storage("error", "offline"), storage("healthy"), storage("healthy")],
            [("root_lost/movies", F, "error"), ("root_lost/movies", R, "error")],
        ),
        (
            [storage("warning", "unwatched"), storage("error", "offline"), storage("healthy")],
            [("root_lost/movies", F, "warning"), ("root_lost/movies", F, "error"), ("root_lost/movies", R, "error")],
        ),
        (
            [storage("error", "offline"), storage("warning", "unwatched"), storage("healthy", "retired")],
            [("root_lost/movies", F, "error"), ("root_lost/movies", R, "error")],
        ),
        (
            [gaps("overflow"), gaps("overflow", "seq_jump"), storage("healthy"), gaps("seq_jump"), gaps(), gaps()],
            [("gap_open/movies", F, "warning"), ("gap_open/movies", R, "warning")],
        ),
        (
            [gaps("overflow"), storage("error", "offline"), storage("healthy", "retired")],
            [
                ("gap_open/movies", F, "warning"), ("root_lost/movies", F, "error"),
                ("root_lost/movies", R, "error"), ("gap_open/movies", R, "warning"),
            ],
        ),
        (
            [
                other("health_check", "project", "error"), other("health_check", "project", "warning", instances=1),
                other("health_check", "project", "error", instances=1), other("health_check", "stream", "healthy"),
            ],
            [
                ("process_silent/project", F, "error"), ("process_silent/project", R, "error"),
                ("process_silent/project", F, "error"),
            ],
        ),
        (
            [
                other("service_status", "media_analysis", "warning", queue_length=900),
                other("service_status", "disk nas:/var", "warning", disk="/var", disk_free_bytes=5),
                other("service_status", "disk nas:/var", "error", disk="/var", disk_free_bytes=1),
                other("service_status", "disk nas:/var", "warning", disk="/var", disk_free_bytes=5),
                other("service_status", "disk nas:/var", "healthy", disk="/var", disk_free_bytes=50),
            ],
            [
                ("disk_low/nas:/var", F, "warning"), ("disk_low/nas:/var", F, "error"), ("disk_low/nas:/var", R, "error"),
            ],
        ),
    ],
)  # fmt: skip
def test_which_alerts_a_run_of_updates_gives(updates: list[SystemUpdate], expected: list[Step]) -> None:
    assert steps(run(*updates)) == expected


def test_an_alert_names_its_root_and_has_the_id_of_its_record_and_subject() -> None:
    (alert,) = run(storage("healthy"), storage("error", "offline", cause="missing"))
    assert alert == Alert(
        kind="root_lost", subject="root_lost/movies", severity="error", state="firing", title="Root movies is lost",
        message="m", at="1970-01-01T00:00:01.000Z", library="home", root="movies",
        details={"mode": "offline", "cause": "missing", "location": "/media/movies"},
    )  # fmt: skip
    cause = at(SYSTEM_UPDATES, 1)
    assert alert_id(alert, cause) == alert_id(replace_message(alert), cause)
    assert alert_id(alert, cause) not in {event_id(SYSTEM_UPDATES.name, 0, 1, n) for n in range(999)}


def replace_message(alert: Alert) -> Alert:
    return Alert(
        kind=alert.kind,
        subject=alert.subject,
        severity="warning",
        state="resolved",
        title="t",
        message="n",
        at="t",
    )


ANY = st.sampled_from(
    [
        storage("healthy"), storage("error", "offline"), storage("healthy", "retired"), gaps(), gaps("overflow"),
        other("health_check", "stream", "error"), other("health_check", "stream", "healthy"),
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.tuples(ANY, st.integers(1, 3)), max_size=30), st.data())
def test_any_order_of_repeated_updates_alternates_with_restarts_anywhere(
    runs: list[tuple[SystemUpdate, int]], data: st.DataObject
) -> None:
    updates = [update for update, times in runs for _ in range(times)]
    rules = AlertRules()
    log: list[tuple[Alert, Cause]] = []
    next_offset = 0
    while next_offset < len(updates):
        cause = at(SYSTEM_UPDATES, next_offset)
        alerts = rules.update(updates[next_offset], cause)
        log += [(alert, cause) for alert in write(rules, alerts, cause)]
        next_offset += 1
        if (
            data.draw(st.integers(0, 9)) == 0
        ):  # killed: what is in the log is there, some offsets are not committed
            rules = AlertRules()
            for alert, of in log:
                rules.recorded(alert, of)
            next_offset -= data.draw(st.integers(0, next_offset))
    by_subject: dict[str, list[str]] = {}
    for alert, _ in log:
        by_subject.setdefault(alert.subject, []).append(alert.state)
    for states in by_subject.values():
        assert states[0] == "firing"
        assert all(before != after for before, after in pairwise(states))
    assert len({alert_id(alert, cause) for alert, cause in log}) == len(log)


def test_what_could_not_be_written_is_returned_again() -> None:
    rules = AlertRules()
    first = rules.update(storage("error", "offline"), at(SYSTEM_UPDATES, 1))
    assert rules.update(storage("error", "offline"), at(SYSTEM_UPDATES, 1)) == first


def test_a_topic_made_anew_is_judged_from_its_beginning() -> None:
    rules = AlertRules()
    write(rules, rules.update(storage("error", "offline"), at(SYSTEM_UPDATES, 900)), at(SYSTEM_UPDATES, 900))
    anew = at(SYSTEM_UPDATES, 3, ms=2_000_000)
    assert steps(rules.update(storage("healthy"), anew)) == [("root_lost/movies", "resolved", "error")]
