"""A target: one address of a mail server. Each address is a target of its own, so that the others get a mail once if one is
refused.

The standard library's client blocks, so it works in a thread of its own, which the process does not wait for when it ends.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import smtplib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from runtime.errors import SettingsError
from schemas.system import Scalar
from streams.alerts.attempts import Answer, Delivered, Outgoing, Refused, RetryLater, of_smtp, one_line, without
from streams.alerts.settings import SMTP_PORTS
from streams.alerts.trust import Trust, fault_of

ANSWER_SECONDS = 10.0
"""Time limit for each answer of the server."""
TOTAL_SECONDS = 60.0
MAX_SUBJECT = 150


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server to which mails are submitted. `scheme`: smtp, starttls or smtps."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: SecretStr | None
    sender: str

    @property
    def address(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"

    @classmethod
    def of(cls, url: str, password: SecretStr | None, sender: str) -> MailServer:
        """The mail server of the settings."""
        parts = urlsplit(url)
        user = None if parts.username is None else unquote(parts.username)
        port = parts.port or SMTP_PORTS[parts.scheme]
        return cls(parts.scheme, parts.hostname or "", port, user, password, sender)


def message_of(outgoing: Outgoing, sender: str, to: str) -> EmailMessage:
    """The mail. Whatever characters a root's name has, it stays on its line and cannot become a header."""
    alert = outgoing.alert
    mail = EmailMessage(policy=SMTP)
    how = "resolved" if alert.state == "resolved" else alert.severity
    mail["Subject"] = one_line(f"[{how}] {alert.title}", MAX_SUBJECT)
    mail["From"] = sender
    mail["To"] = to
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{outgoing.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Catalogizer-Id"] = outgoing.id
    facts: dict[str, Scalar] = {
        "kind": alert.kind,
        "state": alert.state,
        "severity": alert.severity,
        "at": alert.at,
    }
    facts |= {"library": alert.library, "root": alert.root, **alert.details} if alert.state == "firing" else {}
    lines = [one_line(alert.message, 4_000), "", *(_fact(name, value) for name, value in facts.items() if value)]
    mail.set_content("\n".join(lines) + "\n", cte="quoted-printable")
    return mail


class Mail:
    """Mails to one address."""

    def __init__(self, server: MailServer, to: str, trust: Trust) -> None:
        self.name = f"mail:{to}"
        self._server = server
        self._to = to
        self._trust = trust
        secret = "" if server.password is None else server.password.get_secret_value()
        self._secrets = [secret] if secret else []

    async def send(self, outgoing: Outgoing) -> Answer:
        """Submit the mail once."""
        mail = message_of(outgoing, self._server.sender, self._to)
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                answer = await in_thread(lambda: self._hand_in(mail))
        except TimeoutError:
            return RetryLater(f"the mail server has not taken it within {TOTAL_SECONDS:g} s")
        match answer:
            case Delivered(detail):
                return Delivered(self._shown(detail))
            case RetryLater(detail):
                return RetryLater(self._shown(detail))
            case Refused(detail):
                return Refused(self._shown(detail))

    async def close(self) -> None:
        """Nothing is kept open."""

    def _hand_in(self, mail: EmailMessage) -> Answer:
        try:
            with contextlib.closing(self._connect()) as smtp:
                smtp.send_message(mail, self._server.sender, [self._to])
                with contextlib.suppress(
                    smtplib.SMTPException, OSError
                ):  # the server has accepted the mail, whatever follows
                    smtp.quit()
        except smtplib.SMTPRecipientsRefused as error:
            return of_smtp(*_first(error))
        except smtplib.SMTPResponseException as error:
            return of_smtp(error.smtp_code, _text(error.smtp_error))
        except smtplib.SMTPServerDisconnected as error:
            return RetryLater(str(error))
        except smtplib.SMTPNotSupportedError as error:
            needs = f"{self._server.scheme}:// (CATALOGIZER_ALERTS__SMTP_URL) requires"
            return Refused(f"{self._server.address} does not offer what {needs}: {error}")
        except smtplib.SMTPException as error:
            return Refused(str(error))
        except SettingsError as error:
            return RetryLater(str(error))
        except OSError as error:
            return RetryLater(fault_of(error, self._server.address))
        return Delivered("taken by the mail server")

    def _connect(self) -> smtplib.SMTP:
        server, name = self._server, socket.gethostname()
        if server.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host,
                server.port,
                local_hostname=name,
                timeout=ANSWER_SECONDS,
                context=self._trust.context(),
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=ANSWER_SECONDS)
        try:
            if server.scheme == "starttls":
                smtp.starttls(context=self._trust.context())
            if server.user is not None and server.password is not None:
                _sign_in(smtp, server.user, server.password.get_secret_value())
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _shown(self, text: str) -> str:
        return one_line(without(text, self._secrets))


async def in_thread(work: Callable[[], Answer]) -> Answer:
    """Do the work in a thread that ends with the process at the latest; returns its result."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Answer] = loop.create_future()

    def settle(answer: Answer | Exception) -> None:
        if done.done():
            return
        if isinstance(answer, Exception):
            done.set_exception(answer)
        else:
            done.set_result(answer)

    def run() -> None:
        try:
            answer: Answer | Exception = work()
        except Exception as error:  # noqa: BLE001 - a thread's outermost frame: it is raised where it is waited for
            answer = error
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nothing waits
            loop.call_soon_threadsafe(settle, answer)

    threading.Thread(target=run, daemon=True, name="mail").start()
    return await done


def _sign_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    """Raises SMTPException if the server does not admit us. The library's own sign-in fails at other characters than
    ASCII, which PLAIN sends in UTF-8 (RFC 4616)."""
    if (user + password).isascii():
        smtp.login(user, password)
        return
    smtp.ehlo_or_helo_if_needed()
    if "PLAIN" not in smtp.esmtp_features.get("auth", "").split():
        raise smtplib.SMTPNotSupportedError("AUTH PLAIN, for a password with other characters than ASCII")
    code, answer = smtp.docmd("AUTH", "PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()).decode())
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _fact(name: str, value: object) -> str:
    return f"{one_line(name, 40)}: {one_line(str(value))}"


def _first(error: smtplib.SMTPRecipientsRefused) -> tuple[int, str]:
    code, detail = next(iter(error.recipients.values()))
    return code, _text(detail)


def _text(detail: bytes | str) -> str:
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else detail
