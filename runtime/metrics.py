"""The metrics that every process has. Several workers of one gateway report them together: a gauge shows the worst of their
values."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

READY = Gauge("catalogizer_ready", "1 while the process does its work, else 0", multiprocess_mode="livemin")

LAG_RECORDS = Gauge(
    "catalogizer_reader_lag_records",
    "Records of the log that a reader has not processed yet",
    ["reader", "topic", "partition"],
    multiprocess_mode="livemax",
)
LAG_SECONDS = Gauge(
    "catalogizer_reader_lag_seconds",
    "Age of the oldest record not processed yet, at most; 0 at rest",
    ["reader", "topic", "partition"],
    multiprocess_mode="livemax",
)
NEXT_OFFSET = Gauge(
    "catalogizer_reader_next_offset",
    "Next offset that a reader is to process",
    ["reader", "topic", "partition"],
    multiprocess_mode="livemin",
)
OF_READERS = (LAG_RECORDS, LAG_SECONDS, NEXT_OFFSET)

CERTIFICATE = Gauge(
    "catalogizer_certificate_expires_timestamp_seconds",
    "End of the certificate in a file of the settings that ends first, Unix time",
    ["file"],
    multiprocess_mode="livemin",
)
CERTIFICATE_UNREADABLE = Gauge(
    "catalogizer_certificate_unreadable",
    "1 while a file of certificates cannot be read, else 0",
    ["file"],
    multiprocess_mode="livemax",
)

SPANS = Counter("catalogizer_spans_total", "Spans that a collector of traces has taken")
SPANS_DROPPED = Counter("catalogizer_spans_dropped_total", "Spans that could not be sent to a collector of traces")

REPORTS_DROPPED = Counter("catalogizer_reports_dropped_total", "Reports that could not be written")
DEAD_LETTERS = Counter(
    "catalogizer_dead_letters_total", "Dead letters that this process published, by topic of the record", ["topic"]
)
