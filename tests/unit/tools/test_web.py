"""The committed pages are what their sources give, and a difference is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import ROOT, web


def test_the_committed_pages_are_what_the_sources_give(tmp_path: Path) -> None:
    web.build(tmp_path)
    assert web.differing(ROOT / web.BUILT, tmp_path) == []


def test_what_differs_is_named(tmp_path: Path) -> None:
    built, fresh = tmp_path / "built", tmp_path / "fresh"
    for folder, files in (
        (built, {"a": b"1", "b": b"1", "old": b""}),
        (fresh, {"a": b"1", "b": b"2", "new": b""}),
    ):
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
    assert web.differing(built, fresh) == ["b", "new", "old"]


def test_a_build_that_fails_reports_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert web.main([], tmp_path) == 1
    assert "the pages were not built" in capsys.readouterr().err


def test_the_licences_of_what_is_built_in_go_with_it() -> None:
    assert "@license React" in (ROOT / web.BUILT / "app.js").read_text()
