"""The metrics of projectors; their lag is in `runtime.metrics`."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

RECORDS = Counter("catalogizer_projected_records_total", "Records projected", ["topic"])
ROWS = Counter("catalogizer_projected_rows_total", "Rows written", ["topic"])
ROUND = Gauge("catalogizer_projector_round_timestamp_seconds", "When the projector last ended a round, Unix time")
