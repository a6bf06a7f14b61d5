"""What an audit takes from the log: sequence numbers without a hole, the records that count, the state that they give."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from cli.audit.belief import LaneBelief
from cli.audit.findings import Finding, GapFound, Hole, NoRecord, PathState, Repeated
from cli.audit.traces import Traces
from schemas import raw
from schemas.codec import encode
from schemas.log_record import LogRecord
from schemas.topics import RAW
from tests.oracle.model import RecordReader
from tests.support.golden_records import EXAMPLES

ROOT: dict[str, Any] = {"root": "films", "epoch": "e1", "observed_at": "2026-01-01T00:00:00Z"}
FILE = raw.FileState("file", 5, 7, 1, 2)
DIRECTORY = raw.FileState("dir", 0, 0, 1, 3)


@dataclass(frozen=True, slots=True)
class Logged:
    """A record as it stands in the log."""

    offset: int
    value: bytes | None
    topic: str = "raw"
    partition: int = 0
    key: bytes | None = b"home"
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def timestamp(self) -> int:
        """A second after each other."""
        return 1_000 * self.offset


def logged(*records: raw.RawRecord) -> list[LogRecord]:
    return [Logged(offset, encode(record)) for offset, record in enumerate(records)]


def believed(*records: raw.RawRecord) -> LaneBelief:
    belief = LaneBelief(0, ["films"])
    for record in logged(*records):
        belief.read(record)
    return belief


def declared(seq: int = 1, epoch: str = "e1") -> raw.RootDeclared:
    return raw.RootDeclared(
        seq=seq, library="home", site="main", protocol="local", location="/films", identity=None,
        **(ROOT | {"epoch": epoch}),
    )  # fmt: skip


def there(seq: int, path: str, file: raw.FileState | None = FILE, **more: Any) -> raw.Observed:
    return raw.Observed(**(ROOT | {"seq": seq, "path": path, "file": file, "origin": "live"} | more))


def moved(seq: int, source: str, target: str, file: raw.FileState = FILE) -> raw.Moved:
    return raw.Moved(seq=seq, path=target, from_path=source, file=file, origin="live", **ROOT)


def scan(seq: int, number: int, *, total: int | None = None, origin: raw.Origin = "baseline", **more: Any) -> Any:
    common = ROOT | {"seq": seq, "scan": number, "origin": origin, "cause": "start"} | more
    if total is None:
        return raw.ScanStarted(**common)
    return raw.ScanFinished(**(common | {"total": total, "counts": raw.Counts()}))


def paths(belief: LaneBelief) -> set[str]:
    tree = belief.roots["films"].tree
    assert tree is not None
    return {path for path, _ in tree.walk()}


def holes(belief: LaneBelief) -> list[tuple[int, int, int, int, int | None]]:
    return [
        (f.first_seq, f.last_seq, f.offset, f.late, f.healed_at) for f in belief.findings() if isinstance(f, Hole)
    ]


def repeated(belief: LaneBelief) -> list[Finding]:
    return [f for f in belief.findings() if isinstance(f, Repeated)]


# -- sequence numbers ------------------------------------------------------------------------------------------


def test_numbers_dense_from_1_are_no_finding() -> None:
    assert list(believed(declared(), there(2, "a"), there(3, "b")).findings()) == []


def test_a_hole_is_named_with_the_record_behind_it_and_what_came_too_late() -> None:
    belief = believed(declared(), there(5, "a"), there(3, "late"), there(6, "b"))
    assert holes(belief) == [(2, 4, 1, 1, None)]
    assert paths(belief) == {"a", "b"}


def test_an_outbox_that_does_not_begin_at_1_has_a_hole() -> None:
    assert holes(believed(declared(seq=3))) == [(1, 2, 0, 0, None)]


def test_what_is_sent_again_is_counted_in_one_piece_and_is_no_fault() -> None:
    records = (declared(), there(2, "a"), there(3, "b"))
    (again,) = repeated(believed(*records, *records[1:], there(4, "c")))
    assert again == Repeated(
        severity="note", root="films", epoch="e1", first_seq=2, last_seq=3, partition=0, offset=3, last_offset=4,
        first_offset=1, same=True,
    )  # fmt: skip


def test_two_records_of_one_number_are_a_fault_where_they_differ() -> None:
    (again,) = repeated(believed(declared(), there(2, "a"), there(2, "b")))
    assert (again.severity, again.why) == ("fault", "two different records have one number")


def test_each_outbox_has_numbers_of_its_own() -> None:
    belief = believed(declared(), there(2, "a"), declared(epoch="e2"), there(2, "b", epoch="e2"))
    assert list(belief.findings()) == []


def test_a_whole_baseline_makes_up_for_the_holes_before_it_and_for_what_it_has_not_found() -> None:
    belief = believed(
        declared(), there(3, "gone"), there(4, "a"), scan(5, 1), there(6, "a", scan=1, origin="baseline"),
        scan(7, 1, total=1),
    )  # fmt: skip
    assert holes(belief) == [(2, 2, 1, 0, 5)]
    assert paths(belief) == {"a"}


def test_a_baseline_of_which_records_are_missing_makes_up_for_nothing() -> None:
    belief = believed(
        declared(), there(3, "kept"), scan(4, 1), there(5, "a", scan=1, origin="baseline"), scan(6, 1, total=2)
    )
    assert holes(belief) == [(2, 2, 1, 0, None)]
    assert paths(belief) == {"kept", "a"}


def test_what_a_baseline_could_not_read_is_not_gone() -> None:
    belief = believed(
        declared(), there(2, "d", DIRECTORY), there(3, "d/a"), there(4, "e"), scan(5, 1),
        scan(6, 1, total=0, unseen=(raw.Unseen("d"),)),
    )  # fmt: skip
    assert paths(belief) == {"d", "d/a"}


# -- which records count ---------------------------------------------------------------------------------------


def test_records_of_an_outbox_that_is_not_adopted_do_not_count() -> None:
    belief = believed(
        there(1, "before"), declared(), declared(epoch="e2"), there(2, "late"), there(2, "a", epoch="e2")
    )
    assert paths(belief) == {"a"}
    assert belief.dropped == {"undeclared_root": 1, "other_epoch": 1}


def test_what_is_no_record_is_named() -> None:
    belief = LaneBelief(0, [])
    belief.read(Logged(7, b"{"))
    (found,) = belief.findings()
    assert isinstance(found, NoRecord)
    assert (found.offset, found.severity) == (7, "note")


def test_a_root_that_was_retired_has_nothing() -> None:
    belief = believed(declared(), there(2, "a"), raw.RootRetired(root="films", by="me", at="now"))
    assert (paths(belief), belief.roots["films"].retired) == (set(), True)


def test_a_gap_is_open_until_its_cause_is_made_up_for_there_or_above() -> None:
    def gap(kind: type[raw.GapOpen | raw.GapClosed], seq: int, cause: str, subtree: str) -> Any:
        more = {"counts": raw.Counts(added=1)} if kind is raw.GapClosed else {}
        return kind(**(ROOT | {"seq": seq, "cause": cause, "subtree": subtree} | more))

    belief = believed(
        declared(), gap(raw.GapOpen, 2, "overflow", "a/b"), gap(raw.GapOpen, 3, "watch_limit", ""),
        gap(raw.GapClosed, 4, "overflow", "a"),
    )  # fmt: skip
    found = [f for f in belief.findings() if isinstance(f, GapFound)]
    assert [(f.cause, f.severity, f.opened_offset, f.closed_offset, f.counts) for f in found] == [
        ("overflow", "note", 1, 3, raw.Counts(added=1)), ("watch_limit", "pending", 2, None, None),
    ]  # fmt: skip


def test_a_new_outbox_with_a_whole_baseline_ends_the_gaps_of_the_one_before() -> None:
    belief = believed(
        declared(), raw.GapOpen(seq=2, cause="overflow", **ROOT), declared(epoch="e2"), scan(2, 1, epoch="e2"),
        scan(3, 1, total=0, epoch="e2"),
    )  # fmt: skip
    assert belief.roots["films"].gaps.still_open() == []


# -- what they say ---------------------------------------------------------------------------------------------


def test_names_with_any_bytes_are_carried_exactly() -> None:
    belief = believed(declared(), there(2, "caf\N{REPLACEMENT CHARACTER}\n", path_b64="Y2Fm6Qo="))
    assert paths(belief) == {"caf\udce9\n"}


def test_a_directory_takes_along_what_is_below_it_and_leaves_what_stands_where_it_goes() -> None:
    belief = believed(
        declared(), there(2, "a", DIRECTORY), there(3, "a/x"), there(4, "b", DIRECTORY), there(5, "b/y"),
        moved(6, "a", "b", DIRECTORY),
    )  # fmt: skip
    assert paths(belief) == {"b", "b/x", "b/y"}


NAMES = st.sampled_from("abc")
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@st.composite
def reported(draw: st.DrawFn) -> list[raw.Observed | raw.Moved]:
    records: list[raw.Observed | raw.Moved] = []
    for seq in range(2, 2 + draw(st.integers(0, 25))):
        path = draw(PATHS)
        match draw(st.sampled_from(("file", "dir", "gone", "move"))):
            case "file":
                records.append(there(seq, path, structs.replace(FILE, size=seq)))
            case "dir":
                records.append(there(seq, path, DIRECTORY))
            case "gone":
                records.append(there(seq, path, None))
            case _:
                target = draw(PATHS)
                if f"{target}/".startswith(f"{path}/") or f"{path}/".startswith(f"{target}/"):
                    records.append(there(seq, path, None))
                else:
                    records.append(moved(seq, path, target, DIRECTORY))
    return records


@settings(max_examples=300, deadline=None)
@given(reported())
def test_it_believes_what_any_reader_does(records: list[raw.Observed | raw.Moved]) -> None:
    reader = RecordReader()
    for record in records:
        reader.read(encode(record))
    tree = believed(declared(), *records).roots["films"].tree
    assert tree is not None
    assert {path.encode(): (n.type, n.size, n.mtime_ns) for path, n in tree.walk()} == {
        path: (thing.kind, thing.size, thing.mtime_ns) for path, thing in reader.tree.items()
    }
    assert json.loads(encode(PathState("dir"))) == {"type": "dir", "size": 0, "mtime_ns": 0}


# -- where it comes from ---------------------------------------------------------------------------------------


def test_the_last_record_that_names_a_path_is_found_or_that_of_a_directory_above() -> None:
    traces = Traces([("films", "d/a"), ("films", "d/b")])
    records = (
        declared(), there(2, "d/a", cause="start"), there(3, "d/c"), moved(4, "e", "d", DIRECTORY),
        there(5, "d/a", None),
    )  # fmt: skip
    for record in logged(*records):
        traces.read(record)
    of_a, of_b = traces.of("films", "d/a"), traces.of("films", "d/b")
    assert of_a is not None
    assert of_b is not None
    assert (of_a.offset, of_a.kind, of_b.offset, of_b.kind) == (4, "gone", 3, "moved")
    assert traces.last_at("films", "d/b") == 3_000
    assert traces.of("music", "d/a") is None


@pytest.mark.parametrize(
    "record", [record for topic, record in EXAMPLES.values() if topic is RAW], ids=lambda one: type(one).__name__
)
def test_no_kind_of_record_that_this_program_writes_is_a_finding(record: raw.RawRecord) -> None:
    belief = believed(declared(), record)
    assert [found for found in belief.findings() if isinstance(found, NoRecord)] == []
