"""The metrics of stream workers; the lag of their readers is in `runtime.metrics`."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

UNCOVERED = Gauge(
    "catalogizer_fold_records_since_snapshot", "Records folded since the newest whole snapshot", ["lane"]
)
DUE = Gauge("catalogizer_fold_snapshot_due_records", "After so many there is to be a new snapshot", ["lane"])
REQUESTED = Gauge("catalogizer_fold_open_jobs", "Jobs of analyses on request, to be asked or waited for", ["lane"])
OF_LANES = (UNCOVERED, DUE, REQUESTED)
RESTARTS = Counter("catalogizer_fold_lane_restarts_total", "Lanes started again after an error", ["lane"])
TRANSACTIONS = Histogram(
    "catalogizer_fold_transaction_seconds",
    "Time of the fold's transactions, begin to commit",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
)

GAPS = Gauge(
    "catalogizer_open_gaps", "Gaps that are open in roots of this worker's lanes: changes may be missing", ["root"]
)

SLOW_JOBS = Counter("catalogizer_analysis_slow_jobs_total", "Jobs whose first probe took too long")
JOBS = Counter("catalogizer_analysis_jobs_total", "Jobs that ended, by status", ["status"])
CHILDREN = Counter("catalogizer_analysis_children_replaced_total", "Probing children that died or were killed")
