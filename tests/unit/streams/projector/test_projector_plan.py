"""Records to rows: what a record stands for, and what is no record."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas import topics
from schemas.changes import Created
from schemas.codec import encode
from schemas.errors import SchemaError, Undecodable, UnknownVersion
from schemas.headers import CE_DATASCHEMA, CE_ID, CE_TIME, X_N
from schemas.media import ItemDeleted
from schemas.paths import to_wire
from schemas.topics import Topic
from streams.projector.plan import TOPICS, rows_of
from streams.projector.reading import place, storable
from streams.projector.rows import ChangeRow, FileRow, GoneItemRow
from tests.support.projector_log import LIBRARY, ROOT, Log, at, gone

CREATED = Created(library=LIBRARY, root=ROOT, at=at(1), path="a.mkv", type="file", origin="live", size=1)


@given(st.sampled_from(TOPICS), st.none() | st.binary(max_size=200), st.lists(st.tuples(st.text(), st.binary())))
@example(topics.CHANGES, b'{"kind":"created"', [])
@example(topics.MEDIA_UPDATES, b'{"action":"created","media_id":1,"media":[]}', [])
@example(topics.COVERS, None, [])
def test_any_bytes_give_rows_or_say_what_is_wrong(
    topic: Topic, value: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    record = Log().put(topic, value, tuple(headers))
    try:
        rows_of(topic, record)
    except SchemaError as error:
        assert str(error)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b'{"kind":"melted"}', id="unknown kind"),
        pytest.param(encode(CREATED).replace(b'"a.mkv"', b"7"), id="wrong type"),
        pytest.param(encode(CREATED).replace(at(1).encode(), b"yesterday"), id="not a time"),
        pytest.param(encode(CREATED)[:-1] + b',"path_b64":"%%%"}', id="not base64"),
        pytest.param(encode(CREATED)[:-1] + b',"new":"\xff"}', id="not UTF-8 in a field not known here"),
        pytest.param(None, id="no value"),
    ],
)
def test_what_is_no_change_is_undecodable(value: bytes | None) -> None:
    good = Log().change(CREATED)
    with pytest.raises(Undecodable):
        rows_of(topics.CHANGES, Log().put(topics.CHANGES, value, good.headers))


@pytest.mark.parametrize("header", [CE_ID, X_N])
def test_a_change_without_its_identity_is_undecodable(header: str) -> None:
    good = Log().change(CREATED)
    headers = tuple(pair for pair in good.headers if pair[0] != header)
    with pytest.raises(Undecodable):
        rows_of(topics.CHANGES, Log().put(topics.CHANGES, good.value, headers))


def test_another_major_version_is_not_read() -> None:
    good = Log().change(CREATED)
    headers = tuple((name, b"urn:x:2" if name == CE_DATASCHEMA else value) for name, value in good.headers)
    with pytest.raises(UnknownVersion):
        rows_of(topics.CHANGES, Log().put(topics.CHANGES, good.value, headers))


def test_fields_of_a_newer_writer_are_kept_in_the_record() -> None:
    good = Log().change(CREATED)
    assert good.value is not None
    newer = good.value[:-1] + b',"mood":"good"}'
    (row, _) = rows_of(topics.CHANGES, Log().put(topics.CHANGES, newer, good.headers))
    assert isinstance(row, ChangeRow) and json.loads(bytes(row.record))["mood"] == "good"


def test_a_deletion_is_dated_by_the_event_and_not_by_its_reading() -> None:
    log = Log()
    record = log.update(ItemDeleted, gone(7, "a.mkv"))
    (row,) = rows_of(topics.MEDIA_UPDATES, record)
    assert isinstance(row, GoneItemRow)
    assert (CE_TIME, row.deleted_at.strftime("%Y-%m-%dT%H:%M:%S.000Z").encode()) in record.headers


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(st.sampled_from('\0\\u0a"'), max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("\0\\u0", max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_storable_json_has_no_nul_and_says_the_same_otherwise(value: object) -> None:
    stored = storable(encode(value))
    assert stored is not None
    assert json.loads(stored) == _escaped(value)


def _escaped(value: object) -> object:
    match value:
        case str():
            return value.replace("\0", "\\u0000")
        case list():
            return [_escaped(inner) for inner in value]
        case dict():
            return {_escaped(name): _escaped(inner) for name, inner in value.items()}
        case _:
            return value


@given(st.binary(min_size=1, max_size=300), st.binary(min_size=1, max_size=300))
def test_two_paths_are_one_place_only_when_their_bytes_are_equal(one: bytes, other: bytes) -> None:
    def placed(path: bytes) -> bytes:
        return place(*to_wire(path.decode("utf-8", "surrogateescape")))

    assert (placed(one) == placed(other)) == (one == other)


def test_a_name_that_is_not_utf8_is_shown_and_kept_exactly() -> None:
    display, b64 = to_wire(b"caf\xe9.mkv".decode("utf-8", "surrogateescape"))
    change = Created(library=LIBRARY, root=ROOT, at=at(1), path=display, path_b64=b64, type="file", origin="live")
    _, file = rows_of(topics.CHANGES, Log().change(change))
    assert isinstance(file, FileRow)
    assert (file.path, file.path_b64) == ("caf\ufffd.mkv", b64)
