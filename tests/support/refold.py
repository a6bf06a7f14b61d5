"""Fold a recorded log once more: as it stands, with ticks put between its records, or in another process.

`python -m tests.support.refold` reads records as JSON lines and writes the digest of all outputs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from schemas import raw
from schemas.analysis import Job
from schemas.codec import Codec, encode
from schemas.headers import raw_headers
from schemas.raw import RawRecord
from schemas.topics import ANALYSIS_JOBS
from streams.core.emit import Output
from streams.core.fold import Fold

_job: Codec[Job] = Codec(Job)
HEADERS = raw_headers("any")


@dataclass(frozen=True, slots=True)
class Stored:
    """One record as it stands in the log. `at`: append time in milliseconds."""

    offset: int
    at: int
    key: bytes
    value: bytes | None


def stored(log: Iterable[tuple[int, int, bytes, RawRecord]]) -> list[Stored]:
    """A lane's log in bytes."""
    return [Stored(offset, at, key, encode(record)) for offset, at, key, record in log]


def folded(log: Iterable[Stored], fold: Fold | None = None) -> list[Output]:
    """All outputs of a fold from the beginning; `fold`: that one."""
    fold = fold or Fold(0)
    return [o for r in log for o in fold.apply_bytes(r.offset, r.at, r.key, r.value, HEADERS)]


def digest(outputs: Iterable[Output]) -> str:
    """A digest of everything that a reader of the outputs could see."""
    whole = hashlib.sha256()
    for output in outputs:
        parts = (output.topic.name, output.partition, output.key, output.value, output.headers)
        whole.update(repr(parts).encode())
    return whole.hexdigest()


def with_ticks(
    log: list[tuple[int, int, bytes, RawRecord]], between: list[int]
) -> Iterator[tuple[int, list[Output]]]:
    """Fold with ticks between the records, `between[i]` of them before record i (as many as there are), evenly in
    time. Offsets are ten times as far apart, so that a record has the same offset with and without ticks.
    Results answer the job that was asked in the same place of the order: its id is of the record that decided."""
    fold, places = Fold(0), _job_places(log)
    jobs: list[str] = []
    last = log[0][1]
    for number, (offset, at, key, record) in enumerate(log):
        ticks = between[number % len(between)] if between and at > last else 0
        for tick in range(ticks):
            outputs = fold.apply(
                offset * 10 - 9 + tick, last + (at - last) * (tick + 1) // (ticks + 1), key, raw.Tick()
            )
            jobs += _job_ids(outputs)
            yield offset, outputs
        if isinstance(record, raw.Result) and record.job in places:
            record = msgspec.structs.replace(record, job=jobs[places[record.job]])
        outputs = fold.apply(offset * 10, at, key, record)
        jobs += _job_ids(outputs)
        yield offset, outputs
        last = at


def _job_places(log: list[tuple[int, int, bytes, RawRecord]]) -> dict[str, int]:
    fold = Fold(0)
    ids = [id_ for offset, at, key, record in log for id_ in _job_ids(fold.apply(offset, at, key, record))]
    return {id_: number for number, id_ in enumerate(ids)}


def _job_ids(outputs: list[Output]) -> list[str]:
    return [_job.decode(o.value).job for o in outputs if o.topic is ANALYSIS_JOBS]


def lines(log: Iterable[Stored]) -> Iterator[str]:
    """A log as JSON lines."""
    for record in log:
        value = None if record.value is None else base64.b64encode(record.value).decode()
        yield json.dumps([record.offset, record.at, record.key.decode(), value])


def read_lines(text: Iterable[str]) -> Iterator[Stored]:
    """The log again."""
    for line in text:
        offset, at, key, value = json.loads(line)
        yield Stored(offset, at, key.encode(), None if value is None else base64.b64decode(value))


if __name__ == "__main__":
    print(digest(folded(read_lines(sys.stdin))))
