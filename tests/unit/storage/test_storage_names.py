"""Names between UTF-16 on the wire and bytes on a disk."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.smb.names import FORBIDDEN, from_wire, to_wire

UNITS = st.integers(1, 0xFFFF).filter(lambda unit: chr(unit) not in FORBIDDEN)


@given(st.lists(UNITS, min_size=1, max_size=20))
def test_every_name_that_the_wire_can_carry_comes_back_as_it_was(units: list[int]) -> None:
    name = b"".join(unit.to_bytes(2, "little") for unit in units)
    assert to_wire(from_wire(name)) == name


@given(st.lists(UNITS, min_size=1, max_size=20))
def test_every_such_name_is_a_path_that_a_disk_can_carry(units: list[int]) -> None:
    path = from_wire(b"".join(unit.to_bytes(2, "little") for unit in units))
    assert os.fsdecode(os.fsencode(path)) == path


@pytest.mark.parametrize(
    "name", ["café", "cafe\u0301", "Ünïcode ✓", "日本語", "film 😀.mkv", "\uf03a\uf02a private", " lead", "שלום"]
)
def test_a_name_is_that_of_the_disk(name: str) -> None:
    assert from_wire(name.encode("utf-16-le")) == name
    assert to_wire(f"d/{name}") == f"d\\{name}".encode("utf-16-le")


def test_half_of_a_pair_is_what_a_disk_holds_for_it() -> None:
    assert from_wire(b"\x00\xd8") == os.fsdecode(b"\xed\xa0\x80")


@pytest.mark.parametrize("path", [os.fsdecode(b"bad\xff"), "a:b", "what?", "a\\b", "new\nline", "star*/a"])
def test_of_a_path_that_no_share_can_have_there_is_no_name(path: str) -> None:
    assert to_wire(path) is None
