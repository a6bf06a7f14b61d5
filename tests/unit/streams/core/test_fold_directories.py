"""What is below a directory is found by it, whatever came and went, and nothing is kept of what is gone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.paths import is_inside
from streams.core import directories
from streams.core.directories import Directories

NAMES = st.sampled_from(("a", "b", "c"))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@given(st.lists(st.tuples(st.booleans(), PATHS), max_size=60), st.just("") | PATHS)
def test_it_is_what_a_look_at_every_path_finds(steps: list[tuple[bool, str]], directory: str) -> None:
    known: set[str] = set()
    index: Directories = {}
    for comes, path in steps:
        if comes and path not in known:
            known.add(path)
            directories.put(index, path)
        elif not comes and path in known:
            known.remove(path)
            directories.drop(index, path, known)
    found = list(directories.below(index, directory))
    assert len(found) == len(set(found))
    assert {path for path in found if path in known} == {path for path in known if is_inside(path, directory)}
    for path in sorted(known, reverse=True):
        known.remove(path)
        directories.drop(index, path, known)
    assert index == {}
