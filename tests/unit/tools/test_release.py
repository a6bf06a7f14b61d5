"""The wheel is whole: it contains what the program reads at run time, and runs where there is no checkout."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from runtime.health import product_version
from schemas import __version__
from tools import ROOT, release
from tools.errors import BadWheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release.build(tmp_path_factory.mktemp("dist"))


def test_it_contains_our_packages_and_nothing_else(wheel: Path) -> None:
    release.check_contents(wheel)


@pytest.mark.parametrize(
    "name",
    [
        "cli/up/embedded/jars.lock",
        "schemas/sql/0001_catalogue.sql",
        "gateway/web/index.html",
        "gateway/web/app.js",
    ],
)
def test_it_contains_what_the_program_reads_at_run_time(wheel: Path, name: str) -> None:
    assert name in zipfile.ZipFile(wheel).namelist()


def test_it_carries_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folder = f"catalogizer-{__version__}.dist-info"
        assert archive.read(f"{folder}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert "License-Expression: Apache-2.0" in archive.read(f"{folder}/METADATA").decode()


def test_it_runs_where_there_is_no_checkout(wheel: Path) -> None:
    release.check_use(wheel)


def test_a_wheel_that_lacks_a_file_is_refused(wheel: Path, tmp_path: Path) -> None:
    lacking = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(lacking, "w") as archive:
        for name in whole.namelist():
            if name != "cli/up/embedded/jars.lock":
                archive.writestr(name, whole.read(name))
    with pytest.raises(BadWheel, match=r"misses cli/up/embedded/jars\.lock"):
        release.check_contents(lacking)
    with pytest.raises(BadWheel, match="a look into it failed"):
        release.check_use(lacking)


def test_the_source_archive_is_built_beside_it(wheel: Path) -> None:
    assert (wheel.parent / f"catalogizer-{__version__}.tar.gz").is_file()


def test_there_is_one_version() -> None:
    assert product_version() == __version__
