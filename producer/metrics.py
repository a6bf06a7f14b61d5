"""The producer's metrics, as one table. A gauge of a root that is not observed here is not exposed."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import Counter, Gauge

OUTBOX = Gauge("catalogizer_producer_outbox_records", "Records that wait for Kafka's acknowledgement", ["root"])
OUTBOX_LIMIT = Gauge(
    "catalogizer_producer_outbox_limit_records",
    "Limit of records that wait for Kafka; beyond it a scan makes up for what is missed",
)
UNACKNOWLEDGED = Gauge(
    "catalogizer_producer_unacknowledged_seconds",
    "For how long the records being sent have not been acknowledged by Kafka; 0 at rest",
    ["root"],
)
SENT = Counter("catalogizer_producer_sent_records_total", "Records that Kafka has acknowledged", ["root"])
OBSERVED = Gauge("catalogizer_producer_root_observed", "1 while the root can be observed, else 0", ["root"])
MISSED = Counter(
    "catalogizer_producer_missed_total", "Times that changes may have been missed, by cause (`overflow` and others)",
    ["root", "cause"],
)  # fmt: skip
WATCHED = Gauge("catalogizer_producer_watched_directories", "Directories that are watched", ["root"])
UNWATCHED = Gauge("catalogizer_producer_unwatched_directories", "Directories that could not be watched", ["root"])
WATCH_LIMIT = Gauge(
    "catalogizer_producer_watch_limit_directories", "Directories that the kernel lets this user watch (inotify)"
)
SCAN_DONE = Gauge("catalogizer_producer_scan_done_entries", "Entries that the last scan has examined", ["root"])
SCAN_EXPECTED = Gauge("catalogizer_producer_scan_expected_entries", "Entries that the last scan expects", ["root"])

_OF_ROOTS = (OUTBOX, UNACKNOWLEDGED, OBSERVED, WATCHED, UNWATCHED, SCAN_DONE, SCAN_EXPECTED)
_MAX_USER_WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")


def forget(root: str) -> None:
    """Remove the gauges of a root that is not observed here, or was removed."""
    for gauge in _OF_ROOTS:
        gauge.remove(root)


def show_watch_limit() -> None:
    """Set the limit to the kernel's present value; nothing where the kernel has none."""
    if _MAX_USER_WATCHES.exists():
        WATCH_LIMIT.set(int(_MAX_USER_WATCHES.read_text()))
