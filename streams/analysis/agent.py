"""The analysis agent: jobs of this site in; covers, then results out, each confirmed, then the job is left.

A result goes to the lane of its job's library as an observation like any other. It may stand in the log twice
(a worker killed between writing it and committing): the fold takes the first by its job's id.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from prometheus_client import Counter

from runtime.kafka import Kafka
from schemas.analysis import Cover, Job
from schemas.codec import Codec, encode
from schemas.headers import TRACEPARENT, check_version, event_headers, raw_headers
from schemas.ids import event_id
from schemas.lanes import lane_of
from schemas.times import iso
from schemas.topics import ANALYSIS_JOBS, COVERS, RAW, REQUESTED_JOBS
from schemas.trace import carried, continued, span_of_event, span_of_value
from streams.analysis.analyst import Analyst, result
from streams.confirmed import Confirmed
from streams.guard import Guard, Received, Window, received

_jobs: Codec[Job] = Codec(Job)
_ended = Counter("catalogizer_analysis_jobs_total", "Jobs that ended, by status", ["status"])


class AnalysisAgent:
    """The agent's body, called by Faust with its stream. `window`: jobs in work at once."""

    def __init__(
        self, kafka: Kafka, *, site: str, analyst: Analyst, confirmed: Confirmed, guard: Guard, window: int
    ) -> None:
        self._kafka = kafka
        self._site = site
        self._analyst = analyst
        self._confirmed = confirmed
        self._guard = guard
        self._window = window
        self._in_work = 0
        self.ended = 0

    @property
    def is_busy(self) -> bool:
        """A job of a file that changed by itself is in work."""
        return self._in_work > 0

    async def run(self, stream: Any) -> None:
        """Work for ever. Jobs are worked at in parallel and left in the order in which they came."""
        stream.enable_acks = False  # by hand, when what a job caused is confirmed
        async with Window(self._window) as window:
            async for event in stream.events():
                record = received(event.message)
                await window.admit(self._guard.run(record, partial(self._fresh, record)), event.ack)

    async def _fresh(self, record: Received) -> None:
        self._in_work += 1
        try:
            await self.job(record)
        finally:
            self._in_work -= 1

    async def job(self, record: Received) -> None:
        """One job, to its confirmed result. Raises SchemaError for what is no job."""
        check_version(record.headers)
        job = _jobs.decode(record.value)
        if job.site != self._site:
            return
        outcome = await self._analyst.analyse(job)
        if outcome.cover is not None:
            await self._put_cover(record, job, outcome.cover)
        self._analyst.remember(job, outcome)
        value = encode(result(job, outcome))
        await self._confirmed.put(
            RAW,
            value,
            key=job.library.encode(),
            partition=lane_of(job.library, self._kafka.lanes),
            headers=raw_headers("result", _context(record, span_of_value(value))),
        )
        self.ended += 1
        _ended.labels(outcome.status).inc()

    async def _put_cover(self, record: Received, job: Job, cover: Cover) -> None:
        topic = ANALYSIS_JOBS if job.request is None else REQUESTED_JOBS
        id_ = event_id(topic.name, record.partition, record.offset, 0)
        context = _context(record, span_of_event(id_.encode()))
        headers = event_headers(
            id=id_,
            type="cover",
            source="urn:catalogizer:analysis",
            time=iso(record.timestamp),
            subject=cover.hash,
            extra=None if context is None else [(TRACEPARENT, context)],
        )
        await self._confirmed.put(COVERS, encode(cover), key=cover.hash.encode(), partition=0, headers=headers)


def _context(job: Received, span: bytes) -> bytes | None:
    """The trace context of what comes of a job."""
    context = carried(job.headers)
    return None if context is None else continued(context, span)
