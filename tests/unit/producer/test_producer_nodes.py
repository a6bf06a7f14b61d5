"""Mapping of watches to directories."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from producer.backends.local.nodes import Node, Nodes


def nodes(*paths: str) -> Nodes:
    """Directories, watched by 1, 2 and so on; the root by 0."""
    made = Nodes()
    for watch, path in enumerate(("", *paths)):
        made.put(path, watch, 0)
    return made


def node(made: Nodes, watch: int) -> Node:
    found = made.of(watch)
    assert found is not None
    return found


def where(made: Nodes, watch: int) -> str | None:
    return made.path(node(made, watch))


def test_what_is_below_a_directory_moves_with_it() -> None:
    made = nodes("a", "a/b", "c")
    made.hang(node(made, 3), "d", node(made, 1))
    assert [where(made, watch) for watch in (1, 2, 3)] == ["c/d", "c/d/b", "c"]


def test_a_directory_found_at_another_place_is_the_same_and_is_attached_there() -> None:
    made = nodes("a", "a/b")
    made.put("z", 2, 9)
    assert (where(made, 2), node(made, 2).added, made.watched) == ("z", 9, 3)


def test_another_directory_at_a_place_detaches_the_former_one_until_it_is_found_again() -> None:
    made = nodes("a", "a/b")
    made.put("a", 7, 1)
    assert (where(made, 7), where(made, 1), where(made, 2)) == ("a", None, None)
    made.put("old", 1, 2)
    assert (where(made, 1), where(made, 2)) == ("old", "old/b")
    assert made.drop(set()) == []


def test_what_is_detached_is_dropped_with_all_below_it_unless_it_is_held() -> None:
    made = nodes("a", "a/b", "c")
    moving = node(made, 1)
    made.loosen(moving)
    assert made.drop({moving}) == []
    assert sorted(made.drop(set())) == [1, 2]
    assert (made.of(1), made.of(2), made.watched) == (None, None, 2)


def test_a_directory_is_never_attached_below_itself() -> None:
    made = nodes("a", "a/b")
    made.put("a/b/c", 1, 5)
    assert where(made, 1) is None


def test_what_could_not_be_watched_is_counted_until_it_is_watched_or_gone() -> None:
    made = nodes("a")
    made.put("b", None, 0)
    made.put("c", None, 0)
    assert len(made.unwatched) == 2
    made.put("b", 5, 1)
    gone = made.at("c")
    assert gone is not None
    made.loosen(gone)
    made.drop(set())
    assert made.unwatched == set()


NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, st.integers(1, 6)), max_size=30))
def test_however_directories_are_found_a_watch_has_one_place_and_a_place_one_watch(
    found: list[tuple[str, int]],
) -> None:
    made = nodes()
    for path, watch in found:
        made.put(path, watch, 0)
    watched = {number: made.of(number) for number in range(7)}
    places = [made.path(one) for one in watched.values() if one is not None]
    standing = [place for place in places if place is not None]
    assert len(standing) == len(set(standing))
    assert all(made.at(place) is not None for place in standing)
    assert all(one is None or one.watch == number for number, one in watched.items())
