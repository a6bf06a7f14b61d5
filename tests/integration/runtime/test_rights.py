"""Rights that an operator takes away while the processes run: nothing is lost, each reports in one line who may not do what
with which topic, and it goes on when the right is back, by itself or started again as its supervisor does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from cli.audit.auditing import AuditScope, audit
from cli.progress import Stages
from runtime.errors import NotAllowed
from runtime.log_reading import read_whole
from schemas.acls import Acl, Component
from schemas.topics import CHANGES, CONTROL, LEASES, MEDIA_UPDATES, META, NOTIFICATIONS, RAW, REPORTS, Topic
from tests.support.closed_platform import ClosedPlatform, right
from tests.support.waiting import wait_until

TOLD_SECONDS = 60.0
ARRIVED_SECONDS = 60.0
ENDING: tuple[Component, ...] = ("stream", "project")
"""They end where a right is missing; the others go on with what they hold: unsent observations, open sockets."""


@pytest.fixture(scope="module")
def platform(
    kafka_jars: tuple[Path, ...], tables: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClosedPlatform]:
    """All four processes."""
    platform = ClosedPlatform(tmp_path_factory.mktemp("closed"), kafka_jars, tables)
    try:
        platform.start()
        yield platform
    finally:
        platform.end()


def words(acl: Acl) -> str:
    return f"{acl.principal} may not {acl.operation} {acl.resource} {acl.name}"


def told(platform: ClosedPlatform, component: Component, acl: Acl) -> bool:
    """Whether a process reports it in its health, or has ended with the line."""
    if component in ENDING:
        return platform.ended(component) == 1 and platform.lines(component)[-1].startswith(
            f"error: {words(acl)}: "
        )
    return words(acl) in platform.problems(component)


def catalogued(tables: str) -> set[str]:
    with psycopg.connect(tables) as connection:
        return {str(row[0]) for row in connection.execute("SELECT path FROM media_files WHERE deleted_at IS NULL")}


def announcements(platform: ClosedPlatform) -> list[str]:
    """The files published as new, once for each time."""
    return [change["path"] for change in values(platform, CHANGES) if change["kind"] == "created"]


def values(platform: ClosedPlatform, topic: Topic) -> list[dict[str, Any]]:
    """What stands in a topic of one partition."""
    records = asyncio.run(read_whole(platform.operators, topic))
    return [msgspec.json.decode(record.value or b"{}") for record in records]


NAMES = tuple(f"film {n}.mkv" for n in range(30))


def test_what_happens_meanwhile_arrives_once_when_the_rights_are_back(
    platform: ClosedPlatform, tables: str
) -> None:
    lost: dict[Component, Acl] = {
        "watch": right("watch", "Write", RAW.name),
        "stream": right("stream", "Write", CHANGES.name),
        "project": right("project", "Read", CHANGES.name),
        "serve": right("serve", "Read", MEDIA_UPDATES.name),
    }
    rights = dict(lost)
    before = {component: len(platform.lines(component)) for component in lost}
    (platform.root / NAMES[0]).write_bytes(b"0")
    wait_until(lambda: NAMES[0] in catalogued(tables), ARRIVED_SECONDS, what="the first file")
    platform.operator.take_away(rights["stream"], rights["project"], rights["serve"])
    for name in NAMES[1:15]:
        (platform.root / name).write_bytes(name.encode())
    for component in ("stream", "project", "serve"):
        wait_until(lambda c=component: told(platform, c, lost[c]), TOLD_SECONDS, what=f"{component} to say so")  # type: ignore[misc]
    platform.operator.take_away(rights["watch"])
    for name in NAMES[15:]:
        (platform.root / name).write_bytes(name.encode())
    wait_until(lambda: told(platform, "watch", lost["watch"]), TOLD_SECONDS, what="watch to say so")
    assert platform.unready("serve") and platform.unready("watch")

    platform.give()
    for component in ENDING:
        platform.launch(component)
    platform.wait_well()
    wait_until(lambda: catalogued(tables) == set(NAMES), ARRIVED_SECONDS, what="all files")
    assert sorted(announcements(platform)) == sorted(NAMES)
    for component, acl in lost.items():
        lines = platform.lines(component)[before[component] :]
        assert 1 <= sum(words(acl) in line for line in lines) <= 3, lines
        assert not [line for line in lines if "Traceback" in line or "is not there" in line]


def test_what_no_client_would_report_is_reported(platform: ClosedPlatform) -> None:
    lost: dict[Component, Acl] = {
        "watch": right("watch", "Write", REPORTS.name),
        "stream": right("stream", "Read", "catalogizer.streams."),
        "project": right("project", "Read", "catalogizer.projector"),
        "serve": right("serve", "Read", META.name),
    }
    more: list[tuple[Component, Acl]] = [
        ("watch", right("watch", "Read", CONTROL.name)),
        ("watch", right("watch", "Read", LEASES.name)),
        ("serve", right("serve", "Write", NOTIFICATIONS.name)),
    ]
    platform.operator.take_away(*lost.values(), *(acl for _, acl in more))
    for component, acl in lost.items():
        wait_until(lambda c=component, a=acl: told(platform, c, a), TOLD_SECONDS, what=f"{component} to say so")  # type: ignore[misc]
    for component, acl in more:
        assert words(acl) in platform.problems(component)
    for component in ENDING:  # as its supervisor does, too early
        platform.launch(component)
    for component in ENDING:
        wait_until(lambda c=component: platform.ended(c) is not None, 30, what=f"{component} to end")  # type: ignore[misc]
        assert told(platform, component, lost[component])

    platform.give()
    for component in ENDING:
        platform.launch(component)
    platform.wait_well()
    reported = len(beats(platform))
    wait_until(lambda: len(beats(platform)) >= reported + 2, 30, what="heartbeats to come again")


def test_a_tool_that_may_not_read_what_it_needs_reports_that(platform: ClosedPlatform) -> None:
    async def find() -> None:
        async with aclosing(
            audit(platform.kafka("serve"), AuditScope((), frozenset(), None, 10.0), Stages())
        ) as findings:
            async for _ in findings:
                pass

    with pytest.raises(NotAllowed, match=f"User:catalogizer-serve may not Read topic {RAW.name}"):
        asyncio.run(find())


def beats(platform: ClosedPlatform) -> list[dict[str, Any]]:
    return [report for report in values(platform, REPORTS) if report.get("component") == "watch"]
