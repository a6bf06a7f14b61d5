"""A root's path that does not answer is taken as it stands, and nobody waits for it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from producer.declared import declared
from producer.errors import NestedRoots
from producer.main import refuse_nested
from producer.places import Places, follow
from producer.settings import RootSpec
from runtime.root_files import RootFile
from tests.support.waiting import wait_until

MOMENT = 0.1


class Mounts:
    """Follows paths; those in `silent` answer when they are taken out of it."""

    def __init__(self) -> None:
        self.silent: dict[Path, threading.Event] = {}
        self.asked: list[Path] = []

    def follow(self, path: Path) -> Path:
        self.asked.append(path)
        if (event := self.silent.get(path)) is not None:
            event.wait(60)
        return follow(path)

    def hang(self, path: Path) -> None:
        self.silent[path] = threading.Event()

    def mend(self, path: Path) -> None:
        self.silent.pop(path).set()


@pytest.fixture
def mounts() -> Mounts:
    return Mounts()


def places_of(mounts: Mounts) -> Places:
    return Places(mounts.follow, MOMENT)


def spec(name: str, path: Path) -> RootSpec:
    return RootSpec(name=name, library="home", path=path)


def test_links_are_followed_and_what_leads_nowhere_is_taken_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "loop").symlink_to("loop")
    asked = [tmp_path / name for name in ("a", "link", "nothing", "loop")]
    assert list(Places().of(asked).values()) == [
        tmp_path / "a",
        tmp_path / "a",
        tmp_path / "nothing",
        tmp_path / "loop",
    ]


def test_nobody_waits_for_those_that_do_not_answer_and_they_are_asked_once(tmp_path: Path, mounts: Mounts) -> None:
    (tmp_path / "link").symlink_to("a")
    names = ("one", "link", "two", "b")
    asked = [tmp_path / name for name in names]
    mounts.hang(asked[0])
    mounts.hang(asked[2])
    places = places_of(mounts)
    expected = [tmp_path / name for name in ("one", "a", "two", "b")]
    began = time.monotonic()
    for _ in range(20):
        assert list(places.of(asked).values()) == expected
    assert time.monotonic() - began < 10 * MOMENT
    assert [mounts.asked.count(path) for path in asked] == [1, 20, 1, 20]
    mounts.mend(asked[0])
    mounts.mend(asked[2])
    wait_until(lambda: bool(places.of(asked)) and mounts.asked.count(asked[2]) > 1, 5, what="another look")


def test_one_that_falls_silent_lies_where_it_did(tmp_path: Path, mounts: Mounts) -> None:
    (tmp_path / "link").symlink_to("a")
    path, places = tmp_path / "link", places_of(mounts)
    assert places.of([path]) == {path: tmp_path / "a"}
    mounts.hang(path)
    assert places.of([path]) == {path: tmp_path / "a"}
    mounts.mend(path)


def test_a_silent_root_keeps_no_other_from_being_declared(tmp_path: Path, mounts: Mounts) -> None:
    fixed = spec("fixed", tmp_path / "fixed")
    files = {
        name: RootFile(tmp_path / f"{name}.toml", {"library": "home", "path": str(tmp_path / name)})
        for name in ("a", "hung", "z")
    }
    mounts.hang(tmp_path / "hung")
    mounts.hang(fixed.path)
    found = declared([fixed], files, places_of(mounts))
    assert (set(found.specs), found.faults) == ({"fixed", "a", "hung", "z"}, ())
    inner = {"in": RootFile(tmp_path / "in.toml", {"library": "home", "path": str(tmp_path / "hung" / "in")})}
    assert set(declared([], files | inner, places_of(mounts)).specs) == {"a", "hung", "z"}
    mounts.mend(tmp_path / "hung")
    mounts.mend(fixed.path)


def test_roots_of_the_settings_that_turn_out_to_be_nested_are_said_later(tmp_path: Path, mounts: Mounts) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("a")
    roots = [spec("one", tmp_path / "a"), spec("two", tmp_path / "b")]
    mounts.hang(tmp_path / "b")
    places = places_of(mounts)
    refuse_nested(roots, places)
    assert declared(roots, {}, places).faults == ()
    mounts.mend(tmp_path / "b")
    wait_until(lambda: declared(roots, {}, places).faults != (), 5, what="the fault")
    found = declared(roots, {}, places)
    assert (set(found.specs), len(found.faults)) == ({"one", "two"}, 1)
    with pytest.raises(NestedRoots):
        refuse_nested(roots, places)
