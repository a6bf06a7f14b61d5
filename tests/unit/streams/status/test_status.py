"""Only what changed is told, and what is not well again every five minutes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from msgspec.structs import replace

from schemas.system import STANDING_BY, Heartbeat, Report, RootReport, Scalar, ScanReport, Status, SystemUpdate
from streams.status.rules import ANALYSIS, QUEUE, RATE, REPEAT_MS, REQUESTED, WORKERS, StatusRules

T0 = 1_790_000_000_000
BEAT = 5_000


@dataclass
class Desk:
    """Tells everything that the rules find worth telling."""

    rules: StatusRules = field(default_factory=StatusRules)
    at: int = T0

    def say(self, report: Report, after: int = 0) -> list[SystemUpdate]:
        self.at += after
        updates = self.rules.report(report, self.at)
        for update in updates:
            self.rules.told(update, self.at)
        return updates

    def beats(self, seconds: int, *components: str) -> list[tuple[str, Status]]:
        told: list[tuple[str, Status]] = []
        for _ in range(seconds // 5):
            self.at += BEAT
            for component in components:
                told += brief(self.say(beat(component)))
        return told


def brief(updates: list[SystemUpdate]) -> list[tuple[str, Status]]:
    return [(update.component, update.status) for update in updates]


def beat(
    component: str, status: Status = "healthy", *, instance: str = "a", details: dict[str, Scalar] | None = None
) -> Heartbeat:
    message = None if status == "healthy" else "outbox: full"
    return Heartbeat(
        component=component, instance=instance, host="nas", pid=1, status=status, at="t", message=message,
        details=details or {},
    )  # fmt: skip


def root(status: Status = "healthy", message: str = "watching", retries: int = 0) -> RootReport:
    return RootReport(
        root="movies", library="home", site="main", protocol="local", status=status, at="t", message=message,
        location="/media/movies", mode="watching" if status == "healthy" else "offline", retry_count=retries,
        last_connected="2026-11-24T10:00:00.000Z",
    )  # fmt: skip


def test_a_root_is_told_when_first_seen_and_then_on_change_only() -> None:
    desk = Desk()
    told = [brief(desk.say(root(), BEAT)) for _ in range(3)]
    assert told == [[("movies", "healthy")], [], []]


def test_a_root_that_is_well_is_told_anew_when_its_facts_change_and_not_for_what_moves_with_every_report() -> None:
    desk = Desk()
    first = replace(root(), details={"watched_directories": 0, "outbox_records": 7})
    later = replace(first, details={"watched_directories": 900, "outbox_records": 8}, last_connected="now")
    assert brief(desk.say(first)) == [("movies", "healthy")]
    assert desk.say(replace(first, details={"watched_directories": 0, "outbox_records": 9}), 6 * BEAT) == []
    assert brief(desk.say(later, BEAT)) == [("movies", "healthy")]
    assert desk.say(later, 6 * BEAT) == []


def test_a_lost_root_is_told_with_all_that_is_known_and_so_is_its_return() -> None:
    desk = Desk()
    desk.say(root())
    assert desk.say(root("error", "not mounted", 1), BEAT) == [
        SystemUpdate(
            action="storage_update",
            component="movies",
            status="error",
            message="not mounted",
            details={
                "library": "home", "site": "main", "protocol": "local", "location": "/media/movies",
                "mode": "offline", "retry_count": 1, "last_connected": "2026-11-24T10:00:00.000Z",
            },
        )
    ]  # fmt: skip
    assert desk.say(root("error", "not mounted", 2), BEAT) == []
    assert brief(desk.say(root(), BEAT)) == [("movies", "healthy")]


def test_what_is_not_well_is_told_again_every_five_minutes() -> None:
    desk = Desk()
    told = [desk.at for _ in range(200) if desk.say(root("error", "not mounted"), BEAT)]
    assert [b - a for a, b in itertools.pairwise(told)] == [REPEAT_MS] * 3


def test_another_cause_of_the_same_status_is_told_but_never_in_a_flood() -> None:
    desk = Desk()
    told = [bool(desk.say(root("error", f"cause {n}"), BEAT)) for n in range(7)]
    assert told == [True, False, False, True, False, False, True]


def test_a_component_nobody_heard_of_for_fifteen_seconds_is_in_error_and_its_return_is_told() -> None:
    desk = Desk()
    assert desk.beats(10, "stream", "watch") == [("stream", "healthy"), ("watch", "healthy")]
    assert desk.beats(15, "stream") == []
    assert desk.beats(5, "stream") == [("watch", "error")]
    assert desk.beats(5, "stream", "watch") == [("watch", "healthy")]


def test_a_component_is_as_well_as_its_worst_instance() -> None:
    desk = Desk()
    desk.say(beat("serve", instance="a"))
    assert brief(desk.say(beat("serve", "error", instance="b"))) == [("serve", "error")]
    assert desk.say(beat("serve", instance="a"), BEAT) == []
    assert brief(desk.say(beat("serve", instance="b"))) == [("serve", "healthy")]


def test_roots_that_a_process_leaves_to_another_one_are_said_whichever_process_says_it() -> None:
    desk = Desk()
    (first,) = desk.say(beat("watch", instance="a"))
    assert first.message == "watch is well"
    told: list[SystemUpdate] = []
    for _ in range(6):
        told += desk.say(beat("watch", instance="b", details={STANDING_BY: "films is watched by nas:1"}), 2_000)
        told += desk.say(beat("watch", instance="a"), 3_000)
    assert [one.message for one in told] == ["watch is well; standing by: films is watched by nas:1"]


def test_an_instance_that_is_gone_is_no_error_while_another_one_lives() -> None:
    desk = Desk()
    desk.say(beat("serve", instance="a"))
    desk.say(beat("serve", instance="b"))
    assert desk.beats(60, "serve") == []


def test_a_platform_that_was_off_as_a_whole_does_not_accuse_itself() -> None:
    desk = Desk()
    desk.beats(10, "stream", "watch", "serve")
    desk.at += 3_600_000
    assert desk.beats(5, "stream") == []
    assert desk.beats(20, "stream", "watch", "serve") == []


def test_a_restarted_agent_repeats_nothing_and_still_misses_who_is_gone() -> None:
    before = Desk()
    before.beats(10, "stream", "watch")
    after = Desk(at=before.at)
    for component in ("stream", "watch"):
        after.rules.told(
            SystemUpdate(action="health_check", component=component, status="healthy", message="x"), before.at
        )
    assert after.beats(15, "stream") == []
    assert after.beats(10, "stream") == [("watch", "error")]


def test_what_was_not_written_is_said_again() -> None:
    rules = StatusRules()
    assert rules.report(root(), T0) == rules.report(root(), T0) != []


def test_a_clock_that_steps_back_makes_nobody_silent() -> None:
    desk = Desk()
    desk.beats(10, "stream", "watch")
    desk.at -= 3_600_000
    assert desk.beats(30, "stream", "watch") == []


def backlog(
    desk: Desk, queue: int, rate: float = 60.0, requested: int = 0, after: int = BEAT
) -> list[SystemUpdate]:
    details: dict[str, Scalar] = {QUEUE: queue, REQUESTED: requested, WORKERS: 2, RATE: rate}
    told = desk.say(beat("stream", details=details), after)
    return [update for update in told if update.component == ANALYSIS]


def test_a_backlog_of_the_analysis_is_told_with_its_end_and_so_is_its_being_done() -> None:
    desk = Desk()
    assert backlog(desk, 500) == []
    (warning,) = backlog(desk, 600)
    assert (warning.action, warning.status) == ("service_status", "warning")
    assert warning.details == {
        "queue_length": 600,
        "workers": 2,
        "estimated_completion": "2026-09-21T14:23:30.000Z",
    }
    assert backlog(desk, 300) == []
    (well,) = backlog(desk, 99)
    assert well.status == "healthy"
    assert backlog(desk, 300) == []
    (done,) = backlog(desk, 0, after=15_000)
    assert done.details == {"queue_length": 0, "workers": 2}
    assert backlog(desk, 300) == []


def test_how_an_analysis_on_request_comes_on_is_told_every_quarter_of_a_minute_without_a_warning() -> None:
    desk = Desk()
    (begun,) = backlog(desk, 2, requested=5_000)
    assert (begun.status, begun.message) == ("healthy", "files are being analysed on request")
    assert begun.details == {
        "queue_length": 5_002,
        "workers": 2,
        "estimated_completion": "2026-09-21T15:36:47.000Z",
    }
    assert backlog(desk, 0, requested=4_000) == []
    (further,) = backlog(desk, 0, requested=3_000, after=10_000)
    assert backlog(desk, 0, requested=3_000, after=15_000) == []
    (done,) = backlog(desk, 0)
    assert [(update.status, update.details["queue_length"]) for update in (further, done)] == [  # type: ignore[index]
        ("healthy", 3_000),
        ("healthy", 0),
    ]
    assert done.message == "analysis has caught up"
    assert backlog(desk, 0, after=60_000) == []


def test_a_backlog_of_fresh_files_is_warned_of_whatever_was_asked_for_beside_it() -> None:
    (warning,) = backlog(Desk(), 501, requested=10)
    assert (warning.status, warning.details) == (
        "warning",
        {"queue_length": 511, "workers": 2, "estimated_completion": "2026-09-21T14:21:56.000Z"},
    )


def test_a_backlog_that_does_not_shrink_has_no_end() -> None:
    (warning,) = backlog(Desk(), 600, rate=0.0)
    assert "estimated_completion" not in (warning.details or {})


def test_progress_of_a_scan_is_no_status() -> None:
    assert Desk().say(ScanReport(root="movies", library="home", scan=1, done=5, at="t")) == []


def test_a_process_that_leaves_as_it_was_asked_to_is_missed_by_nobody() -> None:
    desk = Desk()
    desk.beats(10, "serve", "watch")
    assert brief(desk.say(replace(beat("serve"), leaving=True))) == [("serve", "healthy")]
    assert desk.beats(60, "watch") == []
    assert brief(desk.say(beat("serve"))) == [("serve", "healthy")]


def test_one_of_two_that_leaves_is_no_news() -> None:
    desk = Desk()
    desk.say(beat("serve", instance="a"))
    desk.say(beat("serve", instance="b"))
    assert desk.say(replace(beat("serve", instance="a"), leaving=True)) == []
    assert desk.beats(60, "serve") == []


def test_who_left_is_not_missed_after_a_restart_of_the_agent_either() -> None:
    before, after = Desk(), Desk()
    before.say(beat("project"))
    (update,) = before.say(replace(beat("project"), leaving=True))
    after.rules.told(update, T0)
    assert after.beats(60, "watch")[1:] == []


def test_a_root_that_nobody_reports_any_more_is_said_to_be_unwatched_with_what_is_known_of_it() -> None:
    desk = Desk()
    desk.say(root())
    assert desk.beats(30, "watch") == [("watch", "healthy"), ("movies", "warning")]
    told = desk.rules.report(beat("watch"), desk.at + REPEAT_MS)
    assert [(u.component, u.status) for u in told] == [("movies", "warning")]
    assert isinstance(told[0].details, dict)
    assert (told[0].details["location"], told[0].details["mode"]) == ("/media/movies", "unwatched")
    assert brief(desk.say(root())) == [("movies", "healthy")]


def test_a_retired_root_is_missed_by_nobody() -> None:
    desk = Desk()
    desk.say(root())
    desk.beats(30, "watch")
    assert brief(desk.say(replace(root(message="root movies is retired"), mode="retired"))) == [
        ("movies", "healthy")
    ]
    assert desk.beats(600, "watch") == []
