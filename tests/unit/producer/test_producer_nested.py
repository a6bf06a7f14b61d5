"""No file belongs to two roots."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.errors import NestedRoots
from producer.main import reject_nested
from producer.real_paths import RealPaths
from producer.settings import RootSpec


def roots(*paths: Path) -> list[RootSpec]:
    return [RootSpec(name=f"r{number}", library="home", path=path) for number, path in enumerate(paths)]


def test_roots_beside_each_other_are_accepted(tmp_path: Path) -> None:
    reject_nested(roots(tmp_path / "a", tmp_path / "a-b", tmp_path / "b"), RealPaths())


@pytest.mark.parametrize("inner", ["a", "a/b/c", "link", "link/b"])
def test_a_root_inside_another_one_is_rejected_naming_both_also_where_a_link_leads_there(
    tmp_path: Path, inner: str
) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(NestedRoots, match=r"root 'r\d' \(.*\) lies inside root 'r\d'"):
        reject_nested(roots(tmp_path / "z", tmp_path / "a", tmp_path / inner), RealPaths())
