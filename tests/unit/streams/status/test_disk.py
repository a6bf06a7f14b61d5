"""A disk that fills up is published once at each step, and again when there is room."""

from __future__ import annotations

import pytest

from schemas.system import DISK, DISK_FREE, DISK_TOTAL, Heartbeat, Scalar, Status, SystemUpdate
from streams.status.disk import GIB, MIB, level
from streams.status.rules import StatusRules

TB = 1000 * GIB


@pytest.mark.parametrize(
    ("free", "total", "before", "expected"),
    [
        (101 * GIB, TB, "healthy", "healthy"),
        (99 * GIB, TB, "healthy", "warning"),
        (101 * GIB, TB, "warning", "warning"),
        (121 * GIB, TB, "warning", "healthy"),
        (29 * GIB, TB, "warning", "error"),
        (31 * GIB, TB, "error", "error"),
        (37 * GIB, TB, "error", "warning"),
        (121 * GIB, TB, "error", "healthy"),
        (2 * GIB - 1, 10 * GIB, "healthy", "warning"),
        (512 * MIB - 1, 10 * GIB, "healthy", "error"),
        (1 * GIB, 1 * GIB, "healthy", "healthy"),  # a small disk that is empty
        (200 * MIB, 1 * GIB, "healthy", "error"),
    ],
)
def test_a_limit_passed_is_worse_and_a_fifth_more_is_better(
    free: int, total: int, before: Status, expected: Status
) -> None:
    assert level(free, total, before) == expected


def beat(free: int, **more: Scalar) -> Heartbeat:
    details: dict[str, Scalar] = {DISK: "/var", DISK_FREE: free, DISK_TOTAL: 100 * GIB, **more}
    return Heartbeat(component="watch", instance="i", host="nas", pid=1, status="healthy", at="t", details=details)


def published_updates(*frees: int) -> list[SystemUpdate]:
    """The updates published on the disk, with a heartbeat every 5 s."""
    rules, found = StatusRules(), []
    for number, free in enumerate(frees):
        for update in rules.report(beat(free), number * 5_000):
            rules.published(update, number * 5_000)
            if update.action == "service_status":
                found.append(update)
    return found


def test_each_step_is_published_once_whatever_the_bytes_do_in_between() -> None:
    frees = [50, 9, 8, 9, 10, 11, 8, 2, 2, 3, 13, 50, 9]
    updates = published_updates(*(free * GIB for free in frees))
    assert [update.status for update in updates] == ["warning", "error", "healthy", "warning"]
    assert {update.component for update in updates} == {"disk nas:/var"}
    assert updates[0].message == (
        "nas has 9.0 GiB of 100.0 GiB left on the disk of /var, where the state of watch is: without room nothing more can"
        " be kept there while Kafka is away, and processes end"
    )
    assert updates[0].details == {"host": "nas", DISK: "/var", DISK_FREE: 9 * GIB, DISK_TOTAL: 100 * GIB}


def test_a_disk_with_room_is_not_published() -> None:
    assert published_updates(50 * GIB, 49 * GIB) == []
