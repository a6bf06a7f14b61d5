"""What the producer counts, as one table. A gauge of a root that is not observed here is not exposed."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import Counter, Gauge

OUTBOX = Gauge("catalogizer_producer_outbox_records", "Records that wait for Kafka's acknowledgement", ["root"])
OUTBOX_LIMIT = Gauge(
    "catalogizer_producer_outbox_limit_records",
    "So many records are kept for Kafka before a scan has to make up for more",
)
UNACKNOWLEDGED = Gauge(
    "catalogizer_producer_unacknowledged_seconds",
    "For how long Kafka has not acknowledged what is being sent; 0 at rest",
    ["root"],
)
SENT = Counter("catalogizer_producer_sent_records_total", "Records that Kafka has acknowledged", ["root"])
OBSERVED = Gauge("catalogizer_producer_root_observed", "1 while the root can be observed, else 0", ["root"])
MISSED = Counter(
    "catalogizer_producer_missed_total", "Times that changes may have been missed, by cause (`overflow` and others)",
    ["root", "cause"],
)  # fmt: skip
WATCHED = Gauge("catalogizer_producer_watched_directories", "Directories that are watched", ["root"])
UNWATCHED = Gauge(
    "catalogizer_producer_unwatched_directories", "Directories for which no watch was to be had", ["root"]
)
WATCH_LIMIT = Gauge(
    "catalogizer_producer_watch_limit_directories", "Directories that the kernel lets this user watch (inotify)"
)
SCAN_DONE = Gauge("catalogizer_producer_scan_done_entries", "Entries that the last scan has looked at", ["root"])
SCAN_EXPECTED = Gauge("catalogizer_producer_scan_expected_entries", "Entries that the last scan expects", ["root"])

_OF_ROOTS = (OUTBOX, UNACKNOWLEDGED, OBSERVED, WATCHED, UNWATCHED, SCAN_DONE, SCAN_EXPECTED)
_MAX_USER_WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")


def forget(root: str) -> None:
    """It is not observed here, or has left."""
    for gauge in _OF_ROOTS:
        gauge.remove(root)


def show_watch_limit() -> None:
    """As the kernel has it now; nothing where it has none."""
    if _MAX_USER_WATCHES.exists():
        WATCH_LIMIT.set(int(_MAX_USER_WATCHES.read_text()))
