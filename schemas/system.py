"""The state of processes and roots: reports that each process publishes about itself, and system updates and
notifications for browsers, in the shapes of the WebSocket contract."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.raw import Protocol

Status = Literal["healthy", "warning", "error"]
SystemAction = Literal["health_check", "storage_update", "service_status"]
Level = Literal["info", "success", "warning", "error"]
Scalar = str | int | float | bool | None


COMMAND, COMMAND_DONE, COMMAND_RESULT = "command", "command_done", "command_result"
"""Details of a root's report: the id of the last command for it (`catalog.control.v1`), whether it is finished, and its
result, as text."""


SCAN, SCAN_DONE, SCAN_EXPECTED = "scan", "scan_done", "scan_expected"
"""Details of a root's report while an announced scan is in progress: its number, how many entries it has examined, and
how many entries were known in its subtree when it began."""


WATCH, WATCH_WHY = "watch", "watch_why"
"""Details of a root's report: how its changes are detected (inotify, fanotify, polling), and why so."""


VERSION, SOCKETS = "version", "sockets"
"""Details of a heartbeat: the version of the process's program; of a gateway, how many sockets are open."""


DISK, DISK_FREE, DISK_TOTAL = "disk", "disk_free_bytes", "disk_total_bytes"
"""Details of a heartbeat of a process with a state folder: where the file system of that folder is mounted, how many
bytes are free for the process, and how many it has in total."""


BEHIND = "behind_seconds"
"""Detail of a heartbeat of a stream worker and of a projector: the age of the last record that it has processed if
there are more to process, else 0."""


ENTRIES = "entries"
"""Detail of a root's report: how many files and directories are known in the root, as last counted."""


OPEN_GAPS = "open_gaps"
"""Detail of a storage update about a root's gaps: the open gaps."""


STANDING_BY = "standing_by"
"""Detail of a producer's heartbeat: the roots that another producer watches, as text."""


class Heartbeat(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="heartbeat"):
    """The state of one process, every 5 s (topic `catalog.system.reports.v1`, key = component). `leaving`: it ends
    because it was asked to, so that its silence is no error."""

    component: str
    instance: str
    host: str
    pid: int
    status: Status
    at: str
    message: str | None = None
    details: dict[str, Scalar] = {}
    leaving: bool = False


class RootReport(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="root"):
    """The state of one root, from its producer: complete, on every change and every 5 s. Mode `retired` is sent once,
    by the operator's command. `location`: where the root is, as the producer reaches it; `host` and `share` on SMB."""

    root: str
    library: str
    site: str
    protocol: Protocol
    status: Status
    at: str
    message: str
    location: str
    mode: Literal["watching", "scanning", "paused", "offline", "retired"]
    last_connected: str | None = None
    retry_count: int = 0
    host: str | None = None
    share: str | None = None
    details: dict[str, Scalar] = {}


class ScanReport(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="scan"):
    """Progress of a scan, every 2 s. `expected`: how many entries were known in its subtree when it began; `paused`: it
    waits for an operator."""

    root: str
    library: str
    scan: int
    done: int
    at: str
    finished: bool = False
    expected: int = 0
    paused: bool = False


Report = Heartbeat | RootReport | ScanReport


class SystemUpdate(Struct, frozen=True, kw_only=True):
    """`data` of a `system_update`."""

    action: SystemAction
    component: str
    status: Status
    message: str | UnsetType = UNSET
    details: dict[str, object] | UnsetType = UNSET


TYPE_CHARACTERS, TITLE_CHARACTERS, MESSAGE_CHARACTERS = 64, 256, 4_096
"""The maximum lengths of a notification's texts in characters; type and title have at least one."""


class Notification(Struct, frozen=True, kw_only=True):
    """`data` of a `notification`."""

    type: Annotated[str, Meta(min_length=1, max_length=TYPE_CHARACTERS)]
    title: Annotated[str, Meta(min_length=1, max_length=TITLE_CHARACTERS)]
    message: Annotated[str, Meta(max_length=MESSAGE_CHARACTERS)]
    level: Level
