"""Outputs: encoded, addressed, with deterministic ids and dense numbers.

An output's id is a function of the source record's position and its index among that record's outputs; its
`x-n` is dense per topic and lane. Nothing here decides whether there is an output.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from msgspec import Struct, structs

from schemas.admin import Counters
from schemas.analysis import Job
from schemas.changes import Change
from schemas.codec import encode
from schemas.headers import (
    CE_ID,
    CE_SOURCE,
    CE_SUBJECT,
    CE_TIME,
    TRACEPARENT,
    X_FOLD_VERSION,
    X_N,
    X_SOURCE,
    Headers,
    dead_value,
    dlq_headers,
    event_headers,
)  # fmt: skip
from schemas.ids import LANES_PER_ID, event_id
from schemas.media import AnalysisComplete, ItemDeleted, MediaItem, MediaUpdate
from schemas.times import iso
from schemas.topics import (
    ANALYSIS_JOBS,
    ANALYSIS_UPDATES,
    CHANGES,
    JOB_PARTITIONS,
    MEDIA_STATE,
    MEDIA_UPDATES,
    RAW,
    Topic,
    dlq_of,
)  # fmt: skip
from schemas.trace import continued, span_of_event

MAX_OUTPUT_BYTES = 262_144
"""An output's value is never longer (a constant of the fold's version)."""

_DLQ = dlq_of(RAW)
_SOURCE = RAW.name.encode()
_EMITTER = (CE_SOURCE, b"urn:catalogizer:fold")


class Output(Struct):
    """One record to be written. `partition` is fixed by the fold; `value` None: a tombstone."""

    topic: Topic
    partition: int
    key: bytes
    value: bytes | None
    headers: Headers


class Emitter:
    """Collects the outputs of one record at a time; they may be taken in parts."""

    def __init__(self, lane: int, version: int) -> None:
        self.lane = lane
        self._version = (X_FOLD_VERSION, str(version).encode())
        self._fixed: dict[str, Headers] = {}
        self._changes = self._media = self._analysis = 0
        self._before = (0, 0, 0)
        self._offset = -1
        self._append_time = -1
        self._at: str | None = None
        self._time = (CE_TIME, b"")
        self._source: tuple[str, bytes] | None = None
        self._next_id: str | None = None
        self._outputs: list[Output] = []
        self._taken = 0
        self._trace: bytes | None = None
        self._record_trace: bytes | None = None
        self._own_trace = _OwnTrace(self)

    @property
    def counters(self) -> Counters:
        """The last `x-n` given out per topic."""
        return Counters(changes=self._changes, media_updates=self._media, analysis_updates=self._analysis)

    @property
    def counters_before(self) -> Counters:
        """As `counters`, when the record that is being applied began."""
        changes, media, analysis = self._before
        return Counters(changes=changes, media_updates=media, analysis_updates=analysis)

    def begin(self, offset: int, append_time: int, trace: bytes | None = None) -> None:
        """The next record is being applied: its position makes ids, its append time (ms) is `at`, its trace
        context that of what comes of it."""
        self._offset = offset
        self._trace = self._record_trace = trace
        self._before = (self._changes, self._media, self._analysis)
        self._outputs = []
        self._taken = 0
        self._next_id = None
        self._source = None
        if append_time != self._append_time:
            self._append_time = append_time
            self._at = None

    @property
    def at(self) -> str:
        """The record's append time, ISO 8601: the time of everything decided with it."""
        return self._at or self._new_time()

    def _new_time(self) -> str:
        at = self._at = iso(self._append_time)
        self._time = (CE_TIME, at.encode())
        return at

    def following(self, trace: bytes | None) -> AbstractContextManager[None]:
        """For what comes of an earlier record, said inside a `with` block: that one's trace context."""
        self._trace = trace
        return self._own_trace

    def own_trace(self) -> None:
        """What follows comes of the record itself again."""
        self._trace = self._record_trace

    def take(self) -> list[Output]:
        """The outputs of the record since the last taking."""
        outputs = self._outputs
        if outputs:
            self._outputs = []
            self._taken += len(outputs)
        return outputs

    def change(self, change: Change, type_: str, subject: str) -> None:
        """To the changes topic."""
        self._changes += 1
        self._put(CHANGES, self.lane, change.library, type_, subject, encode(change), self._changes)

    def media_update(self, library: str, update: MediaUpdate) -> None:
        """To the media updates."""
        self._media += 1
        value = _capped(update)
        self._put(MEDIA_UPDATES, self.lane, library, "media_update", str(update.media_id), value, self._media)

    def analysis_complete(self, library: str, update: AnalysisComplete) -> None:
        """To the analysis updates."""
        self._analysis += 1
        subject = str(update.storage_root)
        self._put(
            ANALYSIS_UPDATES, self.lane, library, "analysis_complete", subject, encode(update), self._analysis
        )

    def state(self, media_id: int, item: MediaItem | None) -> None:
        """The item's newest state, or its tombstone."""
        value = None if item is None else encode(item)
        if value is not None and len(value) > MAX_OUTPUT_BYTES and item is not None:
            value = encode(_without_analysis(item))
        key = str(media_id)
        self._put(MEDIA_STATE, self.lane, key, "media_state", key, value, None)

    def job_id(self) -> str:
        """The id that the next output will have: a job is known by its own event's id."""
        if self._next_id is None:
            self._next_id = event_id(RAW.name, self.lane, self._offset, self._taken + len(self._outputs))
        return self._next_id

    def job(self, job: Job) -> None:
        """Ask for an analysis."""
        key = str(job.media_id)
        partition = job.media_id // LANES_PER_ID % JOB_PARTITIONS
        self._put(ANALYSIS_JOBS, partition, key, "analysis_job", key, encode(job), None)

    def dead_letter(self, key: bytes | None, value: bytes | None, timestamp: int, error: Exception) -> None:
        """The record being applied cannot be read: its bytes go to the queue, in the same transaction."""
        headers = dlq_headers(
            topic=RAW.name, partition=self.lane, offset=self._offset, timestamp=timestamp, error=error, attempt=1,
            size=len(value or b""),
        )  # fmt: skip
        self._outputs.append(Output(_DLQ, 0, key or b"", dead_value(value), headers))

    def _put(
        self, topic: Topic, partition: int, key: str, type_: str, subject: str, value: bytes | None, n: int | None
    ) -> None:
        fixed = self._fixed.get(type_) or self._fix(type_)
        outputs = self._outputs
        id_ = (self._next_id or event_id(RAW.name, self.lane, self._offset, self._taken + len(outputs))).encode()
        self._next_id = None
        if self._at is None:
            self._new_time()
        if self._source is None:
            self._source = (X_SOURCE, b"%b:%d:%d" % (_SOURCE, self.lane, self._offset))
        headers = [
            (CE_ID, id_),
            _EMITTER,
            self._time,
            (CE_SUBJECT, subject.encode("utf-8", "replace")),
            self._source,
            *fixed,
        ]
        if n is not None:
            headers.append((X_N, b"%d" % n))
        if self._trace is not None:
            headers.append((TRACEPARENT, continued(self._trace, span_of_event(id_))))
        outputs.append(Output(topic, partition, key.encode(), value, headers))

    def _fix(self, type_: str) -> Headers:
        """The headers that all outputs of a type have alike."""
        whole = event_headers(id="", type=type_, source="", time="", subject="")
        varying = (CE_ID, CE_SOURCE, CE_TIME, CE_SUBJECT)
        self._fixed[type_] = [*(pair for pair in whole if pair[0] not in varying), self._version]
        return self._fixed[type_]


class _OwnTrace:
    """Ends what follows an earlier record. One for all blocks, because they do not nest."""

    __slots__ = ("_emit",)

    def __init__(self, emit: Emitter) -> None:
        self._emit = emit

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        self._emit.own_trace()


def _capped(update: MediaUpdate) -> bytes:
    value = encode(update)
    if len(value) > MAX_OUTPUT_BYTES and not isinstance(update, ItemDeleted):
        return encode(structs.replace(update, media=_without_analysis(update.media)))
    return value


def _without_analysis(item: MediaItem) -> MediaItem:
    return structs.replace(item, analysis=None)
