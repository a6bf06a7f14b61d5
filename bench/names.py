"""`python -m bench.names`: how accurately the newest rules read names, kind by kind, on a labelled corpus; and the reader
that most programs use (guessit, for videos), on the same rows.

A fifth of the corpus is held back, chosen by a seed: rules are developed on the others alone, and both figures are printed.
Titles and editions are compared by their letters and digits."""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import guessit
from msgspec import Struct

from streams.core.naming import names_by
from streams.core.path_names.reader import PathName, PathReader
from streams.core.path_names.text import bare
from streams.core.rules import NEWEST, RULES

CORPUS = Path(__file__).parents[1] / "tests" / "golden" / "names" / "corpus.tsv"
SEED = 2_026
HELD_BACK = 5
"""One row in so many."""

VIDEO = frozenset(
    {"film", "show", "anime", "dated", "miniseries", "special", "extra", "multipart", "disc", "edition"}
)
NUMBERS = ("year", "season", "episode", "last_episode", "part")
AIMS = {"title": 90.0, "episode": 93.0, "category": 95.0, "year": 95.0}
MOST_FALSE = 1.0


class Row(Struct, frozen=True):
    """A path and its correct reading."""

    kind: str
    path: str
    right: PathName


def corpus() -> list[Row]:
    """All rows, in the file's order."""
    with CORPUS.open(encoding="utf-8", newline="") as file:
        return [_row(fields) for fields in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def _row(fields: dict[str, str]) -> Row:
    numbers = {name: int(fields[name]) if fields[name] else None for name in NUMBERS}
    right = PathName(
        fields["title"], fields["category"] or None, numbers["year"], numbers["season"], numbers["episode"],
        numbers["last_episode"], fields["date"] or None, numbers["part"], fields["edition"] or None,
    )  # fmt: skip
    return Row(fields["kind"], fields["path"], right)


def split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows that rules are developed on, and those held back."""
    held = set(random.Random(SEED).sample(range(len(rows)), len(rows) // HELD_BACK))
    return [row for at, row in enumerate(rows) if at not in held], [rows[at] for at in sorted(held)]


def faults(row: Row, read: PathName) -> list[str]:
    """Fields that are wrong. `false`: the title is another one, not one with too much or too little in it."""
    found = [name for name in ("year", "season", "episode", "last_episode", "date", "part", "category")
             if getattr(row.right, name) != getattr(read, name)]  # fmt: skip
    mine, right = bare(read.title), bare(row.right.title)
    if mine != right:
        found.append("title")
        if mine not in right and right not in mine:
            found.append("false")
    if bare(read.edition or "") != bare(row.right.edition or ""):
        found.append("edition")
    return found


def by_guessit(path: str) -> PathName:
    """The reading of the whole path by guessit."""
    found = guessit.guessit(path)

    def one(key: str) -> object:
        value = found.get(key)
        return value[0] if isinstance(value, list) else value

    is_show = found.get("type") == "episode"
    season, episode, day = one("season"), one("episode"), one("date")
    return PathName(
        str(one("title") or ""), "tv_show" if is_show else "movie", one("year"), season, episode,  # type: ignore[arg-type]
        date=None if day is None else str(day),
    )  # fmt: skip


def figures(rows: Iterable[Row], read: dict[str, PathName]) -> dict[str, float]:
    """Per cent correct, field by field; `title` and `false` of videos alone."""
    rows = list(rows)
    wrong = Counter(fault for row in rows for fault in faults(row, read[row.path]))
    videos = [row for row in rows if row.kind in VIDEO]
    wrong_videos = Counter(fault for row in videos for fault in faults(row, read[row.path]))
    numbered = [row for row in videos if row.right.category == "tv_show"]
    wrong_episodes = sum(
        1 for row in numbered if {"season", "episode", "last_episode", "date"} & set(faults(row, read[row.path]))
    )
    return {
        "rows": len(rows),
        "title": _right(wrong_videos["title"], len(videos)),
        "false": 100 * wrong_videos["false"] / max(1, len(videos)),
        "title of all": _right(wrong["title"], len(rows)),
        "episode": _right(wrong_episodes, len(numbered)),
        "category": _right(wrong["category"], len(rows)),
        "year": _right(wrong["year"], len(rows)),
        "part": _right(wrong["part"], len(rows)),
        "edition": _right(wrong["edition"], len(rows)),
    }


def _right(wrong: int, of: int) -> float:
    return 100 * (1 - wrong / of) if of else 100.0


def main() -> int:
    """1 where an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.names", description=__doc__)
    parser.add_argument(
        "--wrong", action="store_true", help="print each row that is read wrongly, but of what is held back"
    )
    parser.add_argument("--kind", help="only of this kind")
    parser.add_argument("--json", action="store_true", help="for machines")
    given = parser.parse_args()
    rows, held = split(corpus())
    names = names_by(RULES[NEWEST])
    reader = PathReader(RULES[NEWEST].paths)  # type: ignore[arg-type]
    began = time.process_time()
    read = {row.path: reader.read(row.path, names.media_type(row.path)) for row in rows + held}
    each = (time.process_time() - began) / len(read)
    if given.wrong:
        for row in rows:
            if (given.kind in (None, row.kind)) and (found := faults(row, read[row.path])):
                lines = (", ".join(found), f"right {_short(row.right)}", f"read  {_short(read[row.path])}")
                print(f"{row.kind}\t{row.path}", *lines, sep="\n\t")
    kinds = {
        kind: figures([row for row in rows + held if row.kind == kind], read)
        for kind in dict.fromkeys(r.kind for r in rows)
    }
    whole = {"rules made by": figures(rows, read), "held back": figures(held, read)}
    videos = [row for row in rows + held if row.kind in VIDEO]
    whole["guessit, videos"] = figures(videos, {row.path: by_guessit(row.path) for row in videos})
    whole["ours, videos"] = figures(videos, read)
    if given.json:
        print(json.dumps({"bench": "names", "microseconds": round(each * 1e6), "kinds": kinds, **whole}))
    else:
        _show({**kinds, **whole})
        print(f"\n{each * 1e6:.0f} µs a name")
    ours = whole["rules made by"]
    missed = [name for name, aim in AIMS.items() if ours[name] < aim or whole["held back"][name] < ours[name] - 3]
    missed += ["false"] if max(ours["false"], whole["held back"]["false"]) > MOST_FALSE else []
    for name in missed:
        print(f"missed: {name}", file=sys.stderr)
    return 1 if missed else 0


def _short(name: PathName) -> str:
    return ", ".join(
        f"{key}={getattr(name, key)!r}" for key in name.__struct_fields__ if getattr(name, key) is not None
    )


def _show(table: dict[str, dict[str, float]]) -> None:
    columns = list(next(iter(table.values())))
    print(f"{'% right':16}" + "".join(f"{name:>14}" for name in columns))
    for name, row in table.items():
        print(
            f"{name:16}"
            + "".join(f"{row[column]:14.1f}" if column != "rows" else f"{row[column]:14.0f}" for column in columns)
        )


if __name__ == "__main__":
    sys.exit(main())
