"""Outputs carry deterministic ids, dense numbers, their source and their time."""

from __future__ import annotations

import uuid

from schemas import raw
from schemas.found import Found
from schemas.headers import find
from schemas.ids import NAMESPACE
from streams.core.emit import Output
from streams.core.fold import Fold
from streams.core.rules import RULES_1
from tests.support.lane import START, Lane, a_file, decoded


def outputs(lane: int = 0) -> list[Output]:
    written = Lane(Fold(lane))
    written.declare()
    written.see("a.mkv", a_file(1))
    written.see("b.mkv", a_file(2))
    written.later(2_000)
    return written.outputs


def test_an_id_is_made_of_the_source_position_and_the_index_among_its_outputs() -> None:
    last = [output for output in outputs(3) if find(output.headers, "x-source") == b"catalog.fs.raw.v1:3:3"]
    expected = [str(uuid.uuid5(NAMESPACE, f"catalog.fs.raw.v1:3:3:{index}")) for index in range(len(last))]
    assert [find(output.headers, "ce_id") for output in last] == [id_.encode() for id_ in expected]
    assert len(last) == 8


def test_numbers_are_dense_per_topic_from_one() -> None:
    numbers: dict[str, list[int]] = {}
    for one in decoded(outputs()):
        if one.n is not None:
            numbers.setdefault(one.topic, []).append(one.n)
    assert numbers == {"catalog.fs.changes.v1": [1, 2, 3], "catalog.media.updates.v1": [1, 2]}


def test_counters_are_the_last_numbers() -> None:
    lane = Lane()
    lane.declare()
    lane.see("a.mkv", a_file(1))
    lane.later(2_000)
    counters = lane.fold.counters
    assert (counters.changes, counters.media_updates, counters.analysis_updates) == (2, 1, 0)


def test_headers_are_those_of_a_cloud_event() -> None:
    created = next(o for o in outputs() if find(o.headers, "ce_type") == b"created")
    assert {name: value for name, value in created.headers if name != "ce_id"} == {
        "ce_source": b"urn:catalogizer:fold", "ce_time": b"2023-11-14T22:13:22.000Z", "ce_subject": b"films/a.mkv",
        "x-source": b"catalog.fs.raw.v1:0:3", "ce_specversion": b"1.0", "ce_type": b"created",
        "ce_dataschema": b"urn:catalogizer:schema:created:1", "content-type": b"application/json",
        "x-fold-version": str(RULES_1.version).encode(), "x-n": b"2",
    }  # fmt: skip


def test_the_time_is_the_append_time_of_the_deciding_record() -> None:
    times = {find(o.headers, "ce_time") for o in outputs()}
    assert times == {b"2023-11-14T22:13:20.000Z", b"2023-11-14T22:13:22.000Z"}
    assert START == 1_700_000_000_000


def test_the_outputs_of_a_lane_are_of_its_partition_and_jobs_are_spread() -> None:
    for output in outputs(3):
        expected = None if output.topic.name == "catalog.analysis.jobs.v1" else 3
        assert expected is None or output.partition == expected
    assert {o.partition for o in outputs(3) if o.topic.name == "catalog.analysis.jobs.v1"} == {2, 3}


def test_no_output_is_longer_than_the_cap() -> None:
    lane = Lane()
    lane.declare()
    lane.see("a.mkv", a_file(1))
    job = next(t for t in lane.later(2_000) if t.topic == "catalog.analysis.jobs.v1")
    one = lane.put(
        raw.Result(
            job=str(job["job"]), media_id=2_048, root="films", size=1_000, mtime_ns=1, inode=1, status="done",
            found=Found(languages=("x" * 1_000,) * 400, title="Alien"),
        )
    )  # fmt: skip
    assert all(len(o.value or b"") <= RULES_1.output_cap_bytes for o in lane.outputs)
    assert [t.topic for t in one] == ["catalog.media.updates.v1", "catalog.media.state.v1"]
    assert one[0]["action"] == "analyzed"
