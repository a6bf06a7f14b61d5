"""The simulation of lanes obeys what must be true of any spread of libraries over lanes."""

from __future__ import annotations

import pytest

from bench.skew import drawn_lanes, names, row, sizes, spread, table, yours
from schemas.lanes import lane_of


def test_one_library_is_one_lane_however_many_there_are() -> None:
    found = row(1, 1.0, 12, seeds=3)
    assert (found.median, found.most, found.least_possible, found.empty_lanes) == (12.0, 12.0, 12.0, 11)


def test_one_lane_has_everything() -> None:
    found = table((1, 10, 100), (0.0, 1.0), (1,), seeds=2)
    assert [one.median for one in found] == pytest.approx([1.0] * len(found))


def test_no_draw_is_better_than_the_largest_library_or_worse_than_all_in_one_lane() -> None:
    for one in table((10, 100), (0.0, 0.5, 1.0), (4, 12, 64), seeds=5):
        assert one.least_possible <= one.median + 1e-9
        assert one.median <= one.most <= one.lanes


def test_many_libraries_of_one_size_fill_lanes_evenly_and_skew_undoes_that() -> None:
    even, skewed = row(1_000, 0.0, 12, seeds=3), row(1_000, 1.0, 12, seeds=3)
    assert even.median < 1.5 < skewed.median
    assert even.empty_lanes == 0


def test_sizes_are_zipf_s_and_are_parts_of_one_whole() -> None:
    of_size = sizes(4, 1.0)
    assert sum(of_size) == pytest.approx(1.0)
    assert [of_size[0] / size for size in of_size] == pytest.approx([1.0, 2.0, 3.0, 4.0])
    assert sizes(4, 0.0) == pytest.approx((0.25,) * 4)


def test_names_are_the_seed_s_and_lanes_are_the_platform_s() -> None:
    assert names(50, 7) == names(50, 7) != names(50, 8)
    assert len(set(names(50, 7))) == 50
    assert drawn_lanes(50, 7, 12) == tuple(lane_of(name, 12) for name in names(50, 7))


def test_libraries_that_there_are_are_placed_as_the_platform_places_them() -> None:
    files = {"films": 6.0, "series": 3.0, "music": 1.0}
    expected = spread([lane_of(name, 4) for name in files], tuple(files.values()), 4)
    found = yours(files, 4)
    assert (found.median, found.empty_lanes) == (expected.busiest_over_mean, expected.empty)
    assert found.least_possible == pytest.approx(2.4)
