"""A package's docstring is its map: every module of it has its line there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

STREAMS = Path(__file__).parents[3] / "streams"


@pytest.mark.parametrize("package", [".", "core", "library", "status"])
def test_every_module_has_a_line_on_the_map(package: str) -> None:
    folder = STREAMS / package
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    named = set(re.findall(r"^ *([a-z_]+) {2,}\S|^`([a-z_]+)` is the composition", text, re.MULTILINE))
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert {one or other for one, other in named} == modules | packages
