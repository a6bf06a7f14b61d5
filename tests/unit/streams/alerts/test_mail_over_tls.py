"""A mail goes over TLS to a server that is the one named, and to no other; what is wrong is said in one line."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from runtime.errors import SettingsError
from schemas.alerts import Alert
from streams.alerts.attempts import Answer, Delivered, Outgoing, Refused, RetryLater
from streams.alerts.mail import Mail, MailServer
from streams.alerts.settings import AlertSettings
from streams.alerts.targets import targets_of
from streams.alerts.trust import Trust
from streams.alerts.webhook import Webhook
from tests.support.alert_targets import SmtpTarget, http_target, smtp_target
from tests.support.tls import DAY, NOW, Authority

HOST = "127.0.0.1"
TO = "ops@example.org"
TLS = ("starttls", "smtps")
WORD = "sesame"
TAKEN = Delivered("taken by the mail server")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@contextmanager
def serving(scheme: str, context: ssl.SSLContext | None) -> Iterator[SmtpTarget]:
    with smtp_target(scheme, context) as server:
        server.accounts = {"ops": WORD, "jörg": "Ölkännchen"}
        yield server


def mailed(
    server: SmtpTarget,
    trust: Trust,
    *,
    scheme: str | None = None,
    user: str | None = "ops",
    password: str = WORD,
) -> Answer:
    """What comes of one mail."""
    alert = Alert(
        kind="lag", subject="lag/a", severity="warning", state="firing", title="t", message="m", at="2026-11-24T10:30:00Z"
    )  # fmt: skip
    secret = None if user is None else SecretStr(password)
    where = MailServer(
        scheme or server.url.partition(":")[0], HOST, server.port, user, secret, "catalogizer@example.org"
    )
    return asyncio.run(Mail(where, TO, trust).send(Outgoing("id-1", alert)))


@pytest.mark.parametrize("scheme", TLS)
@pytest.mark.parametrize(("user", "password"), [("ops", WORD), ("jörg", "Ölkännchen"), (None, "")])
def test_over_tls_it_signs_in_and_is_taken(
    scheme: str, user: str | None, password: str, authority: Authority
) -> None:
    with serving(scheme, authority.context(HOST, NOW + DAY)) as server:
        assert mailed(server, Trust(authority.file), user=user, password=password) == TAKEN
    assert [(mail.to, mail.sealed, mail.user) for mail in server.mails] == [((TO,), True, user)]


@pytest.mark.parametrize("scheme", TLS)
def test_a_server_that_no_trusted_authority_knows_gets_nothing(
    scheme: str, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    with serving(scheme, Authority(tmp_path / "other").context(HOST, NOW + DAY)) as server:
        answers = [mailed(server, Trust(authority.file)), mailed(server, Trust())]
    for answer in answers:
        assert isinstance(answer, RetryLater)
        assert answer.detail.startswith(f"the certificate of {HOST}:{server.port} is not trusted: ")
        assert answer.detail.endswith("CATALOGIZER_ALERTS__CAFILE names the trusted authorities")
    assert (server.logins, server.mails) == ([], [])


@pytest.mark.parametrize("scheme", TLS)
@pytest.mark.parametrize(("host", "days", "why"), [("localhost", 1, "mismatch"), (HOST, -1, "expired")])
def test_the_certificate_must_be_this_servers_and_of_today(
    scheme: str, host: str, days: int, why: str, authority: Authority
) -> None:
    with serving(scheme, authority.context(host, NOW + days * DAY)) as server:
        answer = mailed(server, Trust(authority.file))
    assert isinstance(answer, RetryLater)
    assert why in answer.detail
    assert (server.logins, server.mails) == ([], [])


def test_without_starttls_nothing_is_sent_in_the_clear(authority: Authority) -> None:
    with serving("starttls", None) as server:
        answer = mailed(server, Trust(authority.file))
    assert answer == Refused(
        f"{HOST}:{server.port} does not offer what starttls:// (CATALOGIZER_ALERTS__SMTP_URL) requires: "
        "STARTTLS extension not supported by server."
    )
    assert (server.logins, server.mails) == ([], [])


def test_a_server_that_has_no_tls_just_now_is_tried_again(authority: Authority) -> None:
    with serving("starttls", authority.context(HOST, NOW + DAY)) as server:
        server.starttls = "454 4.7.0 not now"
        assert mailed(server, Trust(authority.file)) == RetryLater("SMTP 454: 4.7.0 not now")
    assert (server.logins, server.mails) == ([], [])


def test_tls_at_a_port_without_it_is_named(authority: Authority) -> None:
    with serving("smtp", None) as server:
        answer = mailed(server, Trust(authority.file), scheme="smtps")
    assert answer == RetryLater(
        f"{HOST}:{server.port} does not speak TLS: it is another port, or another protocol"
    )


@pytest.mark.parametrize("scheme", TLS)
@pytest.mark.parametrize("user", ["ops", "jörg"])
def test_a_refused_password_is_final_and_not_shown(scheme: str, user: str, authority: Authority) -> None:
    with serving(scheme, authority.context(HOST, NOW + DAY)) as server:
        answer = mailed(server, Trust(authority.file), user=user, password="canary")
    assert answer == Refused("SMTP 535: 5.7.8 no such user")
    assert server.mails == []


def test_a_server_that_is_away_is_tried_again(authority: Authority) -> None:
    with serving("smtps", authority.context(HOST, NOW + DAY)) as server:
        pass
    answer = mailed(server, Trust(authority.file))
    assert isinstance(answer, RetryLater)
    assert answer.detail.startswith(f"{HOST}:{server.port}: ConnectionRefusedError: ")


@pytest.mark.parametrize(
    ("content", "fault"), [(None, "cannot be read: No such file or directory"), ("", "has no certificate in PEM")]
)
def test_a_file_of_authorities_that_is_none_is_named(content: str | None, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    line = f"CATALOGIZER_ALERTS__CAFILE: {file} {fault}"
    with pytest.raises(SettingsError) as caught:
        targets_of(AlertSettings(cafile=file))
    assert caught.value.faults == (line,)
    with serving("smtp", None) as server:  # it went away while the process ran
        assert mailed(server, Trust(file), scheme="smtps") == RetryLater(line)


@pytest.mark.parametrize("trusted", [True, False])
def test_a_webhook_over_tls_trusts_the_same_authorities(trusted: bool, authority: Authority) -> None:
    alert = Alert(
        kind="lag", subject="lag/a", severity="warning", state="firing", title="t", message="m", at="2026-11-24T10:30:00Z"
    )  # fmt: skip

    async def post(url: str, trust: Trust) -> Answer:
        hook = Webhook(SecretStr(url), None, trust)
        try:
            return await hook.send(Outgoing("id-1", alert))
        finally:
            await hook.close()

    with http_target(authority.context(HOST, NOW + DAY)) as web:
        answer = asyncio.run(post(web.url, Trust(authority.file if trusted else None)))
    if trusted:
        assert (answer, web.ids) == (Delivered("HTTP 204"), ["id-1"])
    else:
        assert isinstance(answer, RetryLater)
        assert answer.detail.startswith("the certificate of 127.0.0.1:")
        assert web.ids == []
