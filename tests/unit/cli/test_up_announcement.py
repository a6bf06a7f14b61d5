"""The block at the end of a start can be typed as it stands, fits a terminal, and shows what is wrong with a root."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from cli.up.announcement import WIDTH, Ready, lines, problem_of
from gateway.public import public_url
from gateway.settings import GatewaySettings
from producer.settings import RootSpec


def ready(*paths: Path, demo: bool = False) -> Ready:
    roots = [RootSpec(name=f"r{number}", library="home", path=path) for number, path in enumerate(paths)]
    return Ready("http://127.0.0.1:8080", ["admin"], roots, demo, ".venv/bin/catalogizer")


def shown(block: Ready) -> list[str]:
    return [f"{label:9}{text}" for label, text in lines(block)]


def test_it_names_where_browsers_find_the_page() -> None:
    gateway = GatewaySettings(public_url="https://media.example/catalog/")
    block = Ready(public_url(gateway), ["admin"], [], False, "catalogizer")
    assert shown(block)[0] == "page     https://media.example/catalog"


@pytest.mark.parametrize("name", ["Größe, \"alt\" #1 = 5%\\x 'y'", "$(touch pwned)", "-rf", "a\nb"])
def test_what_it_advises_names_the_folder_that_is_meant(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    advised = next(line for line in shown(ready(folder, demo=True)) if "cp SOME_FILE" in line)
    assert shlex.split(advised)[1:] == ["cp", "SOME_FILE", f"{folder}/"]


def test_a_library_of_ones_own_is_not_played_with(tmp_path: Path) -> None:
    assert not any(word in line for line in shown(ready(tmp_path)) for word in ("cp ", "mv "))


def test_lines_fit_a_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ".catalogizer" / "library" / "movies"
    folder.mkdir(parents=True)
    assert max(map(len, shown(ready(folder, demo=True)))) < WIDTH


def test_a_root_that_is_not_there_is_named_with_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    there, missing, file = tmp_path, tmp_path / "Fehlt", tmp_path / "file"
    assert [problem_of(path) for path in (there, missing, file)] == [
        None,
        "does not exist: nothing is watched there until it does",
        "is not a directory",
    ]
    assert sum("! " in line for line in shown(ready(there, missing, file))) == 2
