"""An alert reaches everybody it is meant for: once where nothing goes wrong, and at least once whatever does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata

from cli.provisioning.topics import apply
from runtime.dlq.redriving import redrive
from runtime.epochs import read_epochs
from runtime.kafka import Kafka
from schemas.alerts import Alert
from schemas.codec import encode
from schemas.headers import X_EXCEPTION_MESSAGE, X_TARGETS, event_headers
from schemas.topics import ALERTS, dlq_of
from streams.alerts.pending import Line
from tests.support.alert_targets import HttpTarget, Reply, SmtpTarget, http_target, smtp_target
from tests.support.alert_worker import AlertWorker, alerting
from tests.support.committed import Read
from tests.support.letters import all_open
from tests.support.operator import Operator
from tests.support.tls import DAY, NOW, Authority
from tests.support.topic import NewRecord, group_offsets, header, read, write
from tests.support.waiting import wait_until

SECRET = "canary-secret-of-the-webhook"
ONE, TWO = "one@example.org", "two@example.org"
HOSTILE = "movies\r\nBcc: everybody@example.org\r\n\r\n\u202eevil"


def said(number: int, *, severity: str = "error", title: str = "Root movies is lost") -> NewRecord:
    alert = Alert(
        kind="root_lost", subject=f"root_lost/{number}", severity="error" if severity == "error" else "warning",
        state="firing", title=title, message=f"it is {number}", at="2026-11-24T10:30:00.123Z", root="movies",
    )  # fmt: skip
    headers = event_headers(id=f"id-{number}", type="alert", source="s", time=alert.at, subject=alert.subject)
    return NewRecord(ALERTS, encode(alert), alert.subject.encode(), 0, tuple(headers))


def by_web(target: HttpTarget, **more: object) -> dict[str, object]:
    return {"webhook_url": target.url, "webhook_secret": SECRET, **more}


def by_mail(target: SmtpTarget, *to: str) -> dict[str, object]:
    return {"smtp_url": target.url, "mail_from": "catalogizer@example.org", "mail_to": to}


def documented(name: str) -> Callable[..., bool]:
    """A function as the documents show it to receivers."""
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    (block,) = [text for text in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S) if f"def {name}(" in text]
    defined: dict[str, Callable[..., bool]] = {}
    exec(block, defined)  # noqa: S102 - of our own document
    return defined[name]


def letters(kafka: Kafka) -> list[Read]:
    return [one for one in read(kafka, dlq_of(ALERTS)) if header(one, X_EXCEPTION_MESSAGE)]


def committed(kafka: Kafka) -> int:
    return group_offsets(kafka, kafka.group("alerts")).get((kafka.name(ALERTS), 0), 0)


def settled(kafka: Kafka, offset: int) -> None:
    wait_until(lambda: committed(kafka) == offset, 30, what="the offset to be committed", every=0.2)


def test_what_is_posted_is_signed_and_retried_until_it_is_accepted(kafka: Kafka, tmp_path: Path) -> None:
    with http_target() as web:
        web.replies = [Reply(500), Reply(429, {"Retry-After": "1"}), Reply(200, body=b"ok")]
        write(kafka, said(1), said(2, severity="warning"), said(3))
        with alerting(kafka, by_web(web, min_severity="error"), tmp_path) as worker:
            wait_until(lambda: len(web.posted) == 4, 30, what="two alerts")
            settled(kafka, 3)
    assert web.ids == ["id-1", "id-1", "id-1", "id-3"]
    assert web.posted[2].at - web.posted[1].at >= 1.0
    posted = web.posted[2]
    assert posted.alert == {
        "id": "id-1", "kind": "root_lost", "subject": "root_lost/1", "severity": "error", "state": "firing",
        "title": "Root movies is lost", "message": "it is 1", "at": "2026-11-24T10:30:00.123Z", "library": None,
        "root": "movies", "details": {}, "text": "[error] Root movies is lost\nit is 1",
    }  # fmt: skip
    is_ours = documented("is_ours")
    assert is_ours(SECRET, posted.headers, posted.body)
    assert not is_ours(SECRET, posted.headers, posted.body + b" ")
    assert not is_ours(SECRET + "x", posted.headers, posted.body)
    assert not is_ours(SECRET, {**posted.headers, "X-Catalogizer-Timestamp": "1700000000"}, posted.body)
    assert posted.headers["X-Catalogizer-Id"] == "id-1"
    assert letters(kafka) == []
    text = worker.log.read_text()
    assert "HTTP 429" in text
    assert "canary" not in text


def test_what_a_target_refuses_is_a_dead_letter_and_is_given_back_to_that_target_alone(
    kafka: Kafka, tmp_path: Path
) -> None:
    with http_target() as web, smtp_target() as mail:
        web.replies = [Reply(302, {"Location": f"{web.url}/elsewhere"})]
        mail.refusals = {ONE: ["450 4.2.0 later"], TWO: ["550 5.1.1 nobody here"]}
        write(kafka, said(1, title=f"Root {HOSTILE} is lost"))
        with alerting(kafka, by_web(web) | by_mail(mail, ONE, TWO), tmp_path):
            settled(kafka, 1)
            (letter,) = letters(kafka)
            assert (len(web.posted), len(mail.to(ONE)), len(mail.to(TWO))) == (1, 1, 0)
            assert header(letter, X_TARGETS) == f"mail:{TWO},webhook"
            assert header(letter, X_EXCEPTION_MESSAGE) == (
                "mail:two@example.org: SMTP 550: 5.1.1 nobody here; webhook: HTTP 302: it redirects, which is not followed"
            )
            asyncio.run(redrive(kafka, all_open(ALERTS)))
            wait_until(lambda: len(mail.to(TWO)) == 1 and len(web.posted) == 2, 30, what="the others")
            settled(kafka, 3)  # with the end of the redrive's transaction
        assert len(mail.to(ONE)) == 1
    assert web.ids == ["id-1", "id-1"]
    parsed = message_from_bytes(mail.to(ONE)[0], policy=default)
    assert parsed["Subject"] == "[error] Root movies Bcc: everybody@example.org evil is lost"
    assert (parsed["Bcc"], parsed["To"], parsed["Message-ID"]) == (None, ONE, "<id-1@example.org>")
    assert "it is 1" in parsed.get_content()
    assert message_from_bytes(mail.to(TWO)[0], policy=default)["Message-ID"] == "<id-1@example.org>"
    whole = b"".join(value for _, value in letter.headers) + (letter.value or b"")
    assert b"canary" not in whole


def test_killed_between_sending_and_committing_it_delivers_again_under_the_same_id(
    kafka: Kafka, tmp_path: Path
) -> None:
    with http_target() as web:
        write(kafka, said(1), said(2))
        for point in ("after_send", "before_commit"):
            AlertWorker(kafka, by_web(web), tmp_path, point).wait_killed()
            assert web.ids[-1] in ("id-1", "id-2")
            assert committed(kafka) == 0
        before = len(web.ids)
        with alerting(kafka, by_web(web), tmp_path):
            settled(kafka, 2)
    assert web.ids[0] == "id-1"
    assert web.ids[before:] == ["id-1", "id-2"]


def test_an_offset_of_a_former_topic_is_no_position_in_the_new_one(kafka: Kafka, tmp_path: Path) -> None:
    """A member that lives on while its topic is deleted and created again commits what it knows."""
    with http_target() as web:
        write(kafka, *(said(number) for number in range(3)))
        with alerting(kafka, by_web(web), tmp_path):
            settled(kafka, 3)
        epoch = asyncio.run(read_epochs(kafka))[ALERTS.name].epoch
        Operator(kafka).make_anew(ALERTS)
        asyncio.run(apply(kafka))
        wait_until(lambda: asyncio.run(_commits(kafka, 3, epoch)), 30, what="the session to end", every=0.2)
        write(kafka, *(said(number) for number in range(10, 15)))
        with alerting(kafka, by_web(web), tmp_path):
            settled(kafka, 5)
    assert web.ids == [f"id-{number}" for number in (*range(3), *range(10, 15))]


async def _commits(kafka: Kafka, offset: int, epoch: str) -> bool:
    """Commit it, which a group with members refuses."""
    consumer, place = kafka.group_consumer(kafka.group("alerts")), TopicPartition(kafka.name(ALERTS), 0)
    await consumer.start()
    try:
        consumer.assign([place])
        await consumer.commit({place: OffsetAndMetadata(offset, Line((), offset, {}).metadata(epoch))})
    except CommitFailedError:
        return False
    finally:
        await consumer.stop()
    return True


def test_a_slow_target_delays_no_other_and_after_a_restart_only_it_is_tried_again(
    kafka: Kafka, tmp_path: Path
) -> None:
    with http_target() as web, smtp_target() as mail:
        web.rest = Reply(204, seconds=60)
        write(kafka, *(said(number) for number in range(3)))
        worker = AlertWorker(kafka, by_web(web) | by_mail(mail, ONE), tmp_path)
        wait_until(lambda: len(mail.mails) == 3, 30, what="the mails")
        worker.end()
        web.rest = Reply(204)
        with alerting(kafka, by_web(web) | by_mail(mail, ONE), tmp_path):
            settled(kafka, 3)
    assert web.ids == ["id-0", "id-0", "id-1", "id-2"]
    assert len(mail.mails) == 3


def test_what_no_target_answers_to_in_time_and_what_is_no_alert_are_dead_letters(
    kafka: Kafka, tmp_path: Path
) -> None:
    with http_target() as web, smtp_target() as mail:
        web.rest = Reply(503, body=f"not at {web.url}".encode())
        write(kafka, NewRecord(ALERTS, b"{no alert"), said(1))
        signing_in = by_mail(mail, ONE) | {
            "smtp_url": mail.url.replace("//", "//user@"), "smtp_password": "canary-password",
        }  # fmt: skip
        with alerting(kafka, by_web(web) | signing_in, tmp_path) as worker:
            settled(kafka, 2)
    reasons = [header(letter, X_EXCEPTION_MESSAGE) for letter in letters(kafka)]
    assert "JSON is malformed" in reasons[0]
    assert reasons[1].startswith("mail:one@example.org: SMTP 535: 5.7.8 no such user; webhook: given up after ")
    assert reasons[1].endswith(" s: HTTP 503: not at ***")
    assert "canary" not in worker.log.read_text()
    assert len(mail.logins) == 1


def test_mail_over_tls_is_delivered_and_with_the_wrong_authority_is_a_dead_letter_after_retries(
    kafka: Kafka, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    ours, theirs = Authority(tmp_path), Authority(tmp_path / "other")
    with smtp_target("starttls", theirs.context("127.0.0.1", NOW + DAY)) as mail:
        mail.accounts = {"user": "canary-password"}
        signing_in = by_mail(mail, ONE) | {
            "smtp_url": mail.url.replace("//", "//user@"), "smtp_password": "canary-password",
        }  # fmt: skip
        write(kafka, said(1))
        with alerting(kafka, signing_in | {"cafile": str(ours.file)}, tmp_path):
            settled(kafka, 1)
        (letter,) = letters(kafka)
        reason = header(letter, X_EXCEPTION_MESSAGE) or ""
        assert re.fullmatch(
            rf"mail:one@example\.org: given up after \d s: the certificate of 127\.0\.0\.1:{mail.port} is not trusted: "
            r"[^;]+; CATALOGIZER_ALERTS__CAFILE names the trusted authorities",
            reason,
        ), reason
        assert mail.connections >= 3
        assert (mail.logins, mail.mails) == ([], [])
        with alerting(kafka, signing_in | {"cafile": str(theirs.file)}, tmp_path):
            asyncio.run(redrive(kafka, all_open(ALERTS)))
            wait_until(lambda: len(mail.mails) == 1, 30, what="the mail")
    (handed,) = mail.mails
    assert (handed.to, handed.sealed, handed.user) == ((ONE,), True, "user")
