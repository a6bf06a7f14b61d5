"""`catalogizer alerts`: lists alerts, and tests whether they reach people."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import typer
from msgspec import Struct

from cli.console import print_json, print_note, print_table, run_async
from cli.options import AsJson

if TYPE_CHECKING:
    from schemas.alerts import Alert
    from streams.alerts.attempts import Target

app = typer.Typer(no_args_is_help=True, help="Alerts: list them, test their delivery.")

LEFT = 1
"""Exit code if a target has not accepted the test alert."""

COLUMNS = ("state", "severity", "since", "subject", "what")


class TargetLine(Struct, frozen=True):
    """A target's answer. `taken`: it accepted the test alert."""

    target: str
    taken: bool
    said: str


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the newest alert of each subject, those that fire first. What is resolved is shown too.

    \b
    catalogizer alerts list
    catalogizer alerts list --json | jq -r '.[] | select(.state == "firing") | .subject'
    """
    from cli.installation import find, tool_kafka
    from cli.printable import printable
    from streams.alerts.records import read_alerts

    kafka = tool_kafka(find(), "alerts")
    found = run_async(lambda: read_alerts(kafka))
    alerts = newest([one.alert for one in found])
    if as_json:
        print_json(alerts)
    else:
        rows = [
            (alert.state, alert.severity, alert.at, printable(alert.subject), printable(alert.message))
            for alert in alerts
        ]
        print_table("Alerts", COLUMNS, rows)


@app.command("test")
def test_command(as_json: AsJson = False) -> None:
    """Send a test alert to each target that the settings name, once, and show what each answered. Needs no Kafka.

    Exit code 1 where one has not taken it, or where no target is set.

    \b
    CATALOGIZER_ALERTS__WEBHOOK_URL=https://ntfy.sh/my-catalogizer catalogizer alerts test
    """
    from cli.printable import printable
    from cli.settings import Settings
    from runtime.configuration import load
    from streams.alerts.targets import targets_of

    targets = targets_of(load(Settings).alerts)
    lines = run_async(lambda: _send_to(targets)) if targets else []
    if as_json:
        print_json(lines)
    else:
        for line in lines:
            print(f"{line.target}: {'taken' if line.taken else 'not taken'} ({printable(line.said)})")
    if not targets:
        print_note(
            "no target is set: CATALOGIZER_ALERTS__WEBHOOK_URL, or CATALOGIZER_ALERTS__SMTP_URL with …__MAIL_TO"
        )
    if not all(line.taken for line in lines) or not targets:
        raise typer.Exit(LEFT)


def newest(alerts: list[Alert]) -> list[Alert]:
    """The newest alert of each subject: firing ones first, then by time, newest first."""
    by_subject = {alert.subject: alert for alert in alerts}
    by_time = sorted(by_subject.values(), key=lambda alert: alert.at, reverse=True)
    return sorted(by_time, key=lambda alert: alert.state != "firing")


def test_alert(at: str) -> Alert:
    """A test alert."""
    from cli.commanding import caller_name
    from schemas.alerts import Alert

    return Alert(
        kind="test", subject="test/alerts", severity="warning", state="firing", title="Test of Catalogizer's alerts",
        message=f"nothing is wrong: {caller_name()} tests whether alerts reach you", at=at,
    )  # fmt: skip


async def _send_to(targets: list[Target]) -> list[TargetLine]:
    from runtime.reports import now_iso
    from streams.alerts.attempts import Delivered, Outgoing

    outgoing = Outgoing(f"test-{secrets.token_hex(8)}", test_alert(now_iso()))
    try:
        answers = await asyncio.gather(*(target.send(outgoing) for target in targets))
    finally:
        await asyncio.gather(*(target.close() for target in targets))
    return [
        TargetLine(target.name, isinstance(answer, Delivered), answer.detail)
        for target, answer in zip(targets, answers, strict=True)
    ]
