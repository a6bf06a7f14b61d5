"""What a record is about does not depend on what was read before it, also where its members are not text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.log.abouts import Abouts, type_of
from schemas.media import MediaUpdateWire

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
