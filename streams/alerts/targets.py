"""Which targets are configured, and which alerts are sent."""

from __future__ import annotations

from collections.abc import Callable

from schemas.alerts import Alert
from streams.alerts.attempts import Target
from streams.alerts.mail import Mail, MailServer
from streams.alerts.settings import AlertSettings
from streams.alerts.trust import Trust
from streams.alerts.webhook import Webhook


def targets_of(settings: AlertSettings) -> list[Target]:
    """Every target; none if none is configured. Raises SettingsError if the file of authorities is none."""
    targets: list[Target] = []
    trust = Trust(settings.cafile)
    trust.context()
    if settings.webhook_url is not None:
        targets.append(Webhook(settings.webhook_url, settings.webhook_secret, trust))
    if settings.smtp_url is not None and settings.mail_from is not None:
        server = MailServer.of(settings.smtp_url, settings.smtp_password, settings.mail_from)
        targets += [Mail(server, to, trust) for to in settings.mail_to]
    return targets


def wanted_of(settings: AlertSettings) -> Callable[[Alert], bool]:
    """Whether an alert is sent. A resolved alert has the severity that its subject had, so that it is sent if the
    firing one was."""

    def wanted(alert: Alert) -> bool:
        is_severe = settings.min_severity == "warning" or alert.severity == "error"
        return is_severe and (not settings.kinds or alert.kind in settings.kinds)

    return wanted
