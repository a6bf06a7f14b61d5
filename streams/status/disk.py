"""Whether the file system of a process's state is nearly full, from its heartbeats. Pure.

The status gets worse as soon as a limit is passed, and better only when a fifth more than that limit is free, so that a disk
that stays near a limit is published once. A disk that was healthy from the beginning is not published.
"""

from __future__ import annotations

from msgspec import UNSET

from schemas.system import DISK, DISK_FREE, DISK_TOTAL, Heartbeat, Status, SystemUpdate

GIB = 1024**3
MIB = 1024**2
_LIMITS: tuple[tuple[Status, float, int], ...] = (("error", 0.03, 512 * MIB), ("warning", 0.10, 2 * GIB))
"""The worst first: free space below this share of all, or below so many bytes, but on a small disk at most `SMALL` of
it."""
SMALL = 0.25
RECOVERY = 1.2
_BADNESS: dict[Status, int] = {"healthy": 0, "warning": 1, "error": 2}


def component_of(beat: Heartbeat) -> str | None:
    """The component name of a process's disk; processes on the same disk have the same name."""
    place = beat.details.get(DISK)
    return f"disk {beat.host}:{place}" if isinstance(place, str) else None


def disk_update(beat: Heartbeat, published: SystemUpdate | None) -> SystemUpdate | None:
    """The update for the disk, given the one published last; None if there is nothing to publish."""
    name, place = component_of(beat), beat.details.get(DISK)
    free, total = beat.details.get(DISK_FREE), beat.details.get(DISK_TOTAL)
    if name is None or not isinstance(free, int) or not isinstance(total, int) or total <= 0:
        return None
    before: Status = "healthy" if published is None else published.status
    status = level(free, total, before)
    if published is None and status == "healthy":
        return None
    if status == before and published is not None and published.message is not UNSET:
        message = published.message  # with new numbers it would be published at each heartbeat
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
    """The status of a disk with `free` of `total` bytes, given the status before."""
    for status, share, least in _LIMITS:
        more = RECOVERY if _BADNESS[before] >= _BADNESS[status] else 1.0
        if free < total * share * more or free < min(least, total * SMALL) * more:
            return status
    return "healthy"


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
