"""Laws of paths, lanes, ids, times, cursors, codec and messages: for all inputs, not for some."""

from __future__ import annotations

import struct
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import paths
from schemas.codec import Codec, encode, raw_codec
from schemas.cursor import Cursor, decode
from schemas.envelope import BadMessage, Message, decode_message
from schemas.errors import BadCursor, Undecodable, UnknownVersion
from schemas.headers import CE_DATASCHEMA, SCHEMA_VERSION, check_version
from schemas.ids import LANES_PER_ID, MAX_SAFE, NAMESPACE, event_id, media_id
from schemas.lanes import lane_of, murmur2, partition_of
from schemas.raw import RawRecord
from schemas.times import iso, parse_iso
from schemas.topics import DATA_TOPICS

file_names = st.binary(max_size=64).map(lambda raw: raw.replace(b"\0", b"").decode("utf-8", "surrogateescape"))
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
broken_messages = (
    st.binary(max_size=200)
    | st.text(max_size=200).map(str.encode)
    | any_json.map(lambda value: encode(value) if not isinstance(value, float) else b"1e400")
)


class TestPaths:
    @given(file_names)
    def test_a_path_comes_back_byte_for_byte(self, path: str) -> None:
        display, b64 = paths.to_wire(path)
        assert paths.from_wire(display, b64) == path

    @given(file_names)
    def test_what_is_shown_can_be_written_as_utf8(self, path: str) -> None:
        paths.display(path).encode()

    @given(file_names)
    def test_the_exact_bytes_are_given_only_where_they_are_not_utf8(self, path: str) -> None:
        display, b64 = paths.to_wire(path)
        assert (b64 is None) == (display == path)

    @given(file_names, file_names)
    def test_what_is_joined_to_a_directory_is_inside_it(self, directory: str, name: str) -> None:
        assert paths.is_inside(f"{directory}/{name}" if directory else name, directory)

    def test_a_longer_name_is_not_inside(self) -> None:
        assert not paths.is_inside("ab/c", "a")

    def test_bad_base64_is_refused(self) -> None:
        with pytest.raises(ValueError, match="base64"):
            paths.from_wire("x", "%")


class TestLanes:
    @pytest.mark.parametrize(
        ("key", "hashed"),
        [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            (b"abc", 479_470_107),
        ],
    )
    def test_murmur2_gives_the_values_of_kafkas_own_tests(self, key: bytes, hashed: int) -> None:
        assert struct.unpack(">i", struct.pack(">I", murmur2(key)))[0] == hashed

    @given(st.binary(max_size=40), st.integers(1, LANES_PER_ID))
    def test_a_partition_is_one_of_the_topics(self, key: bytes, partitions: int) -> None:
        assert 0 <= partition_of(key, partitions) < partitions

    def test_a_lane_is_the_default_partition_of_the_librarys_key(self) -> None:
        assert lane_of("Ünïcode", 12) == partition_of("Ünïcode".encode(), 12)


class TestIds:
    @given(st.sampled_from(DATA_TOPICS), st.integers(0, 1023), st.integers(0, 2**62), st.integers(0, 99))
    def test_an_event_id_is_the_uuid5_of_its_place(
        self, topic: object, partition: int, offset: int, index: int
    ) -> None:
        name = getattr(topic, "name", "")
        expected = uuid.uuid5(NAMESPACE, f"{name}:{partition}:{offset}:{index}")
        assert event_id(name, partition, offset, index) == str(expected)

    @given(
        st.tuples(st.integers(0, 1023), st.integers(0, 2**42)),
        st.tuples(st.integers(0, 1023), st.integers(0, 2**42)),
    )
    def test_media_ids_are_equal_only_for_the_same_record_and_safe(
        self, one: tuple[int, int], two: tuple[int, int]
    ) -> None:
        assert (media_id(0, *one) == media_id(0, *two)) == (one == two)
        assert 0 < media_id(0, *one) < MAX_SAFE


class TestTimes:
    @given(st.integers(0, 253_402_300_799_999))
    def test_a_time_comes_back(self, at: int) -> None:
        assert parse_iso(iso(at)) == at

    @given(st.integers(0, 253_402_300_799_999))
    def test_it_is_what_the_standard_library_says(self, at: int) -> None:
        expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
        assert datetime.fromisoformat(iso(at)) == expected

    def test_without_a_zone_it_is_utc(self) -> None:
        assert parse_iso("2026-11-24T10:00:00") == parse_iso("2026-11-24T11:00:00+01:00")


class TestCursor:
    cursors = st.builds(
        Cursor,
        channel=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=40),
        epoch=st.text("0123456789abcdef", max_size=32),
        partitions=st.integers(0, 65_535),
        next_offsets=st.dictionaries(st.integers(0, 1023), st.integers(0, 2**63), max_size=64),
    )

    @given(cursors)
    def test_a_cursor_comes_back(self, cursor: Cursor) -> None:
        assert decode(cursor.encode(), cursor.channel) == cursor

    @given(cursors, st.integers(0, 10_000), st.integers(1, 255))
    def test_a_damaged_cursor_is_refused(self, cursor: Cursor, place: int, change: int) -> None:
        text = cursor.encode()
        at = place % len(text)
        other = chr((ord(text[at]) + change) % 256)
        damaged = text[:at] + other + text[at + 1 :]
        try:
            found = decode(damaged, cursor.channel)
        except BadCursor:
            return
        assert found == cursor  # only bits that base64 leaves unused were changed

    @given(st.text(max_size=200), st.text(max_size=20))
    def test_any_text_is_a_cursor_or_a_bad_cursor(self, text: str, channel: str) -> None:
        try:
            decode(text, channel)
        except BadCursor as error:
            assert error.reason

    def test_a_cursor_of_another_channel_is_refused(self) -> None:
        with pytest.raises(BadCursor, match="belongs to"):
            decode(Cursor("a", "e", 1, {0: 1}).encode(), "b")


class TestCodec:
    @given(st.binary(max_size=300) | broken_messages)
    def test_any_bytes_are_a_record_or_undecodable(self, value: bytes) -> None:
        try:
            record: RawRecord = raw_codec.decode(value)
        except Undecodable as error:
            assert error.reason
        else:
            assert raw_codec.decode(encode(record)) == record

    def test_a_tombstone_is_undecodable(self) -> None:
        with pytest.raises(Undecodable, match="tombstone"):
            raw_codec.decode(None)

    def test_fields_of_a_later_version_are_ignored(self) -> None:
        assert raw_codec.decode(b'{"kind":"tick","new":[1,{"a":2}]}') == raw_codec.decode(b'{"kind":"tick"}')

    def test_deep_nesting_is_undecodable(self) -> None:
        with pytest.raises(Undecodable):
            Codec[dict[str, object]](dict[str, object]).decode(b'{"a":' + b"[" * 100_000)

    @pytest.mark.parametrize(
        ("name", "value"), [(SCHEMA_VERSION, b"2"), (CE_DATASCHEMA, b"urn:catalogizer:schema:x:2.1")]
    )
    def test_another_major_version_is_rejected(self, name: str, value: bytes) -> None:
        with pytest.raises(UnknownVersion):
            check_version([(name, value)])

    def test_another_minor_version_is_read(self) -> None:
        check_version([(SCHEMA_VERSION, b"1.7")])


class TestMessages:
    @given(broken_messages)
    def test_any_bytes_are_a_message_or_a_bad_message(self, text: bytes) -> None:
        try:
            message = decode_message(text)
        except BadMessage as error:
            assert error.code in ("bad_json", "not_an_object", "bad_request")
        else:
            assert isinstance(message, Message)

    @given(st.dictionaries(st.text(), any_json, max_size=5))
    def test_any_object_with_a_type_is_a_message(self, members: dict[str, object]) -> None:
        assert decode_message(encode({**members, "type": "ping", "channel": "x"})).type == "ping"

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (b"{", "bad_json"),
            (b"\xff", "bad_json"),
            (b"[" * 100_000, "bad_json"),
            (b"[]", "not_an_object"),
            (b"1", "not_an_object"),
            (b"{}", "bad_request"),
            (b'{"type":1}', "bad_request"),
        ],
    )
    def test_each_fault_has_its_code(self, text: bytes, code: str) -> None:
        with pytest.raises(BadMessage) as caught:
            decode_message(text)
        assert caught.value.code == code

    def test_the_reference_of_a_bad_message_is_echoed(self) -> None:
        with pytest.raises(BadMessage) as caught:
            decode_message(b'{"type":1,"ref":"r"}')
        assert caught.value.ref == "r"
