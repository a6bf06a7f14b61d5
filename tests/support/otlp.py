"""A collector of traces in small: takes spans by OTLP over HTTP, in JSON, and keeps them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """One span. `seconds`: how long it took; `attributes`: as they were written, numbers as text."""

    service: str
    trace: str
    id: str
    parent: str
    name: str
    seconds: float
    attributes: dict[str, str]


class Collector:
    """`endpoint`: what processes are given; `spans`: what has come so far."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.spans: list[Received] = []

    def whole(self, *names: str) -> list[tuple[Received, ...]]:
        """Chains of spans of these names, each the child of the one before, the first without a parent."""
        chains: list[tuple[Received, ...]] = [
            (span,) for span in self.spans if span.name == names[0] and not span.parent
        ]
        for name in names[1:]:
            chains = [
                (*chain, span)
                for chain in chains
                for span in self.spans
                if (span.name, span.trace, span.parent) == (name, chain[-1].trace, chain[-1].id)
            ]
        return chains


@contextmanager
def collecting() -> Iterator[Collector]:
    """One that listens on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
            if known:
                collector.spans += _spans(body)
            self.send_response(200 if known else 400)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _spans(request: dict[str, Any]) -> Iterator[Received]:
    for resource in request["resourceSpans"]:
        service = _attributes(resource["resource"]["attributes"])["service.name"]
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                taken = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
                yield Received(
                    service, span["traceId"], span["spanId"], span["parentSpanId"], span["name"], taken / 1e9,
                    _attributes(span["attributes"]),
                )  # fmt: skip


def _attributes(found: list[dict[str, Any]]) -> dict[str, str]:
    return {each["key"]: str(next(iter(each["value"].values()))) for each in found}
