"""What the README shows first works as it stands: one's own media by one line, and by a file."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from cli.settings import Settings
from producer.settings import RootSpec
from runtime.configuration import PREFIX, load

README = (Path(__file__).parents[2] / "README.md").read_text()
SECTION = README.split("## Your own media")[1].split("\n## ")[0]
FILMS = RootSpec(name="films", library="home", path=Path("/srv/films"))
MUSIC = RootSpec(name="music", library="home", path=Path("/mnt/nas/music"), exclude=("*.part", "Incoming"))


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", SECTION, re.S)
    assert found is not None
    return found[1]


def test_the_one_line_names_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    assignment, *command = shlex.split(block("sh"))
    assert command == ["make", "run"]
    monkeypatch.setenv(*assignment.split("=", 1))
    assert load(Settings).producer.roots == (FILMS,)


def test_the_file_names_the_roots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "catalogizer.toml").write_text(block("toml"))
    monkeypatch.setenv("CATALOGIZER_CONFIG_FILE", str(tmp_path / "catalogizer.toml"))
    assert load(Settings).producer.roots == (FILMS, MUSIC)
