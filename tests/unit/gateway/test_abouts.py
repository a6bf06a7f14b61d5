"""The decoder that reads what a media update is about accepts and refuses the same records as the declared type; and what a
record is about does not depend on what was read before it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.log.abouts import Abouts, type_of
from schemas.codec import Codec
from schemas.errors import Undecodable
from schemas.media import MediaUpdateWire

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
item = st.fixed_dictionaries({}, optional={"storage_root": anything, "media_type": anything, "title": anything})
update = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["created", "analyzed", "burnt"]) | anything,
        "media_id": st.integers() | anything,
        "media": item | anything,
        "analysis_id": st.text() | anything,
        "was": item | anything,
    },
)


def taken(codec: Codec[object], value: bytes) -> bool:
    try:
        codec.decode(value)
    except Undecodable:
        return False
    return True


@given(update)
def test_the_same_records_are_accepted_and_refused(data: dict[str, object]) -> None:
    value = json.dumps(data).encode()
    assert taken(Codec(type_of(MediaUpdateWire)), value) == taken(Codec(MediaUpdateWire), value)


def test_an_update_as_it_should_be_is_taken() -> None:
    assert taken(
        Codec(type_of(MediaUpdateWire)), b'{"action":"created","media_id":1,"media":{"storage_root":"films"}}'
    )


decode = msgspec.json.Decoder(type_of(MediaUpdateWire)).decode
texts = st.sampled_from(["films", "music", ""])
members = st.sampled_from([None, 1, 1.0, True, ["films"], {"films": 1}]) | texts
items = st.fixed_dictionaries({}, optional={"storage_root": members, "media_type": members})
updates = st.fixed_dictionaries(
    {"action": st.sampled_from(["created", "deleted"]), "media_id": st.just(1), "media": items},
    optional={"was": items},
)


@dataclass(frozen=True)
class Keyed:
    """As much of a record as is looked at."""

    key: bytes | None
    headers: tuple[tuple[str, bytes], ...] = field(default=())


@given(st.lists(st.tuples(st.sampled_from([None, b"home", b"\xff"]), updates), max_size=20))
def test_it_does_not_depend_on_what_was_read_before(read: list[tuple[bytes | None, dict[str, Any]]]) -> None:
    shared = Abouts()
    for key, update in read:
        value = decode(msgspec.json.encode(update))
        about = shared.of(Keyed(key), value)  # type: ignore[arg-type]  # a part of a record
        assert about == Abouts().of(Keyed(key), value)  # type: ignore[arg-type]  # a part of a record
        assert about is not None
        root, was = update["media"].get("storage_root"), update.get("was", {}).get("storage_root")
        assert about.root == (root if isinstance(root, str) else None)
        assert about.was_root == (was if isinstance(was, str) else None)
