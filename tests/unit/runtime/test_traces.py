"""Spans go to a collector where there is one; what cannot be sent is dropped, and nothing waits for it."""

from __future__ import annotations

import asyncio

from prometheus_client import REGISTRY

from runtime import traces
from runtime.traces import MOST_WAITING, Exporter, Kind, Span, TracesSettings, exporting, ids, root_of
from schemas.trace import begun
from tests.support.otlp import collecting

NOWHERE = "http://127.0.0.1:9"


def span(number: int) -> Span:
    trace, id_ = ids(begun(b"%d" % number))
    return Span(
        trace, id_, "", "observe", Kind.PRODUCER, start=1.5, end=3.0, attributes={"root": "movies", "lane": 2}
    )


def counted(name: str) -> float:
    return REGISTRY.get_sample_value(f"catalogizer_{name}") or 0.0


def test_without_an_endpoint_there_is_no_exporter() -> None:
    async def run() -> None:
        async with exporting(TracesSettings(), "watch"):
            assert traces.exporter() is None

    asyncio.run(run())


def test_what_waits_at_the_end_is_sent_as_otlp_has_it() -> None:
    async def run(endpoint: str) -> None:
        async with exporting(TracesSettings(endpoint=endpoint), "watch"):
            exporter = traces.exporter()
            assert exporter is not None
            exporter.add(span(1))
        assert traces.exporter() is None

    with collecting() as collector:
        asyncio.run(run(collector.endpoint))
    (found,) = collector.spans
    assert (found.service, found.name, found.parent, found.seconds) == ("catalogizer-watch", "observe", "", 0.0015)
    assert found.attributes == {"root": "movies", "lane": "2"}
    assert found.id == root_of(found.trace)


def test_a_collector_that_is_away_costs_the_spans_and_nothing_else() -> None:
    async def run() -> None:
        async with exporting(TracesSettings(endpoint=NOWHERE), "watch"):
            exporter = traces.exporter()
            assert exporter is not None
            exporter.add(span(1))

    before = counted("spans_dropped_total")
    asyncio.run(run())
    assert counted("spans_dropped_total") == before + 1


def test_memory_is_bounded_and_the_oldest_go() -> None:
    exporter = Exporter(TracesSettings(endpoint=NOWHERE), "watch")
    before = counted("spans_dropped_total")
    for _ in range(MOST_WAITING + 3):
        exporter.add(span(1))
    assert counted("spans_dropped_total") == before + 3


def test_a_share_of_the_traces_is_the_same_share_in_every_process() -> None:
    one, other = (Exporter(TracesSettings(endpoint=NOWHERE, ratio=0.25), name) for name in ("watch", "stream"))
    for number in range(1_000):
        one.add(span(number))
        other.add(span(number))
    kept = [waiting.trace for waiting in one._waiting]
    assert kept == [waiting.trace for waiting in other._waiting]
    assert 150 < len(kept) < 350
