"""The Grafana dashboard, from one table of panels: title, unit, query, legend."""

from __future__ import annotations

import json
from pathlib import Path

PATH = Path("infra/observability/grafana/dashboards/catalogizer.json")
SOURCE = {"type": "prometheus", "uid": "${source}"}
COLUMNS, WIDTH, HEIGHT = 2, 12, 8

PANELS: tuple[tuple[str, str, str, str], ...] = (
    ("Processes ready", "short", "sum by (process) (catalogizer_ready)", "{{process}}"),
    ("Processes that answer", "short", 'sum by (process) (up{job="catalogizer"})', "{{process}}"),
    (
        "Lag of readers", "s",
        "max by (reader, topic) (catalogizer_reader_lag_seconds)",
        "{{reader}} {{topic}}",
    ),
    (
        "Lag of readers, records", "short",
        "sum by (reader, topic) (catalogizer_reader_lag_records)",
        "{{reader}} {{topic}}",
    ),
    (
        "Records read", "ops",
        "sum by (reader) (deriv(catalogizer_reader_next_offset[5m]))",
        "{{reader}}",
    ),
    ("Records sent", "ops", "sum by (root) (rate(catalogizer_producer_sent_records_total[5m]))", "{{root}}"),
    ("Outbox", "short", "catalogizer_producer_outbox_records", "{{root}}"),
    ("Outbox without acknowledgement", "s", "catalogizer_producer_unacknowledged_seconds", "{{root}}"),
    ("Directories watched", "short", "catalogizer_producer_watched_directories", "{{root}}"),
    (
        "Watches in use", "percentunit",
        "sum by (instance) (catalogizer_producer_watched_directories)"
        " / max by (instance) (catalogizer_producer_watch_limit_directories)",
        "{{instance}}",
    ),
    (
        "Scan", "percentunit",
        "catalogizer_producer_scan_done_entries / catalogizer_producer_scan_expected_entries",
        "{{root}}",
    ),
    ("Missed by a watch in an hour", "short", "sum by (root, cause) (increase(catalogizer_producer_missed_total[1h]))",
     "{{root}} {{cause}}"),
    ("Open gaps", "short", "max by (root) (catalogizer_open_gaps)", "{{root}}"),
    ("Dead letters that are open", "short", "max by (topic) (catalogizer_dead_letters_open)", "{{topic}}"),
    (
        "Transactions of the fold, 99 of 100 within", "s",
        "histogram_quantile(0.99, sum by (le) (rate(catalogizer_fold_transaction_seconds_bucket[5m])))",
        "99 %",
    ),
    ("Transactions of the fold", "ops", "sum(rate(catalogizer_fold_transaction_seconds_count[5m]))", "transactions"),
    ("Records since the newest snapshot", "short", "catalogizer_fold_records_since_snapshot", "lane {{lane}}"),
    ("Analyses requested and open", "short", "sum(catalogizer_fold_open_jobs)", "open"),
    ("Analyses", "ops", "sum by (status) (rate(catalogizer_analysis_jobs_total[5m]))", "{{status}}"),
    ("Records projected", "ops", "sum by (topic) (rate(catalogizer_projected_records_total[5m]))", "{{topic}}"),
    ("Sockets", "short", "sum(catalogizer_gateway_sockets)", "open"),
    ("Sockets behind", "short", "sum(catalogizer_gateway_sockets_behind)", "behind"),
    ("Sign-ins", "ops", "sum by (outcome) (rate(catalogizer_gateway_logins_total[5m]))", "{{outcome}}"),
    ("Replays begun", "ops", "sum by (channel) (rate(catalogizer_gateway_replays_total[5m]))", "{{channel}}"),
    ("Bytes replayed", "Bps", "sum(rate(catalogizer_gateway_replayed_bytes_total[5m]))", "replayed"),
    ("Reads of the log for replays", "ops", "sum(rate(catalogizer_gateway_log_reads_total[5m]))", "reads"),
    ("Recent events in memory", "bytes", "sum(catalogizer_gateway_ring_bytes)", "recent"),
    ("Replays in memory", "bytes", "sum(catalogizer_gateway_shelf_bytes)", "replays"),
    ("First certificate to end", "dateTimeAsIso", "1000 * min by (file) (catalogizer_certificate_expires_timestamp_seconds)",
     "{{file}}"),
)  # fmt: skip


def _panel(number: int) -> dict[str, object]:
    title, unit, query, legend = PANELS[number]
    row, column = divmod(number, COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "targets": [{"refId": "A", "datasource": SOURCE, "expr": query, "legendFormat": legend}],
    }


def files() -> dict[Path, str]:
    """The dashboard, relative to the project's folder."""
    source = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    dashboard = {
        "uid": "catalogizer",
        "title": "Catalogizer",
        "schemaVersion": 39,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [source]},
        "panels": [_panel(number) for number in range(len(PANELS))],
    }
    return {PATH: json.dumps(dashboard, indent=2) + "\n"}
