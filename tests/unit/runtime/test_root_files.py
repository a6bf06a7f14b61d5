"""Roots declared by files: each is read for itself, whatever stands beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.root_files import MAX_BYTES, RootFiles, remove, table_of, write


def faults(folder: Path) -> dict[str, str]:
    return {name: file.fault for name, file in RootFiles(folder).read().items() if file.table is None}


def test_a_folder_that_is_not_there_declares_nothing(tmp_path: Path) -> None:
    assert RootFiles(tmp_path / "roots.d").read() == {}


def test_what_is_written_is_read_whatever_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "roots.d"
    table: dict[str, str | int | list[str]] = {
        "library": "home",
        "path": '/srv/a "b" \\ = # [x]\tü 🎬',
        "exclude": ["*.part", "In'coming"],
        "debounce_ms": 300,
    }
    write(folder, "films", table)
    write(folder, "films", table)
    assert [path.name for path in folder.iterdir()] == ["films.toml"]
    assert RootFiles(folder).read()["films"].table == table
    assert remove(folder, "films")
    assert not remove(folder, "films")
    assert RootFiles(folder).read() == {}


def test_a_file_is_read_again_when_it_is_another_one(tmp_path: Path) -> None:
    files = RootFiles(tmp_path)
    write(tmp_path, "films", {"path": "/a"})
    first = files.read()["films"]
    assert files.read()["films"] is first
    write(tmp_path, "films", {"path": "/b"})
    assert files.read()["films"].table == {"path": "/b"}


def test_one_that_cannot_be_read_disturbs_no_other(tmp_path: Path) -> None:
    write(tmp_path, "good", {"path": "/a"})
    (tmp_path / "half.toml").write_text('path = "/a')
    (tmp_path / "bytes.toml").write_bytes(b'path = "\xff"')
    (tmp_path / "long.toml").write_text("#" * (MAX_BYTES + 1))
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "nowhere.toml").symlink_to("not-there")
    (tmp_path / "linked.toml").symlink_to("good.toml")
    (tmp_path / ".hidden.toml").write_text("half")
    (tmp_path / "README").write_text("half")
    assert set(RootFiles(tmp_path).read()) - set(faults(tmp_path)) == {"good", "linked"}
    assert {name: fault.split(":")[0] for name, fault in faults(tmp_path).items()} == {
        "half": "is not TOML", "bytes": "is not TOML", "long": f"is longer than {MAX_BYTES} bytes",
        "folder": "Is a directory", "pipe": "is not a regular file",
        "nowhere": "No such file or directory",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("root", "site", "place"),
    [("films", "main", "/srv/films"), ("films", "cellar", None), ("music", "cellar", "/srv/music"),
     ("music", "main", None), ("../films", "main", None), ("none", "main", None)],
)  # fmt: skip
def test_a_declaration_of_a_root_applies_to_its_site(
    tmp_path: Path, root: str, site: str, place: str | None
) -> None:
    folder = tmp_path / "roots.d"
    write(folder, "films", {"path": "/srv/films", "site": "main"})
    write(folder, "music", {"path": "/srv/music", "site": "cellar"})
    write(tmp_path, "films", {"path": "/etc"})
    table = table_of(folder, root, site)
    assert (None if table is None else table.get("path")) == place
