"""The analysis agent: jobs of this site in; covers, then results out, each confirmed, then the job is left.

A result goes to the lane of its job's library as an observation like any other. It may be in the log twice (if a worker
is killed between writing it and committing): the fold accepts the first by its job's id.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from runtime.kafka import Kafka
from runtime.log_fields import of_library
from schemas.analysis import Cover, Job
from schemas.codec import Codec, encode
from schemas.headers import TRACEPARENT, check_version, event_headers, raw_headers
from schemas.ids import event_id
from schemas.lanes import lane_of
from schemas.times import iso
from schemas.topics import ANALYSIS_JOBS, COVERS, RAW, REQUESTED_JOBS, Topic
from schemas.trace import carried, continued, span_of_event, span_of_value
from streams import metrics
from streams.analysis.analyst import Analyst, result
from streams.analysis.children import TooSlow
from streams.confirmed import Confirmed
from streams.guard import Guard, Received, Window, received

_jobs: Codec[Job] = Codec(Job)


class AnalysisAgent:
    """The agent's body, called by Faust with its stream. `window`: jobs in work at once; `first_seconds`: the time
    limit of a file's first probe. A job that takes longer is moved to the jobs on request, which are processed when
    nothing else is in work and leave one child free: so slow files, however many, do not delay others."""

    def __init__(
        self, kafka: Kafka, *, site: str, analyst: Analyst, confirmed: Confirmed, guard: Guard, window: int,
        first_seconds: float | None = None,
    ) -> None:  # fmt: skip
        self._kafka = kafka
        self._site = site
        self._analyst = analyst
        self._confirmed = confirmed
        self._guard = guard
        self._window = window
        self._first_seconds = first_seconds
        self._in_work = 0
        self.ended = 0

    @property
    def is_busy(self) -> bool:
        """Whether a job of a file that has changed (not one on request) is in work."""
        return self._in_work > 0

    async def run(self, stream: Any) -> None:
        """Run forever. Jobs are processed in parallel and left in the order in which they came."""
        stream.enable_acks = False  # events are acknowledged explicitly, when a job's outputs are confirmed
        async with Window(self._window) as window:
            async for event in stream.events():
                record = received(event.message)
                await window.admit(self._guard.run(record, partial(self._fresh, record)), event.ack)

    async def _fresh(self, record: Received) -> None:
        self._in_work += 1
        try:
            await self.job(record, ANALYSIS_JOBS)
        finally:
            self._in_work -= 1

    async def job(self, record: Received, topic: Topic) -> None:
        """Process one job of the topic until its result is confirmed. Raises SchemaError for an invalid job."""
        check_version(record.headers)
        job = _jobs.decode(record.value)
        of_library(job.library)
        if job.site != self._site:
            return
        is_first = topic is ANALYSIS_JOBS
        try:
            outcome = await self._analyst.analyse(job, self._first_seconds if is_first else None)
        except TooSlow:
            await self._hand_over(record)
            return
        if outcome.cover is not None:
            await self._put_cover(record, topic, outcome.cover)
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
        metrics.JOBS.labels(outcome.status).inc()

    async def _hand_over(self, record: Received) -> None:
        """Move the job unchanged to the jobs on request: it is the same job, and its result counts once."""
        await self._confirmed.put(
            REQUESTED_JOBS,
            record.value or b"",
            key=record.key or b"",
            partition=record.partition,
            headers=[*record.headers],
        )
        metrics.SLOW_JOBS.inc()

    async def _put_cover(self, record: Received, topic: Topic, cover: Cover) -> None:
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
    """The trace context of the outputs of a job."""
    context = carried(job.headers)
    return None if context is None else continued(context, span)
