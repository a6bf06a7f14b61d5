"""A worker's name is the one of its slot: kept over restarts, and never of two at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from streams.slot import slot_held


def _hold(folder: Path, names: multiprocessing.Queue[str]) -> None:
    with slot_held(folder) as slot:
        names.put(slot.member)
        signal.pause()


def test_a_slot_that_was_let_go_is_taken_with_its_name(tmp_path: Path) -> None:
    with slot_held(tmp_path) as first:
        pass
    with slot_held(tmp_path) as again:
        assert again == first


def test_two_at_once_have_two_slots(tmp_path: Path) -> None:
    with slot_held(tmp_path) as first, slot_held(tmp_path) as second:
        assert first.member != second.member
        assert (first.folder.name, second.folder.name) == ("0", "1")


def test_a_killed_process_leaves_its_slot_to_the_next(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    names: multiprocessing.Queue[str] = context.Queue()
    process = context.Process(target=_hold, args=(tmp_path, names))
    process.start()
    name = names.get(timeout=30)
    assert process.pid is not None
    with slot_held(tmp_path) as beside:
        assert beside.member != name
        os.kill(process.pid, signal.SIGKILL)
        process.join(10)
        with slot_held(tmp_path) as after:
            assert after.member == name


@pytest.mark.parametrize("there", [b"", b"a name with spaces\n", b"\xff\xfe", b"x" * 100])
def test_a_name_that_is_none_is_drawn_anew(tmp_path: Path, there: bytes) -> None:
    with slot_held(tmp_path) as slot:
        (slot.folder / "member").write_bytes(there)
    with slot_held(tmp_path) as again:
        assert again.member != there.decode("latin-1").strip()
        assert (again.folder / "member").read_text() == again.member + "\n"


def test_a_name_that_another_has_is_given_up(tmp_path: Path) -> None:
    with slot_held(tmp_path) as slot:
        slot.give_up_name()
    with slot_held(tmp_path) as again:
        assert (again.folder, again.member != slot.member) == (slot.folder, True)
