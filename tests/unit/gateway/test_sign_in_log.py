"""A flood of failed sign-ins costs a bounded number of lines, and all of them are counted."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from gateway.access.sign_in_log import LINES_AT_ONCE, SignInLog

REPORT_AFTER_SECONDS = 0.01


class Refusals:
    """An audit log that other tests check."""

    def refused(
        self, action: str, by: str, subject: str, /, *, address: str, why: str, way: str | None = None
    ) -> None:
        """Ignore it."""


async def flood(tries: int) -> None:
    """So many at once, and wait until the rest must have been reported."""
    log, reported = SignInLog(Refusals(), REPORT_AFTER_SECONDS), asyncio.Event()
    for _ in range(tries):
        log.refused("root", "10.0.0.9", "no such account")
    asyncio.get_running_loop().call_later(REPORT_AFTER_SECONDS, reported.set)
    await reported.wait()


def test_a_flood_is_bounded_and_what_was_not_logged_is_counted() -> None:
    with capture_logs() as lines:
        asyncio.run(flood(1_000))
    refused = [line for line in lines if line["event"] == "sign-in refused"]
    assert LINES_AT_ONCE <= len(refused) < 2 * LINES_AT_ONCE
    assert refused[0] == {
        "event": "sign-in refused",
        "log_level": "warning",
        "name": "root",
        "address": "10.0.0.9",
        "why": "no such account",
    }
    (rest,) = (line for line in lines if line not in refused)
    assert (rest["log_level"], rest["unlogged"]) == ("warning", 1_000 - len(refused))


def test_a_few_are_logged_each_and_nothing_else_is() -> None:
    with capture_logs() as lines:
        asyncio.run(flood(3))
    assert [line["event"] for line in lines] == ["sign-in refused"] * 3


def test_who_signs_in_elsewhere_is_logged_with_where_and_why_not() -> None:
    with capture_logs() as lines:
        log = SignInLog(Refusals())
        log.signed_in("corp:anna", "10.0.0.9", way="oidc:corp")
        log.refused("", "10.0.0.9", "no rights", way="oidc:corp")
        log.signed_out_by("oidc:corp", "10.0.0.8", 2)
    assert [(line["event"], line["way"]) for line in lines] == [
        ("signed in", "oidc:corp"),
        ("sign-in refused", "oidc:corp"),
        ("signed out by the provider", "oidc:corp"),
    ]
    assert (lines[0]["name"], lines[1]["name"], lines[1]["why"]) == ("corp:anna", "(not known)", "no rights")
    assert lines[2]["sessions"] == 2
