"""Settings of alerts: when there is one, which ones are brought to people, and how."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from runtime.configuration import Section
from schemas.alerts import Kind, Severity
from streams.alerts.deletions import Limits

SMTP_PORTS = {"smtp": 25, "starttls": 587, "smtps": 465}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9._:-]+")


class AlertSettings(Section):
    """Settings of `catalogizer stream` and `catalogizer alerts`."""

    min_severity: Severity = Field("warning", description="alerts that are less severe are sent to nobody")
    kinds: tuple[Kind, ...] = Field(
        (), description="JSON list of the kinds that are sent; empty: all", examples=['["root_lost","disk_low"]']
    )
    webhook_url: SecretStr | None = Field(
        None, description="http or https address to which each alert is posted as JSON; unset: none"
    )
    webhook_secret: SecretStr | None = Field(
        None, min_length=16, description="by which what is posted is signed; unset: it is not signed"
    )
    smtp_url: str | None = Field(
        None,
        description="`smtp`, `starttls` or `smtps`://user@host:port of the mail server; its password is another setting",
    )
    smtp_password: SecretStr | None = Field(None, description="of the user at the mail server")
    mail_from: str | None = Field(None, description="sender's address")
    mail_to: tuple[str, ...] = Field(
        (),
        max_length=50,
        description="JSON list of addresses, each of which gets a mail of its own",
        examples=['["ops@example.org"]'],
    )
    cafile: Path | None = Field(
        None,
        description="PEM file of the authorities trusted at the webhook and the mail server; unset: the system's",
    )
    mass_deletion_seconds: int = Field(
        60, ge=1, le=3_600, description="within so many seconds it counts as much at once"
    )
    mass_deletion_count: int = Field(
        500, ge=1, description="so many deletions are much where they are the share of the root as well"
    )
    mass_deletion_percent: float = Field(20.0, gt=0, le=100, description="the share of what was in the root, %")
    mass_deletion_many: int = Field(10_000, ge=1, description="so many deletions are much whatever share they are")

    @field_validator("webhook_url")
    @classmethod
    def _is_web(cls, url: SecretStr | None) -> SecretStr | None:
        """The error does not quote the address, because its path is often the only secret."""
        if url is not None:
            text = url.get_secret_value()
            parts = _split(text)
            if (
                parts is None
                or parts.scheme not in ("http", "https")
                or parts.hostname is None
                or _HOST.fullmatch(parts.hostname) is None
                or not text.isascii()
                or not text.isprintable()
                or " " in text
            ):
                raise ValueError("must be an http:// or https:// address")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = _split(url)
        if (
            parts is None
            or parts.scheme not in SMTP_PORTS
            or parts.hostname is None
            or _HOST.fullmatch(parts.hostname) is None
            or parts.path.strip("/")
            or parts.query
            or parts.fragment
        ):
            raise ValueError("must be smtp://, starttls:// or smtps://, then user@host:port")
        if parts.password is not None:
            raise ValueError("the password does not belong here, but into smtp_password, better its file")
        if parts.scheme == "smtp" and parts.username and parts.hostname not in LOOPBACK:
            raise ValueError("smtp:// sends the password in the clear: use starttls:// or smtps://")
        return url

    @field_validator("mail_from", "mail_to")
    @classmethod
    def _are_addresses(cls, given: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        for address in (given,) if isinstance(given, str) else given or ():
            if _ADDRESS.fullmatch(address) is None:
                raise ValueError("must be plain addresses, such as ops@example.org")
        return given

    @model_validator(mode="after")
    def _is_whole(self) -> AlertSettings:
        if self.smtp_url is not None and (self.mail_from is None or not self.mail_to):
            raise ValueError("smtp_url needs mail_from and mail_to")
        if self.mail_to and self.smtp_url is None:
            raise ValueError("mail_to needs smtp_url")
        if self.smtp_url is not None and (urlsplit(self.smtp_url).username is None) != (
            self.smtp_password is None
        ):
            raise ValueError("a user in smtp_url needs smtp_password, and the other way round")
        if self.webhook_secret is not None and self.webhook_url is None:
            raise ValueError("webhook_secret needs webhook_url")
        return self


def limits_of(settings: AlertSettings) -> Limits:
    """The limits for an alert of mass deletion."""
    return Limits(
        window_ms=settings.mass_deletion_seconds * 1000,
        count=settings.mass_deletion_count,
        percent=settings.mass_deletion_percent,
        many=settings.mass_deletion_many,
    )


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        return None
    return parts
