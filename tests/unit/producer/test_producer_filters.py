"""Which paths belong to a root."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.core.filters import Filters
from producer.settings import NAS_JUNK

BYTES = st.binary(min_size=1, max_size=8) | st.text(min_size=1, max_size=8).map(str.encode)
NAMES = BYTES.filter(lambda name: not {0, 47} & set(name)).map(
    lambda name: name.decode("utf-8", "surrogateescape")
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("pattern", "path", "admitted"),
    [
        ("*.tmp", "a/b.tmp", False),
        ("*.tmp", "a.tmp/b", False),
        ("*.tmp", "a.TMP", True),
        ("*.tmp", "a.tmpx", True),
        ("Work/Raw", "Work/Raw/x.mkv", False),
        ("Work/Raw", "Work/Rawhide/x.mkv", True),
        ("Work/Raw", "Other/Work/Raw/x", True),
        ("/Work/*", "Work/a", False),
        ("Work/*.iso", "Work/deep/a.iso", True),
        ("Work/**/*.iso", "Work/deep/er/a.iso", False),
        ("Work/**/*.iso", "Work/a.iso", False),
        ("**/cache/*", "a/b/cache/x", False),
        ("[ab]?.mkv", "a1.mkv", False),
        ("[!ab]?.mkv", "a1.mkv", True),
        ("[!ab]?.mkv", "c1.mkv", False),
        ("a[.mkv", "a[.mkv", False),
        ("a+b(1).mkv", "a+b(1).mkv", False),
        ("line*", "line\nbreak", False),
    ],
)
def test_an_exclude_takes_out_what_it_names_and_all_below(pattern: str, path: str, admitted: bool) -> None:
    assert Filters([pattern]).admits(path, is_dir=False) is admitted


@pytest.mark.parametrize("path", ["@eaDir/x.jpg", "Films/.DS_Store", "._a.mkv", "#recycle/old", "a/$RECYCLE.BIN"])
def test_nas_junk_is_no_part_of_a_library(path: str) -> None:
    assert not Filters(NAS_JUNK).admits(path, is_dir=False)


def test_with_includes_only_matching_files_count_but_every_directory_is_walked() -> None:
    filters = Filters(["Trash"], ["*.mkv", "Books/*.epub"])
    assert filters.admits("a/b.mkv", is_dir=False)
    assert filters.admits("Books/c.epub", is_dir=False)
    assert not filters.admits("Other/c.epub", is_dir=False)
    assert not filters.admits("a/b.txt", is_dir=False)
    assert filters.admits("a/b", is_dir=True)
    assert not filters.admits("Trash", is_dir=True)


@settings(deadline=None)
@given(PATHS)
def test_without_patterns_every_path_belongs(path: str) -> None:
    assert Filters([]).admits(path, is_dir=False)


@settings(deadline=None)
@given(st.text(min_size=1), PATHS, st.booleans())
def test_any_pattern_compiles_and_whole_path_and_child_agree(pattern: str, path: str, is_dir: bool) -> None:
    filters = Filters([pattern])
    parent, _, name = path.rpartition("/")
    above = not parent or filters.admits(parent, is_dir=True)
    assert filters.admits(path, is_dir=is_dir) is (above and filters.admits_child(path, name, is_dir=is_dir))
