"""Outputs: encoded, addressed, with deterministic ids and consecutive numbers.

An output's id is a function of the source record's position and its index among that record's outputs; its `x-n` is
consecutive per topic and lane. Nothing here decides whether there is an output.
"""

from __future__ import annotations

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
    REQUESTED_JOBS,
    Topic,
    dlq_of,
)  # fmt: skip
from schemas.trace import continued, span_of_event
from streams.core.rules import Rules
from streams.core.state import Numbers

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
    """Collects the outputs of one record at a time; they may be taken in parts. `numbers`: the lane's, which are
    incremented here. `trace` of an output: the context of the observation that it follows from; `id_`: its id, if that
    had to be known before (`next_id`)."""

    def __init__(self, lane: int, rules: Rules, numbers: Numbers) -> None:
        self.lane = lane
        self.adopt(rules)
        self._numbers = numbers
        self._before = (numbers.changes, numbers.media_updates, numbers.analysis_updates)
        self._offset = -1
        self._append_time = -1
        self._at: str | None = None
        self._time = (CE_TIME, b"")
        self._source: tuple[str, bytes] | None = None
        self._outputs: list[Output] = []
        self._taken = 0

    def adopt(self, rules: Rules) -> None:
        """From here on outputs are by these rules."""
        self._cap = rules.output_cap_bytes
        self._version = (X_FOLD_VERSION, str(rules.version).encode())
        self._fixed: dict[str, Headers] = {}

    @property
    def counters_before(self) -> Counters:
        """The last `x-n` assigned per topic, before the record that is being applied."""
        changes, media, analysis = self._before
        return Counters(changes=changes, media_updates=media, analysis_updates=analysis)

    def begin(self, offset: int, append_time: int) -> None:
        """Begin the next record: ids are made of its position, and its append time (ms) is `at`."""
        self._offset = offset
        numbers = self._numbers
        self._before = (numbers.changes, numbers.media_updates, numbers.analysis_updates)
        self._outputs = []
        self._taken = 0
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

    def take(self) -> list[Output]:
        """The outputs of the record since the last call."""
        outputs = self._outputs
        if outputs:
            self._outputs = []
            self._taken += len(outputs)
        return outputs

    def next_id(self) -> str:
        """The id of the next output: it names a job, and is the cause of what belongs to a directory's move."""
        return event_id(RAW.name, self.lane, self._offset, self._taken + len(self._outputs))

    def change(
        self, change: Change, type_: str, subject: str, trace: bytes | None, *, id_: str | None = None
    ) -> None:
        """Publish to the changes topic."""
        n = self._numbers.changes = self._numbers.changes + 1
        self._put(CHANGES, self.lane, change.library, type_, subject, encode(change), n, trace, id_)

    def media_update(self, library: str, update: MediaUpdate, trace: bytes | None) -> None:
        """Publish to the media updates."""
        n = self._numbers.media_updates = self._numbers.media_updates + 1
        value, subject = self._capped(update), str(update.media_id)
        self._put(MEDIA_UPDATES, self.lane, library, "media_update", subject, value, n, trace)

    def analysis_complete(self, library: str, update: AnalysisComplete, trace: bytes | None) -> None:
        """Publish to the analysis updates."""
        n = self._numbers.analysis_updates = self._numbers.analysis_updates + 1
        subject, value = str(update.storage_root), encode(update)
        self._put(ANALYSIS_UPDATES, self.lane, library, "analysis_complete", subject, value, n, trace)

    def state(self, media_id: int, item: MediaItem | None, trace: bytes | None) -> None:
        """Publish the item's newest state, or its tombstone."""
        value = None if item is None else encode(item)
        if value is not None and len(value) > self._cap and item is not None:
            value = encode(_without_analysis(item))
        key = str(media_id)
        self._put(MEDIA_STATE, self.lane, key, "media_state", key, value, None, trace)

    def job(self, job: Job, trace: bytes | None) -> None:
        """Request an analysis. The job's name is this output's id."""
        key = str(job.media_id)
        partition = job.media_id // LANES_PER_ID % JOB_PARTITIONS
        topic = ANALYSIS_JOBS if job.request is None else REQUESTED_JOBS
        self._put(topic, partition, key, "analysis_job", key, encode(job), None, trace, job.job)

    def dead_letter(self, key: bytes | None, value: bytes | None, timestamp: int, error: Exception) -> None:
        """The record being applied cannot be read: publish its bytes to the dead letter queue, in the same
        transaction."""
        headers = dlq_headers(
            topic=RAW.name, partition=self.lane, offset=self._offset, timestamp=timestamp, error=error, attempt=1,
            size=len(value or b""),
        )  # fmt: skip
        self._outputs.append(Output(_DLQ, 0, key or b"", dead_value(value), headers))

    def _put(
        self, topic: Topic, partition: int, key: str, type_: str, subject: str, value: bytes | None,
        n: int | None, trace: bytes | None, id_: str | None = None,
    ) -> None:  # fmt: skip
        fixed = self._fixed.get(type_) or self._fix(type_)
        outputs = self._outputs
        id_bytes = (id_ or event_id(RAW.name, self.lane, self._offset, self._taken + len(outputs))).encode()
        if self._at is None:
            self._new_time()
        if self._source is None:
            self._source = (X_SOURCE, b"%b:%d:%d" % (_SOURCE, self.lane, self._offset))
        headers = [
            (CE_ID, id_bytes),
            _EMITTER,
            self._time,
            (CE_SUBJECT, subject.encode("utf-8", "replace")),
            self._source,
            *fixed,
        ]
        if n is not None:
            headers.append((X_N, b"%d" % n))
        if trace is not None:
            headers.append((TRACEPARENT, continued(trace, span_of_event(id_bytes))))
        outputs.append(Output(topic, partition, key.encode(), value, headers))

    def _capped(self, update: MediaUpdate) -> bytes:
        value = encode(update)
        if len(value) > self._cap and not isinstance(update, ItemDeleted):
            return encode(structs.replace(update, media=_without_analysis(update.media)))
        return value

    def _fix(self, type_: str) -> Headers:
        """The headers that are the same for all outputs of a type."""
        whole = event_headers(id="", type=type_, source="", time="", subject="")
        varying = (CE_ID, CE_SOURCE, CE_TIME, CE_SUBJECT)
        self._fixed[type_] = [*(pair for pair in whole if pair[0] not in varying), self._version]
        return self._fixed[type_]


def _without_analysis(item: MediaItem) -> MediaItem:
    return structs.replace(item, analysis=None)
