"""The gateway's metrics, as one table. Several workers count together: a gauge is the sum of those that run."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

SOCKETS = Gauge("catalogizer_gateway_sockets", "WebSockets open", multiprocess_mode="livesum")
BEHIND = Gauge(
    "catalogizer_gateway_sockets_behind",
    "WebSockets served from memory or the log, not live",
    multiprocess_mode="livesum",
)
EVENTS = Counter("catalogizer_gateway_events_total", "Events read from the channels' topics", ["channel"])
DELIVERIES = Counter("catalogizer_gateway_live_writes_total", "Joined live writes to sockets")
REPLAYED_BYTES = Counter("catalogizer_gateway_replayed_bytes_total", "Framed bytes written to sockets behind")
UNDECODABLE = Counter(
    "catalogizer_gateway_undecodable_total", "Records of channel topics that are not events", ["channel"]
)
RING_BYTES = Gauge(
    "catalogizer_gateway_ring_bytes", "Bytes of recent events in memory", multiprocess_mode="livesum"
)
SHELF_BYTES = Gauge(
    "catalogizer_gateway_shelf_bytes",
    "Bytes of the log kept in memory for replays of the same range",
    multiprocess_mode="livesum",
)
REPLAYS = Counter(
    "catalogizer_gateway_replays_total", "Subscriptions that began before the newest event", ["channel"]
)
OPEN_LETTERS = Gauge(
    "catalogizer_dead_letters_open",
    "Dead letters that nobody has handled, among the newest of each queue, by topic of the record",
    ["topic"],
    multiprocess_mode="livemax",
)
LOG_READS = Counter("catalogizer_gateway_log_reads_total", "Reads of the log for replays")
TAIL_RESTARTS = Counter("catalogizer_gateway_tail_restarts_total", "Times the tail's consumer was rebuilt")
REFUSED = Counter("catalogizer_gateway_refused_total", "Handshakes refused or closed at once", ["why"])
CLOSED = Counter("catalogizer_gateway_closed_total", "WebSockets closed by the server", ["code"])
LOGINS = Counter("catalogizer_gateway_logins_total", "Sign-ins", ["outcome"])
for _outcome in ("ok", "refused", "limited"):  # from 0 on
    LOGINS.labels(_outcome)
ENDED = Counter("catalogizer_gateway_connections_ended_total", "Connections ended for exceeding a limit", ["why"])
