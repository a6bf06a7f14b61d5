"""A state folder that a later minor version has used is not touched by an earlier one; within a minor version any program
follows any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.up import state_version
from cli.up.errors import BrokenState, NewerState
from cli.up.state import StateFolder
from runtime.health import product_version

MAJOR, MINOR = state_version.minor_of(product_version())


@pytest.mark.parametrize(
    "before",
    ["", f"{MAJOR}.{MINOR}.0", f"{MAJOR}.{MINOR}.999", f"{MAJOR}.{MINOR}.1rc1", "0.0.9", product_version()],
)
def test_state_of_this_minor_version_and_of_earlier_ones_is_taken_up(before: str, tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.version_file.write_text(f"{before}\n")
    state_version.take_up(state)
    assert state.version_file.read_text().strip() == product_version()


def test_a_new_state_folder_has_the_version(tmp_path: Path) -> None:
    state_version.take_up(StateFolder(tmp_path))
    assert (tmp_path / "version").read_text().strip() == product_version()


@pytest.mark.parametrize("later", [f"{MAJOR}.{MINOR + 1}.0", f"{MAJOR + 1}.0.0", f"{MAJOR}.{MINOR + 10}.0.dev1"])
def test_state_of_a_later_minor_version_is_left_as_it_is(later: str, tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.version_file.write_text(later)
    with pytest.raises(NewerState, match=f"last used by version {later}.*run {later} or a later version"):
        state_version.take_up(state)
    assert state.version_file.read_text() == later


@pytest.mark.parametrize("foreign", ["not a version", "1", "1.x", "\udcff", "0" * 5_000])
def test_what_is_no_version_is_reported_with_its_file(foreign: str, tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.version_file.write_bytes(foreign.encode(errors="surrogateescape"))
    with pytest.raises(BrokenState, match=r"/version: is no version"):
        state_version.take_up(state)
