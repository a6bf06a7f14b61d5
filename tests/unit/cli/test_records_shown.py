"""Records as they are shown: exact for machines, harmless for terminals."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.errors import BadArgument
from cli.records import CSV_COLUMNS, csv_line, csv_row, json_line, json_output, line, parse_filter


@dataclass(frozen=True, slots=True)
class Record:
    key: bytes | None = b"home"
    value: bytes | None = b'{"kind":"moved","root":"movies","media":{"storage_root":"music","year":1999}}'
    headers: tuple[tuple[str, bytes], ...] = (("ce_type", b"change"), ("x-n", b"7"))
    topic: str = "t"
    partition: int = 1
    offset: int = 2
    timestamp: int = 0


def test_a_record_is_one_object_on_one_line() -> None:
    assert json.loads(json_line(Record())) == {
        "topic": "t",
        "partition": 1,
        "offset": 2,
        "timestamp": "1970-01-01T00:00:00.000Z",
        "key": "home",
        "headers": {"ce_type": "change", "x-n": "7"},
        "value": {"kind": "moved", "root": "movies", "media": {"storage_root": "music", "year": 1999}},
    }


def test_a_value_is_spliced_as_it_stands_in_the_log() -> None:
    assert b'"value":{"n":1.0, "b" :9007199254740993}' in json_line(
        Record(value=b'{"n":1.0, "b" :9007199254740993}')
    )


def test_a_tombstone_is_null() -> None:
    assert json.loads(json_line(Record(value=None)))["value"] is None


@given(st.binary(max_size=100), st.binary(max_size=20))
def test_any_record_is_one_line_that_gives_its_bytes_back(value: bytes, key: bytes) -> None:
    written = json_line(Record(value=value, key=key))
    assert written.count(b"\n") == 1
    shown = json.loads(written)
    assert (base64.b64decode(shown["key_b64"]) if "key_b64" in shown else shown["key"].encode()) == key
    if "value_b64" in shown:
        assert base64.b64decode(shown["value_b64"]) == value
    else:
        assert shown["value"] == json.loads(value)


def test_an_output_is_shown_like_a_record_without_what_only_the_log_gives() -> None:
    shown = json.loads(json_line(Record()))
    assert json.loads(json_output("t", Record())) == {
        name: shown[name] for name in ("topic", "partition", "key", "headers", "value")
    }


@given(st.binary(max_size=60))
def test_a_csv_row_is_read_back(value: bytes) -> None:
    (row,) = csv.reader(io.StringIO(csv_line(csv_row(Record(value=value))), newline=""))
    assert len(row) == len(CSV_COLUMNS)
    assert tuple(row) == csv_row(Record(value=value))


@given(st.text(max_size=60))
def test_a_line_for_people_sends_no_control_characters_to_the_terminal(text: str) -> None:
    assert line(
        Record(key=text.encode(), value=json.dumps({"path": text}, ensure_ascii=False).encode())
    ).isprintable()


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ("root=movies", True),
        ("root=movies,kind=moved", True),
        ("root=music", False),
        ("storage_root=music", True),
        ("media.year=1999", True),
        ("media.year=1998", False),
        ("key=home", True),
        ("nothing=x", False),
    ],
)
def test_a_filter_looks_at_the_value_and_one_level_below(text: str, passes: bool) -> None:
    assert parse_filter(text).passes(Record()) is passes


def test_a_filter_of_something_undecodable_does_not_pass() -> None:
    assert not parse_filter("root=movies").passes(Record(value=b"\xff"))


def test_what_is_no_filter_is_refused() -> None:
    with pytest.raises(BadArgument, match="name=value"):
        parse_filter("root")
