"""Only records of a known version with sound paths enter; anything else is a dead letter and time goes on."""

from __future__ import annotations

import pytest

from schemas import raw
from schemas.codec import encode
from schemas.errors import SchemaError
from schemas.headers import find, raw_headers
from schemas.raw import RawRecord
from streams.core import intake
from streams.core.rules import RULES_1
from tests.support.lane import START, Lane, a_file, kinds

HEAD = {"root": "films", "epoch": "e1", "seq": 1, "observed_at": "2026-01-01T00:00:00.000Z"}
HEADERS = raw_headers("observed")


def observed(path: str) -> bytes:
    return encode(raw.Observed(**HEAD, path=path, file=None, origin="live"))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["a", "a/b", "...", "a/..b", "日本", "a b", "a\nb", "\\", "-"])
def test_any_name_that_a_file_can_have_enters(path: str) -> None:
    record = intake.read(RULES_1, observed(path), HEADERS)
    assert isinstance(record, raw.Observed)
    assert record.path == path


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", "a\0b"])
def test_what_is_no_path_below_a_root_does_not(path: str) -> None:
    with pytest.raises(SchemaError):
        intake.read(RULES_1, observed(path), HEADERS)


@pytest.mark.parametrize(("source", "target"), [("a", "a/b"), ("a/b", "a")])
def test_nothing_moves_into_or_out_of_itself(source: str, target: str) -> None:
    moved = raw.Moved(**HEAD, path=target, from_path=source, file=a_file(1), origin="live")  # type: ignore[arg-type]
    with pytest.raises(SchemaError):
        intake.read(RULES_1, encode(moved), HEADERS)


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{", b"[]", b"\xff", b'{"kind":"unheard of"}', b'{"kind":"observed"}', b" " * 70_000],
)
def test_what_cannot_be_decoded_does_not(value: bytes | None) -> None:
    with pytest.raises(SchemaError):
        intake.read(RULES_1, value, HEADERS)


def test_a_newer_major_version_does_not() -> None:
    with pytest.raises(SchemaError):
        intake.read(RULES_1, observed("a"), [("schema-version", b"2")])


def test_a_record_without_headers_is_of_version_one() -> None:
    assert intake.read(RULES_1, observed("a"), []) is not None


def test_bad_base64_does_not() -> None:
    record = raw.Observed(**HEAD, path="a", path_b64="%", file=None, origin="live")  # type: ignore[arg-type]
    with pytest.raises(SchemaError):
        intake.read(RULES_1, encode(record), HEADERS)


def test_a_dead_letter_has_the_bytes_and_where_they_came_from_and_time_goes_on(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    outputs = lane.fold.apply_bytes(2, START + 2_000, b"home", b"{", HEADERS)
    letter = outputs[-1]
    assert [output.topic.name for output in outputs].count(letter.topic.name) == 1
    assert (letter.topic.name, letter.key, letter.value) == ("catalog.fs.raw.v1.dlq", b"home", b"{")
    assert find(letter.headers, "x-original-offset") == b"2"
    assert find(letter.headers, "x-original-timestamp") == b"%d" % (START + 2_000)
    assert len(outputs) > 1, "what was due by its time is told too"
    lane.offset, lane.at = 3, START + 2_000
    assert kinds(lane.later(1)) == []


def test_bytes_and_records_are_folded_alike() -> None:
    one, other = Lane(), Lane()
    one.declare()
    one.see("a.mkv", a_file(1))
    one.later(2_000)
    outputs = []
    for offset, at, key, record in one.log:
        kept: RawRecord = record
        outputs += other.fold.apply_bytes(offset, at, key, encode(kept), raw_headers("any"))
    assert outputs == one.outputs
