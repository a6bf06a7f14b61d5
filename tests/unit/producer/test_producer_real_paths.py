"""A root's path that does not answer is used as it is written, and nothing waits for it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from producer.declared import declared
from producer.errors import NestedRoots
from producer.main import reject_nested
from producer.real_paths import RealPaths, follow
from producer.settings import RootSpec
from runtime.root_files import RootFile
from tests.support.waiting import wait_until

MOMENT = 0.1


class Mounts:
    """Resolves paths; those in `silent` answer when they are removed from it."""

    def __init__(self) -> None:
        self.silent: dict[Path, threading.Event] = {}
        self.requested: list[Path] = []

    def follow(self, path: Path) -> Path:
        self.requested.append(path)
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


def places_of(mounts: Mounts) -> RealPaths:
    return RealPaths(mounts.follow, MOMENT)


def spec(name: str, path: Path) -> RootSpec:
    return RootSpec(name=name, library="home", path=path)


def test_links_are_followed_and_what_leads_nowhere_is_used_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "loop").symlink_to("loop")
    requested = [tmp_path / name for name in ("a", "link", "nothing", "loop")]
    assert list(RealPaths().of(requested).values()) == [
        tmp_path / "a",
        tmp_path / "a",
        tmp_path / "nothing",
        tmp_path / "loop",
    ]


def test_nothing_waits_for_those_that_do_not_answer_and_they_are_tried_once(
    tmp_path: Path, mounts: Mounts
) -> None:
    (tmp_path / "link").symlink_to("a")
    names = ("one", "link", "two", "b")
    requested = [tmp_path / name for name in names]
    mounts.hang(requested[0])
    mounts.hang(requested[2])
    real_paths = places_of(mounts)
    expected = [tmp_path / name for name in ("one", "a", "two", "b")]
    began = time.monotonic()
    for _ in range(20):
        assert list(real_paths.of(requested).values()) == expected
    assert time.monotonic() - began < 10 * MOMENT
    assert [mounts.requested.count(path) for path in requested] == [1, 20, 1, 20]
    mounts.mend(requested[0])
    mounts.mend(requested[2])
    wait_until(
        lambda: bool(real_paths.of(requested)) and mounts.requested.count(requested[2]) > 1, 5, what="another look"
    )


def test_one_that_stops_answering_keeps_its_last_known_path(tmp_path: Path, mounts: Mounts) -> None:
    (tmp_path / "link").symlink_to("a")
    path, real_paths = tmp_path / "link", places_of(mounts)
    assert real_paths.of([path]) == {path: tmp_path / "a"}
    mounts.hang(path)
    assert real_paths.of([path]) == {path: tmp_path / "a"}
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


def test_roots_of_the_settings_that_turn_out_to_be_nested_are_reported_later(
    tmp_path: Path, mounts: Mounts
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("a")
    roots = [spec("one", tmp_path / "a"), spec("two", tmp_path / "b")]
    mounts.hang(tmp_path / "b")
    real_paths = places_of(mounts)
    reject_nested(roots, real_paths)
    assert declared(roots, {}, real_paths).faults == ()
    mounts.mend(tmp_path / "b")
    wait_until(lambda: declared(roots, {}, real_paths).faults != (), 5, what="the fault")
    found = declared(roots, {}, real_paths)
    assert (set(found.specs), len(found.faults)) == ({"one", "two"}, 1)
    with pytest.raises(NestedRoots):
        reject_nested(roots, real_paths)
