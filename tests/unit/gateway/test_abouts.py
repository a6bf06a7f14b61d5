"""The decoder that reads what a media update is about accepts and refuses the same records as the declared type."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.log.abouts import type_of
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
