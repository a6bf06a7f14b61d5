"""What came of an observation goes on with its trace, whenever and with which record it was decided."""

from __future__ import annotations

from typing import Any

from schemas import raw
from schemas.codec import encode
from schemas.headers import TRACEPARENT, find, raw_headers
from schemas.ids import event_id
from schemas.raw import RawRecord
from schemas.trace import begun, continued, sound, span_of_event, span_of_value
from streams.core.emit import Output
from streams.core.fold import Fold
from tests.support.lane import IDENTITY, START, a_file

HEAD: dict[str, Any] = {"root": "films", "epoch": "e1", "observed_at": "2026-01-01T00:00:00.000Z"}


class Traced:
    """A lane whose producer's records carry their contexts, as a producer writes them."""

    def __init__(self) -> None:
        self.fold = Fold(0)
        self.offset = 0
        self.put(
            raw.RootDeclared(
                **HEAD, seq=1, library="home", site="main", protocol="local", location="/m", identity=IDENTITY
            ),
            0,
        )

    def put(self, record: RawRecord, at: int, context: bytes | None = None) -> list[Output]:
        """Append a record; `context`: another than its own."""
        value = encode(record)
        headers = raw_headers("any", context or begun(value))
        self.offset += 1
        return self.fold.apply_bytes(self.offset - 1, START + at, b"home", value, headers)

    def see(self, seq: int, path: str, inode: int | None, at: int) -> bytes:
        """An observation; its trace."""
        file = None if inode is None else a_file(inode)
        record = raw.Observed(**HEAD, seq=seq, path=path, file=file, origin="live")
        self.put(record, at)
        return trace(begun(encode(record)))


def trace(context: bytes | None) -> bytes:
    """The trace id."""
    assert sound(context) is not None
    assert context is not None
    return context.split(b"-")[1]


def traces(outputs: list[Output], topic: str) -> list[bytes]:
    """Trace ids of the outputs to a topic."""
    return [trace(find(o.headers, TRACEPARENT)) for o in outputs if o.topic.name == topic]


def test_files_that_settle_with_another_record_keep_their_own_traces() -> None:
    lane = Traced()
    first, second = lane.see(2, "a.mkv", 1, 10), lane.see(3, "b.mkv", 2, 20)
    outputs = lane.put(raw.Tick(), 5_000)
    for topic in ("catalog.fs.changes.v1", "catalog.media.updates.v1", "catalog.analysis.jobs.v1"):
        assert traces(outputs, topic) == [first, second]
    contexts = [find(output.headers, TRACEPARENT) for output in outputs]
    assert len(set(contexts)) == len(contexts), "each record is a span of its own"


def test_a_path_seen_again_goes_on_with_the_latest() -> None:
    lane = Traced()
    lane.see(2, "a.mkv", 1, 10)
    latest = lane.see(3, "a.mkv", 5, 20)
    assert traces(lane.put(raw.Tick(), 5_000), "catalog.fs.changes.v1") == [latest]


def test_a_result_and_what_it_leads_to_are_in_the_trace_of_the_observation() -> None:
    lane = Traced()
    seen = lane.see(2, "a.mkv", 1, 10)
    (job,) = [o for o in lane.put(raw.Tick(), 5_000) if o.topic.name == "catalog.analysis.jobs.v1"]
    file = a_file(1)
    result = raw.Result(
        job=(find(job.headers, "ce_id") or b"").decode(), media_id=int(job.key), root="films", size=file.size,
        mtime_ns=file.mtime_ns, inode=file.inode, status="failed",
    )  # fmt: skip
    context = continued(find(job.headers, TRACEPARENT) or b"", span_of_value(encode(result)))
    outputs = lane.put(result, 6_000, context)
    assert traces(outputs, "catalog.media.updates.v1") == [seen]


def test_what_is_decided_of_a_record_at_once_is_in_its_own_trace_also_after_others() -> None:
    lane = Traced()
    seen = lane.see(2, "a.mkv", 1, 10)
    lost = raw.RootLost(**HEAD, seq=3, cause="unmounted")
    outputs = lane.put(lost, 5_000)
    assert traces(outputs, "catalog.fs.changes.v1") == [seen, trace(begun(encode(lost)))]


def test_a_header_that_is_no_context_is_not_carried() -> None:
    for wrong in (b"", b"00-1-2-01", begun(b"x").upper(), begun(b"x") + b"0", b"\xff" * 55):
        assert sound(wrong) is None
    lane = Traced()
    record = raw.RootLost(**HEAD, seq=2, cause="unmounted")
    (output,) = lane.put(record, 10, b"nonsense")
    assert find(output.headers, TRACEPARENT) is None


def test_ids_are_made_from_the_records() -> None:
    assert begun(b"a") == begun(b"a") != begun(b"b")
    context = begun(b"a")
    for span in (span_of_value(b"x"), span_of_event(event_id("topic", 0, 1, 2).encode())):
        assert trace(continued(context, span)) == trace(context)
        assert continued(context, span) != context
    assert span_of_value(b"x") != span_of_value(b"y")
