"""The gateway's docstring is its map: every module is on it, and nothing that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import gateway

FOLDER = Path(gateway.__file__).parent
FOLDERS = ("access", "core", "live", "log", "rest", "tables")
COMPOSITION = {"app", "errors", "main", "metrics", "origins", "ports", "public", "settings", "workers"}


def modules() -> set[str]:
    """The modules of the folders, as the map names them; a nested folder is named as a whole."""
    found = {f"{folder}.{path.stem}" for folder in FOLDERS for path in (FOLDER / folder).glob("*.py")}
    below = {
        f"{folder}.{path.parent.name}" for folder in FOLDERS for path in (FOLDER / folder).glob("*/__init__.py")
    }
    return {name for name in found | below if not name.endswith("__init__")}


def test_every_module_is_on_the_map_and_nothing_else() -> None:
    named = set(re.findall(rf"\b(?:{'|'.join(FOLDERS)})\.[a-z_]+", gateway.__doc__ or ""))
    assert named == modules()


def test_what_puts_them_together_is_named_too() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} == COMPOSITION
    assert [name for name in COMPOSITION if not re.search(rf"\b{name}\b", gateway.__doc__ or "")] == []
