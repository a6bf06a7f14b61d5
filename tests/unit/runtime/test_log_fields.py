"""A log line about a record identifies it: place, event, library, trace."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest
from structlog.contextvars import get_contextvars

from runtime.log_fields import fields, of_library, processing
from schemas.headers import event_headers
from schemas.topics import ANALYSIS_JOBS, CHANGES, RAW
from schemas.trace import begun
from streams.guard import Received

TRACE = begun(b"x")


def record(topic: str, key: bytes | None, headers: tuple[tuple[str, bytes], ...]) -> Received:
    return Received(topic, 2, 7, 1, key, b"v", headers)


CHANGE = record(
    CHANGES.name, b"home",
    (*event_headers(id="e-1", type="x", source="s", time="t", subject="p"), ("traceparent", TRACE)),
)  # fmt: skip


def test_a_derived_record_has_place_event_library_and_trace() -> None:
    assert fields(CHANGE) == {
        "topic": CHANGES.name, "partition": 2, "offset": 7, "event_id": "e-1", "library": "home",
        "trace": TRACE[3:35].decode(),
    }  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "test."])
def test_a_raw_record_has_no_event_id_and_its_key_is_the_library(prefix: str) -> None:
    found = fields(record(prefix + RAW.name, b"home", ()))
    assert found == {"topic": prefix + RAW.name, "partition": 2, "offset": 7, "library": "home"}


def test_another_key_is_no_library() -> None:
    assert "library" not in fields(record(ANALYSIS_JOBS.name, b"17", ()))


def test_every_line_of_what_is_being_processed_has_them_and_none_after_it() -> None:
    seen: list[dict[str, object]] = []

    async def body() -> None:
        seen.append(get_contextvars())

    async def run() -> None:
        with processing(record(ANALYSIS_JOBS.name, b"17", ())):
            of_library("home")
            await asyncio.create_task(body())
        await body()

    asyncio.run(run())
    assert seen == [{"topic": ANALYSIS_JOBS.name, "partition": 2, "offset": 7, "library": "home"}, {}]


def test_a_line_is_json_with_the_fields_of_its_record() -> None:
    script = (
        "from runtime import log; from runtime.settings import LogSettings\n"
        "log.configure(LogSettings(format='json'), 'stream'); log.bind(library='home', offset=7)\n"
        "log.get('streams').warning('trying again', error='no')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    line = json.loads(done.stderr)
    assert line.items() >= {
        "event": "trying again", "component": "stream", "library": "home", "offset": 7, "error": "no",
    }.items()  # fmt: skip
