"""Which roots are declared: a fault is reported for its root, and the others are as they would be without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.declared import Declarations, declared, folder_of
from producer.real_paths import RealPaths
from producer.settings import ProducerSettings, RootSpec
from runtime.root_files import RootFile, write

FIXED = RootSpec(name="films", library="home", path=Path("/srv/films"))


def file(stem: str, /, **table: object) -> RootFile:
    return RootFile(Path(f"/roots.d/{stem}.toml"), table)


def test_roots_of_the_settings_and_of_files_are_declared_alike() -> None:
    found = declared(
        [FIXED], {"music": file("music", library="home", path="/srv/music", exclude=["*.part"])}, RealPaths()
    )
    assert dict(found.specs) == {
        "films": FIXED,
        "music": RootSpec(name="music", library="home", path=Path("/srv/music"), exclude=("*.part",)),
    }
    assert found.faults == ()


def test_how_a_root_is_watched_may_be_set_in_its_file() -> None:
    music = file("music", library="home", path="/mnt/music", watch="polling", polling={"cold_seconds": 20})
    spec = declared([], {"music": music}, RealPaths()).specs["music"]
    assert (spec.watch, spec.polling.cold_seconds, spec.polling.hot_seconds) == ("polling", 20, 1)


@pytest.mark.parametrize(
    ("name", "table", "fault"),
    [
        ("music", {"library": "home", "path": "/srv/music", "watch": "dnotify"}, "music.toml: watch: Input should be"),
        ("music", {"path": "/srv/music"}, "music.toml: library: Field required"),
        ("music", {"library": "home"}, "path of root 'music' is missing"),
        ("music", {"library": "home", "path": "srv"}, "music.toml: root: Value error, path of root 'music' must be"),
        ("music", {"library": "home", "path": "/m", "debounce": 3}, "music.toml: debounce: Extra inputs are not"),
        ("music", {"library": "home", "path": "/m", "name": "song"}, "music.toml: name: is 'song', and the file is"),
        ("a b", {"library": "home", "path": "/m"}, "a b.toml: name: String should match"),
        ("films", {"library": "home", "path": "/m"}, "films.toml: root films is in the settings too"),
        ("music", {"library": "home", "path": "/srv/films/x"}, "lie one inside the other"),
        ("music", {"library": "home", "path": "/srv"}, "music.toml: /srv and root films (/srv/films) lie one inside"),
    ],
)  # fmt: skip
def test_a_fault_of_a_file_is_reported_for_it_and_disturbs_no_other(
    name: str, table: dict[str, object], fault: str
) -> None:
    found = declared(
        [FIXED], {name: file(name, **table), "zoo": file("zoo", library="home", path="/zoo")}, RealPaths()
    )
    assert set(found.specs) == {"films", "zoo"}
    assert len(found.faults) == 1
    assert fault in found.faults[0]


def test_of_two_files_with_nested_roots_the_first_by_name_is_declared() -> None:
    files = {name: file(name, library="home", path=path) for name, path in (("a", "/srv/x"), ("b", "/srv"))}
    found = declared([], files)
    assert set(found.specs) == {"a"}
    assert "b.toml" in found.faults[0]


def test_a_folder_that_cannot_be_listed_leaves_the_settings_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "roots.d").write_text("no folder")
    found = Declarations(ProducerSettings(roots=(FIXED,)), tmp_path, RealPaths()).read()
    assert (set(found.specs), found.faults) == ({"films"}, (f"{tmp_path / 'roots.d'}: Not a directory",))


def test_the_folder_is_that_of_the_settings_or_in_the_state_folder(tmp_path: Path) -> None:
    assert folder_of(ProducerSettings(), tmp_path) == tmp_path / "roots.d"
    elsewhere = ProducerSettings(roots_folder=Path("/etc/catalogizer/roots.d"))
    assert folder_of(elsewhere, tmp_path) == Path("/etc/catalogizer/roots.d")
    write(tmp_path / "roots.d", "music", {"library": "home", "path": "/srv/music"})
    assert set(Declarations(ProducerSettings(), tmp_path, RealPaths()).read().specs) == {"music"}
