"""Whether the file system of a process's state is nearly full, from what a heartbeat says of it. Pure.

It is worse as soon as a limit is passed, and better only when a fifth more is free than that limit, so that one that stays
there is told once. What was well from the beginning is not told.
"""

from __future__ import annotations

from msgspec import UNSET

from schemas.system import DISK, DISK_FREE, DISK_TOTAL, Heartbeat, Status, SystemUpdate

GIB = 1024**3
MIB = 1024**2
_LIMITS: tuple[tuple[Status, float, int], ...] = (("error", 0.03, 512 * MIB), ("warning", 0.10, 2 * GIB))
"""From the worst: below this share of all, or below so many bytes, but of a small disk no more than `SMALL` of it."""
SMALL = 0.25
AGAIN = 1.2
_BADNESS: dict[Status, int] = {"healthy": 0, "warning": 1, "error": 2}


def component_of(beat: Heartbeat) -> str | None:
    """Under which name the disk of a process is told of; processes that share it share the name."""
    place = beat.details.get(DISK)
    return f"disk {beat.host}:{place}" if isinstance(place, str) else None


def disk_update(beat: Heartbeat, told: SystemUpdate | None) -> SystemUpdate | None:
    """How the disk is, given what was told of it last; None where there is nothing to be told."""
    name, place = component_of(beat), beat.details.get(DISK)
    free, total = beat.details.get(DISK_FREE), beat.details.get(DISK_TOTAL)
    if name is None or not isinstance(free, int) or not isinstance(total, int) or total <= 0:
        return None
    before: Status = "healthy" if told is None else told.status
    status = level(free, total, before)
    if told is None and status == "healthy":
        return None
    if status == before and told is not None and told.message is not UNSET:
        message = told.message  # with other numbers at each heartbeat it would be told at each
    elif status == "healthy":
        message = f"{beat.host} has room again on the disk of {place}: {_gib(free)} of {_gib(total)} are free"
    else:
        message = (
            f"{beat.host} has {_gib(free)} of {_gib(total)} left on the disk of {place}, where the state of {beat.component}"
            " is: without room nothing more can be kept there while Kafka is away, and processes end"
        )
    details: dict[str, object] = {"host": beat.host, DISK: place, DISK_FREE: free, DISK_TOTAL: total}
    return SystemUpdate(action="service_status", component=name, status=status, message=message, details=details)


def level(free: int, total: int, before: Status) -> Status:
    """How bad it is that so many bytes of so many are free, where it was so bad before."""
    for status, share, least in _LIMITS:
        more = AGAIN if _BADNESS[before] >= _BADNESS[status] else 1.0
        if free < total * share * more or free < min(least, total * SMALL) * more:
            return status
    return "healthy"


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
