"""The rename truth table: of every labelled case each move is found, and none is invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracle.truth import CASES, Case, faults


def test_there_are_enough_and_each_has_its_name() -> None:
    assert len(CASES) >= 80
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whose_file_is_where(case: Case, tmp_path: Path) -> None:
    assert faults(case, tmp_path / "play") == []
