"""`alerts test` shows what each target answers, and nothing that is secret; `alerts list` what is wrong now."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cli.alerts import newest
from cli.main import app
from schemas.alerts import Alert
from tests.support.alert_targets import Reply, http_target, smtp_target

PREFIX = "CATALOGIZER_ALERTS__"


def alert(subject: str, state: str, at: str) -> Alert:
    return Alert(
        kind="lag", subject=subject, severity="warning", state="firing" if state == "firing" else "resolved", title="t",
        message="m", at=at,
    )  # fmt: skip


def test_each_target_gets_one_and_its_answer_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_target() as web, smtp_target() as mail:
        web.replies = [Reply(403, body=b"nobody posts to /hooks/canary-path")]
        monkeypatch.setenv(f"{PREFIX}WEBHOOK_URL", web.url)
        monkeypatch.setenv(f"{PREFIX}SMTP_URL", mail.url)
        monkeypatch.setenv(f"{PREFIX}MAIL_FROM", "a@example.org")
        monkeypatch.setenv(f"{PREFIX}MAIL_TO", '["b@example.org"]')
        done = CliRunner().invoke(app, ["alerts", "test", "--json"])
        shown = CliRunner().invoke(app, ["alerts", "test"])
    assert (done.exit_code, shown.exit_code) == (1, 0)
    assert json.loads(done.stdout) == [
        {"target": "webhook", "taken": False, "said": "HTTP 403: nobody posts to ***"},
        {"target": "mail:b@example.org", "taken": True, "said": "taken by the mail server"},
    ]
    assert shown.stdout.splitlines() == [
        "webhook: taken (HTTP 204)", "mail:b@example.org: taken (taken by the mail server)"
    ]  # fmt: skip
    assert {posted.alert["kind"] for posted in web.posted} == {"test"}
    assert len(mail.to("b@example.org")) == 2


def test_without_a_target_it_shows_how_to_set_one() -> None:
    done = CliRunner().invoke(app, ["alerts", "test"])
    assert done.exit_code == 1
    assert "no target is set: CATALOGIZER_ALERTS__WEBHOOK_URL" in done.output


def test_the_newest_of_each_subject_is_listed_those_that_fire_first() -> None:
    log = [
        alert("lag/a", "firing", "2026-01-01"), alert("lag/b", "firing", "2026-01-02"),
        alert("lag/b", "resolved", "2026-01-03"), alert("lag/c", "firing", "2026-01-04"),
    ]  # fmt: skip
    assert newest(log) == [log[3], log[0], log[2]]
