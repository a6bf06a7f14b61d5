"""How evenly libraries fill lanes: the load of the busiest lane over the mean, simulated through the platform's own
`schemas.lanes.lane_of`, by number of libraries, skew of their sizes and number of lanes.

A library is one lane, so a lane is never less than its largest library; and lanes are chosen by a hash, so few libraries
leave some empty. Sizes follow Zipf's law (the n-th largest library has n^-s of the largest's size; s = 0: all alike), names
are drawn by the seed. `--seeds N` draws so many times; the median and the most are printed. Nothing is started or measured.

    python -m bench.skew
    python -m bench.skew --json --seeds 50
    python -m bench.skew --libraries films=6000000,series=3000000,music=1000000
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache

from schemas.lanes import lane_of

LIBRARIES = (1, 10, 100, 1_000, 10_000)
LANES = (1, 4, 12, 24, 64)
SKEWS = (0.0, 0.5, 1.0)
SEEDS = 20
NAME_LETTERS = "abcdefghijklmnopqrstuvwxyz"
NAME_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Spread:
    """The result of a draw: `busiest_over_mean` of all lanes, 1 where they are equal and L where one has all; `empty`: lanes
    without a library."""

    busiest_over_mean: float
    empty: int


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: medians over all draws, and the most of `busiest_over_mean`. `least_possible`: the load of the
    largest library alone over the mean, or 1."""

    libraries: int
    skew: float | None
    lanes: int
    median: float
    most: float
    least_possible: float
    empty_lanes: float


def sizes(libraries: int, skew: float) -> tuple[float, ...]:
    """Zipf's, the largest first; they sum up to 1."""
    weights = [rank**-skew for rank in range(1, libraries + 1)]
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def names(libraries: int, seed: int) -> tuple[str, ...]:
    """That many different names."""
    drawing = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < libraries:
        found["".join(drawing.choices(NAME_LETTERS, k=NAME_LENGTH))] = None
    return tuple(found)


@cache
def drawn_lanes(libraries: int, seed: int, lanes: int) -> tuple[int, ...]:
    """The lane of each of so many libraries with drawn names."""
    return tuple(lane_of(name, lanes) for name in names(libraries, seed))


def spread(in_lanes: Sequence[int], of_size: Sequence[float], lanes: int) -> Spread:
    """Libraries by their lanes and sizes, of any unit."""
    load = [0.0] * lanes
    for lane, size in zip(in_lanes, of_size, strict=True):
        load[lane] += size
    return Spread(max(load) / sum(of_size) * lanes, lanes - len(set(in_lanes)))


def row(libraries: int, skew: float, lanes: int, seeds: int) -> Row:
    """All draws of one line."""
    of_size = sizes(libraries, skew)
    drawn = [spread(drawn_lanes(libraries, seed, lanes), of_size, lanes) for seed in range(seeds)]
    ratios = [one.busiest_over_mean for one in drawn]
    empty = statistics.median(one.empty for one in drawn)
    return Row(libraries, skew, lanes, statistics.median(ratios), max(ratios), _least(of_size, lanes), empty)


def table(libraries: Sequence[int], skews: Sequence[float], lanes: Sequence[int], seeds: int) -> list[Row]:
    """Every combination."""
    return [row(count, skew, number, seeds) for count in libraries for skew in skews for number in lanes]


def yours(files: dict[str, float], lanes: int) -> Row:
    """Given libraries, by name, with their numbers of files: nothing is drawn. `skew` is none."""
    placed = spread([lane_of(name, lanes) for name in files], tuple(files.values()), lanes)
    ratio, least = placed.busiest_over_mean, _least(tuple(files.values()), lanes)
    return Row(len(files), None, lanes, ratio, ratio, least, placed.empty)


def _least(of_size: Sequence[float], lanes: int) -> float:
    return max(1.0, max(of_size) / sum(of_size) * lanes)


def _files(text: str) -> dict[str, float]:
    named = (part.rpartition("=") for part in text.split(","))
    return {name: float(files) for name, _, files in named}


def main(arguments: Sequence[str]) -> None:
    """Print the table, or the lines of given libraries."""
    parser = argparse.ArgumentParser(prog="python -m bench.skew")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="draws of names for each line")
    parser.add_argument("--libraries", type=_files, help="yours: NAME=FILES after commas; nothing is drawn then")
    given = parser.parse_args(arguments)
    if given.libraries:
        rows = [yours(given.libraries, lanes) for lanes in LANES]
    else:
        rows = table(LIBRARIES, SKEWS, LANES, given.seeds)
    if given.json:
        print(json.dumps({"bench": "skew", "rows": [asdict(one) for one in rows]}))
        return
    print("libraries  skew  lanes  busiest/mean  most of all draws  least possible  empty lanes")
    for one in rows:
        skew = "" if one.skew is None else f"{one.skew:.1f}"
        print(
            f"{one.libraries:9}{skew:>6}{one.lanes:7}{one.median:14.2f}{one.most:19.2f}{one.least_possible:16.2f}"
            f"{one.empty_lanes:13.0f}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
