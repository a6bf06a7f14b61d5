"""Only changes are published, and problems again every five minutes."""

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

    def send(self, report: Report, after: int = 0) -> list[SystemUpdate]:
        self.at += after
        updates = self.rules.report(report, self.at)
        for update in updates:
            self.rules.published(update, self.at)
        return updates

    def beats(self, seconds: int, *components: str) -> list[tuple[str, Status]]:
        published: list[tuple[str, Status]] = []
        for _ in range(seconds // 5):
            self.at += BEAT
            for component in components:
                published += brief(self.send(beat(component)))
        return published


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


def test_a_root_is_published_when_first_seen_and_then_on_change_only() -> None:
    desk = Desk()
    published = [brief(desk.send(root(), BEAT)) for _ in range(3)]
    assert published == [[("movies", "healthy")], [], []]


def test_a_root_that_is_well_is_published_again_when_its_facts_change_and_not_for_what_moves_with_every_report() -> (
    None
):
    desk = Desk()
    first = replace(root(), details={"watched_directories": 0, "outbox_records": 7})
    later = replace(first, details={"watched_directories": 900, "outbox_records": 8}, last_connected="now")
    assert brief(desk.send(first)) == [("movies", "healthy")]
    assert desk.send(replace(first, details={"watched_directories": 0, "outbox_records": 9}), 6 * BEAT) == []
    assert brief(desk.send(later, BEAT)) == [("movies", "healthy")]
    assert desk.send(later, 6 * BEAT) == []


def test_a_lost_root_is_published_with_all_that_is_known_and_so_is_its_return() -> None:
    desk = Desk()
    desk.send(root())
    assert desk.send(root("error", "not mounted", 1), BEAT) == [
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
    assert desk.send(root("error", "not mounted", 2), BEAT) == []
    assert brief(desk.send(root(), BEAT)) == [("movies", "healthy")]


def test_what_is_not_well_is_published_again_every_five_minutes() -> None:
    desk = Desk()
    published = [desk.at for _ in range(200) if desk.send(root("error", "not mounted"), BEAT)]
    assert [b - a for a, b in itertools.pairwise(published)] == [REPEAT_MS] * 3


def test_another_cause_of_the_same_status_is_published_but_never_in_a_flood() -> None:
    desk = Desk()
    published = [bool(desk.send(root("error", f"cause {n}"), BEAT)) for n in range(7)]
    assert published == [True, False, False, True, False, False, True]


def test_a_component_without_heartbeats_for_fifteen_seconds_is_in_error_and_its_return_is_published() -> None:
    desk = Desk()
    assert desk.beats(10, "stream", "watch") == [("stream", "healthy"), ("watch", "healthy")]
    assert desk.beats(15, "stream") == []
    assert desk.beats(5, "stream") == [("watch", "error")]
    assert desk.beats(5, "stream", "watch") == [("watch", "healthy")]


def test_a_component_is_as_well_as_its_worst_instance() -> None:
    desk = Desk()
    desk.send(beat("serve", instance="a"))
    assert brief(desk.send(beat("serve", "error", instance="b"))) == [("serve", "error")]
    assert desk.send(beat("serve", instance="a"), BEAT) == []
    assert brief(desk.send(beat("serve", instance="b"))) == [("serve", "healthy")]


def test_roots_that_a_process_leaves_to_another_one_are_published_whichever_process_reports_them() -> None:
    desk = Desk()
    (first,) = desk.send(beat("watch", instance="a"))
    assert first.message == "watch is well"
    published: list[SystemUpdate] = []
    for _ in range(6):
        published += desk.send(
            beat("watch", instance="b", details={STANDING_BY: "films is watched by nas:1"}), 2_000
        )
        published += desk.send(beat("watch", instance="a"), 3_000)
    assert [one.message for one in published] == ["watch is well; standing by: films is watched by nas:1"]


def test_an_instance_that_is_gone_is_no_error_while_another_one_lives() -> None:
    desk = Desk()
    desk.send(beat("serve", instance="a"))
    desk.send(beat("serve", instance="b"))
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
        after.rules.published(
            SystemUpdate(action="health_check", component=component, status="healthy", message="x"), before.at
        )
    assert after.beats(15, "stream") == []
    assert after.beats(10, "stream") == [("watch", "error")]


def test_what_was_not_written_is_returned_again() -> None:
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
    published = desk.send(beat("stream", details=details), after)
    return [update for update in published if update.component == ANALYSIS]


def test_a_backlog_of_the_analysis_is_published_with_its_end_and_so_is_its_being_done() -> None:
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


def test_how_an_analysis_on_request_comes_on_is_published_every_quarter_of_a_minute_without_a_warning() -> None:
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


def test_a_backlog_of_fresh_files_is_a_warning_whatever_was_requested_beside_it() -> None:
    (warning,) = backlog(Desk(), 501, requested=10)
    assert (warning.status, warning.details) == (
        "warning",
        {"queue_length": 511, "workers": 2, "estimated_completion": "2026-09-21T14:21:56.000Z"},
    )


def test_a_backlog_that_does_not_shrink_has_no_end() -> None:
    (warning,) = backlog(Desk(), 600, rate=0.0)
    assert "estimated_completion" not in (warning.details or {})


def test_progress_of_a_scan_is_no_status() -> None:
    assert Desk().send(ScanReport(root="movies", library="home", scan=1, done=5, at="t")) == []


def test_a_process_that_leaves_on_request_is_no_error() -> None:
    desk = Desk()
    desk.beats(10, "serve", "watch")
    assert brief(desk.send(replace(beat("serve"), leaving=True))) == [("serve", "healthy")]
    assert desk.beats(60, "watch") == []
    assert brief(desk.send(beat("serve"))) == [("serve", "healthy")]


def test_one_of_two_that_leaves_is_no_news() -> None:
    desk = Desk()
    desk.send(beat("serve", instance="a"))
    desk.send(beat("serve", instance="b"))
    assert desk.send(replace(beat("serve", instance="a"), leaving=True)) == []
    assert desk.beats(60, "serve") == []


def test_a_process_that_left_is_no_error_after_a_restart_of_the_agent_either() -> None:
    before, after = Desk(), Desk()
    before.send(beat("project"))
    (update,) = before.send(replace(beat("project"), leaving=True))
    after.rules.published(update, T0)
    assert after.beats(60, "watch")[1:] == []


def test_a_root_without_reports_is_published_as_unwatched_with_what_is_known_of_it() -> None:
    desk = Desk()
    desk.send(root())
    assert desk.beats(30, "watch") == [("watch", "healthy"), ("movies", "warning")]
    published = desk.rules.report(beat("watch"), desk.at + REPEAT_MS)
    assert [(u.component, u.status) for u in published] == [("movies", "warning")]
    assert isinstance(published[0].details, dict)
    assert (published[0].details["location"], published[0].details["mode"]) == ("/media/movies", "unwatched")
    assert brief(desk.send(root())) == [("movies", "healthy")]


def test_a_retired_root_is_missed_by_nobody() -> None:
    desk = Desk()
    desk.send(root())
    desk.beats(30, "watch")
    assert brief(desk.send(replace(root(message="root movies is retired"), mode="retired"))) == [
        ("movies", "healthy")
    ]
    assert desk.beats(600, "watch") == []
