"""What targets answer, what they are sent, and what nobody is shown."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from schemas.alerts import Alert
from streams.alerts.attempts import (
    Answer,
    Delivered,
    Outgoing,
    Refused,
    RetryLater,
    of_http,
    of_smtp,
    one_line,
    wait_seconds,
)
from streams.alerts.mail import MailServer, message_of
from streams.alerts.settings import AlertSettings
from streams.alerts.targets import targets_of, wanted_of
from streams.alerts.trust import Trust
from streams.alerts.webhook import Webhook, signature

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "retry_after", "expected"),
    [
        (200, None, Delivered("HTTP 200: said")),
        (204, None, Delivered("HTTP 204: said")),
        (302, None, Refused("HTTP 302: it redirects, which is not followed")),
        (400, None, Refused("HTTP 400: said")),
        (401, None, Refused("HTTP 401: said")),
        (410, None, Refused("HTTP 410: said")),
        (408, None, RetryLater("HTTP 408: said")),
        (425, None, RetryLater("HTTP 425: said")),
        (429, "120", RetryLater("HTTP 429: said", 120.0)),
        (503, "Tue, 24 Nov 2026 10:31:00 GMT", RetryLater("HTTP 503: said", 60.0)),
        (503, "Tue, 24 Nov 2026 10:29:00 GMT", RetryLater("HTTP 503: said", 0.0)),
        (500, "soon", RetryLater("HTTP 500: said")),
        (500, "-5", RetryLater("HTTP 500: said")),
        (599, None, RetryLater("HTTP 599: said")),
    ],
)
def test_what_a_status_means(status: int, retry_after: str | None, expected: Answer) -> None:
    assert of_http(status, retry_after, "said", NOW) == expected


def test_a_mail_server_may_take_later_what_it_refuses_with_a_four() -> None:
    answers = [of_smtp(code, "said") for code in (421, 450, 535, 550, -1)]
    assert [type(answer) for answer in answers] == [RetryLater, RetryLater, Refused, Refused, RetryLater]


def test_a_target_is_not_tried_before_the_time_it_names_and_given_up_after_ten_minutes() -> None:
    assert wait_seconds(RetryLater(""), 4.0, 10.0) == 4.0
    assert wait_seconds(RetryLater("", 90.0), 4.0, 10.0) == 90.0
    assert wait_seconds(RetryLater("", 3_600.0), 4.0, 10.0) is None
    assert wait_seconds(RetryLater(""), 120.0, 500.0) is None


def alert(title: str = "t", severity: str = "error") -> Alert:
    return Alert(
        kind="root_lost", subject="root_lost/m", severity="error" if severity == "error" else "warning", state="firing",
        title=title, message=title, at="2026-11-24T10:30:00.123Z", root=title, details={title: title},
    )  # fmt: skip


@settings(deadline=None)
@given(st.text())
def test_no_name_of_a_root_makes_a_header_or_a_line_of_its_own(name: str) -> None:
    mail = message_of(Outgoing("id-1", alert(name)), "catalogizer@example.org", "ops@example.org")
    written = mail.as_bytes()
    parsed = message_from_bytes(written, policy=default)
    assert [*parsed.keys()] == [
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "X-Catalogizer-Id", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version",
    ]  # fmt: skip
    # without its spaces: where the library folds between two encoded words it may lose one (RFC 2047, 6.2)
    assert "".join(parsed["Subject"].split()) == "".join(one_line(f"[error] {name}", 150).split())
    assert len(parsed.get_content().split("\n")) <= 9
    assert written.isascii()


def test_a_line_of_others_neither_ends_nor_turns_and_is_short() -> None:
    assert one_line("a\r\nb\u202e\x1b[31mc\u2028d\0") == "a b [31mc d"
    assert len(one_line("x" * 1_000)) == 300


def test_the_signature_is_of_time_and_body() -> None:
    first = signature("s" * 16, "1", b"{}")
    others = {signature("s" * 16, "2", b"{}"), signature("s" * 16, "1", b"[]"), signature("t" * 16, "1", b"{}")}
    assert first.startswith("v1=")
    assert len({first, *others}) == 4


def test_what_a_target_quotes_of_its_address_is_not_shown() -> None:
    hook = Webhook(
        SecretStr("https://hooks.example.org/services/T0KEN01/s%2Fcr3t00?key=abcdef99"),
        SecretStr("s" * 16),
        Trust(),
    )
    for said in ("no /services/T0KEN01/s%2Fcr3t00?key=abcdef99", "T0KEN01", "s/cr3t00", "abcdef99", "s" * 16):
        shown = hook._shown(f"<{said}>")
        assert "***" in shown
        assert not any(secret in shown for secret in ("T0KEN01", "cr3t00", "abcdef99", "ssss"))


@pytest.mark.parametrize(
    "given",
    [
        {"webhook_url": "ftp://example.org"},
        {"webhook_url": "https://"},
        {"webhook_url": "https://example.org/\r\nX: y"},
        {"webhook_url": "https://example.org:http"},
        {"webhook_secret": "x" * 16},
        {"webhook_url": "https://example.org", "webhook_secret": "short"},
        {"smtp_url": "smtp://mail"},
        {"smtp_url": "smtp://mail", "mail_from": "a@b.org"},
        {"mail_to": ["a@b.org"]},
        {"smtp_url": "smtp://user:canary@mail", "mail_from": "a@b.org", "mail_to": ["a@b.org"]},
        {"smtp_url": "smtp://user@mail", "smtp_password": "p", "mail_from": "a@b.org", "mail_to": ["a@b.org"]},
        {"smtp_url": "smtps://user@mail", "mail_from": "a@b.org", "mail_to": ["a@b.org"]},
        {"smtp_url": "smtp://mail/x", "mail_from": "a@b.org", "mail_to": ["a@b.org"]},
        {"smtp_url": "smtp://mail", "mail_from": "a@b.org\r\nBcc: c@d.org", "mail_to": ["a@b.org"]},
        {"smtp_url": "smtp://mail", "mail_from": "a@b.org", "mail_to": ["a <a@b.org>"]},
        {"kinds": ["no_such"]},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AlertSettings.model_validate(given)


def test_each_address_is_a_target_of_its_own_and_without_any_there_is_none() -> None:
    settings = AlertSettings.model_validate(
        {
            "webhook_url": "https://example.org/x", "smtp_url": "starttls://us%40er@mail:26", "smtp_password": "p",
            "mail_from": "a@b.org", "mail_to": ["c@d.org", "e@f.org"],
        }
    )  # fmt: skip
    assert [target.name for target in targets_of(settings)] == ["webhook", "mail:c@d.org", "mail:e@f.org"]
    assert targets_of(AlertSettings()) == []
    server = MailServer.of("starttls://us%40er@mail", SecretStr("p"), "a@b.org")
    assert (server.scheme, server.host, server.port, server.user) == ("starttls", "mail", 587, "us@er")


def test_severity_and_kinds_say_what_is_sent() -> None:
    assert wanted_of(AlertSettings())(alert(severity="warning"))
    assert not wanted_of(AlertSettings(min_severity="error"))(alert(severity="warning"))
    assert wanted_of(AlertSettings(min_severity="error"))(alert())
    assert not wanted_of(AlertSettings(kinds=("lag",)))(alert())
    assert wanted_of(AlertSettings(kinds=("root_lost",)))(alert())
