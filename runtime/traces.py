"""Spans of the processing of a record, sent to a collector by OTLP over HTTP, in JSON; off unless an endpoint is set.

Ids are taken from the records (`schemas.trace`), so all processes use the same ids and export the same traces without
coordination. Spans are telemetry: they wait in bounded memory, one that cannot be sent is counted and dropped, and they
never delay the work that they describe. While it is off, `exporter()` is None, and nothing else is checked.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import aiohttp
from pydantic import Field

from runtime import log, metrics
from runtime.configuration import Section
from schemas import __version__

MOST_WAITING = 20_000
BATCH = 1_000
EVERY_SECONDS = 1.0
ANSWER_SECONDS = 5.0
LAST_SECONDS = 1.0
_RATIO_OF = 2**32

_log = log.get(__name__)


class TracesSettings(Section):
    """Where spans are sent."""

    endpoint: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="collector that gets spans by OTLP over HTTP, such as http://localhost:4318; unset: none are made",
    )
    ratio: float = Field(
        1.0, ge=0.0, le=1.0, description="share of the traces that are exported, the same traces in every process"
    )


class Kind(IntEnum):
    """As OTLP numbers them."""

    PRODUCER = 4
    CONSUMER = 5


@dataclass(frozen=True, slots=True)
class Span:
    """`trace`, `id`, `parent`: in hex; `parent` empty: it begins the trace. `start`, `end`: Unix time, ms."""

    trace: str
    id: str
    parent: str
    name: str
    kind: Kind
    start: float
    end: float
    attributes: Mapping[str, str | int]


def ids(context: bytes) -> tuple[str, str]:
    """Trace id and span id of a valid `traceparent`."""
    _, trace, span, _ = context.decode("ascii").split("-")
    return trace, span


def root_of(trace: str) -> str:
    """The id of the span that begins a trace (`schemas.trace.begun`)."""
    return trace[:16]


def new_id() -> str:
    """A new id, for a span that is in no record."""
    return secrets.token_hex(8)


class Exporter:
    """Queues spans and sends them. Used in one event loop."""

    def __init__(self, settings: TracesSettings, component: str) -> None:
        self._url = f"{(settings.endpoint or '').rstrip('/')}/v1/traces"
        self._below = settings.ratio * _RATIO_OF
        self._resource = {"attributes": _attributes({"service.name": f"catalogizer-{component}"})}
        self._waiting: deque[Span] = deque()
        self._sends = True

    def add(self, span: Span) -> None:
        """Queue a span if its trace is exported; if the queue is full the oldest span is dropped."""
        if int(span.trace[-8:], 16) >= self._below:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            metrics.SPANS_DROPPED.inc()
        self._waiting.append(span)

    async def run(self, over: asyncio.Event) -> None:
        """Send until `over` is set, then send what is left."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), EVERY_SECONDS)
                    break
                await self._send_all(session)
            await self._send_all(session)

    async def _send_all(self, session: aiohttp.ClientSession) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                async with session.post(self._url, json=self._request(batch)) as answer:
                    answer.raise_for_status()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                self._failed(len(batch), error)
                return
            metrics.SPANS.inc(len(batch))
            self._sends = True

    def _failed(self, count: int, error: Exception) -> None:
        metrics.SPANS_DROPPED.inc(count)
        if self._sends:
            _log.warning("spans cannot be sent", url=self._url, error=str(error) or type(error).__name__)
        self._sends = False

    def _request(self, spans: list[Span]) -> dict[str, Any]:
        scope = {
            "scope": {"name": "catalogizer", "version": __version__},
            "spans": [_json(span) for span in spans],
        }
        return {"resourceSpans": [{"resource": self._resource, "scopeSpans": [scope]}]}


def _json(span: Span) -> dict[str, Any]:
    """A span in OTLP's JSON: ids in hex, times as text, in nanoseconds."""
    return {
        "traceId": span.trace,
        "spanId": span.id,
        "parentSpanId": span.parent,
        "name": span.name,
        "kind": int(span.kind),
        "startTimeUnixNano": str(round(span.start * 1_000_000)),
        "endTimeUnixNano": str(round(span.end * 1_000_000)),
        "attributes": _attributes(span.attributes),
    }


def _attributes(values: Mapping[str, str | int]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]


_exporter: Exporter | None = None  # one per process, like logging and metrics


def exporter() -> Exporter | None:
    """The exporter of this process; None while tracing is off."""
    return _exporter


@asynccontextmanager
async def exporting(settings: TracesSettings, component: str) -> AsyncIterator[None]:
    """Export spans during the block, if an endpoint is set."""
    global _exporter
    if settings.endpoint is None:
        yield
        return
    _exporter = Exporter(settings, component)
    over = asyncio.Event()
    sending = asyncio.create_task(_exporter.run(over))
    try:
        yield
    finally:
        _exporter = None
        over.set()
        await asyncio.wait({sending}, timeout=LAST_SECONDS)
        sending.cancel()  # a slow collector must not delay the end
