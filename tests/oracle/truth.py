"""What is a move and what is none: labelled cases, through the real producer and the fold.

A case is what is done (`before`, everything comes to rest, then `actions`) and the truth about which file is where: `moves`
names each file that is elsewhere now (what was there is gone, unless it is named too), `new` each other path that has
another file than before. Every other path that still exists keeps its item, and the item of one that does not is gone.
`undetectable`: why it cannot be known that it was a move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.oracle.run import Play
from tests.oracle.steps import parse_all

MIB_100 = 104_857_600


@dataclass(frozen=True, slots=True)
class Case:
    """Paths begin with their root; the words of `moves` are `from>to`. `apart`: the roots are of two libraries."""

    name: str
    before: str
    actions: str
    moves: str = ""
    new: str = ""
    undetectable: str = ""
    apart: bool = False


A, B, C = "write films/a 500", "write films/b 700", "write films/c 900"
ABC = f"{A}; {B}; {C}"
AWAY, BACK = "stop films;", "; start films"
TEN = "; ".join(f"write films/E{n:02} {500 + n}" for n in range(1, 10))
UP = "; ".join(f"rename films/E{n:02} films/E{n + 1:02}" for n in range(9, 0, -1))
UP_MOVES = " ".join(f"films/E{n:02}>films/E{n + 1:02}" for n in range(1, 10))
SEASON = "mkdir films/S; write films/S/a 500; write films/S/b 600"
SEASONS = f"{SEASON}; mkdir films/T; write films/T/a 700; write films/T/c 800"
RING = "rename films/a films/x; rename films/b films/a; rename films/c films/b; rename films/x films/c"
RING_MOVES = "films/a>films/c films/b>films/a films/c>films/b"
SWAP = "rename films/a films/x; rename films/b films/a; rename films/x films/b"
SWAP_MOVES = "films/a>films/b films/b>films/a"


def _everywhere() -> Iterator[Case]:
    """What the kernel reports to a running producer, and what a scan finds if none was running."""
    both = (
        ("a file", A, "rename films/a films/b", "films/a>films/b", ""),
        ("a file into a directory", f"{A}; mkdir films/d", "rename films/a films/d/a", "films/a>films/d/a", ""),
        ("a file out of a directory", "mkdir films/d; write films/d/a 500", "rename films/d/a films/a",
         "films/d/a>films/a", ""),
        ("a file into a new directory", A, "mkdir films/d; rename films/a films/d/a", "films/a>films/d/a", ""),
        ("a file into a directory two new ones deep", A,
         "mkdir films/d; mkdir films/d/e; rename films/a films/d/e/b", "films/a>films/d/e/b", ""),
        ("a file twice", A, "rename films/a films/b; rename films/b films/c", "films/a>films/c", ""),
        ("a file and back", A, "rename films/a films/b; rename films/b films/a", "", ""),
        ("over another file", f"{A}; {B}", "rename films/a films/b", "films/a>films/b", ""),
        ("over an empty file", f"{A}; write films/b", "rename films/a films/b", "films/a>films/b", ""),
        ("case alone", "write films/film.MKV 500", "rename films/film.MKV films/Film.mkv",
         "films/film.MKV>films/Film.mkv", ""),
        ("composed to decomposed", "write films/\u00e9 500", "rename films/\u00e9 films/e\u0301",
         "films/\u00e9>films/e\u0301", ""),
        ("two files swapped", f"{A}; {B}", SWAP, SWAP_MOVES, ""),
        ("two files of one size swapped", f"{A}; write films/b 500", SWAP, SWAP_MOVES, ""),
        ("two files exchanged", f"{A}; {B}", "exchange films/a films/b", SWAP_MOVES, ""),
        ("a ring of three", ABC, RING, RING_MOVES, ""),
        ("all one further", TEN, UP, UP_MOVES, ""),
        ("a name taken over", f"{A}; {B}", "rename films/a films/old; rename films/b films/a",
         "films/a>films/old films/b>films/a", ""),
        ("a name used anew", A, "rename films/a films/b; write films/a 800", "films/a>films/b", "films/a"),
        ("a directory", SEASON, "rename films/S films/T", "films/S/a>films/T/a films/S/b>films/T/b", ""),
        ("a directory twice", SEASON, "rename films/S films/T; rename films/T films/U",
         "films/S/a>films/U/a films/S/b>films/U/b", ""),
        ("a directory and a file in it", SEASON, "rename films/S films/T; rename films/T/a films/T/z",
         "films/S/a>films/T/z films/S/b>films/T/b", ""),
        ("a file in a directory, then the directory", SEASON, "rename films/S/a films/S/z; rename films/S films/T",
         "films/S/a>films/T/z films/S/b>films/T/b", ""),
        ("a directory into another one", f"{SEASON}; mkdir films/d", "rename films/S films/d/S",
         "films/S/a>films/d/S/a films/S/b>films/d/S/b", ""),
        ("a directory over an empty one", f"{SEASON}; mkdir films/T", "rename films/S films/T",
         "films/S/a>films/T/a films/S/b>films/T/b", ""),
        ("two directories swapped", SEASONS,
         "rename films/S films/x; rename films/T films/S; rename films/x films/T",
         "films/S/a>films/T/a films/S/b>films/T/b films/T/a>films/S/a films/T/c>films/S/c", ""),
        ("two directories exchanged", SEASONS, "exchange films/S films/T",
         "films/S/a>films/T/a films/S/b>films/T/b films/T/a>films/S/a films/T/c>films/S/c", ""),
        ("a directory taken apart", SEASON, "rename films/S/a films/a; rename films/S/b films/b; rmdir films/S",
         "films/S/a>films/a films/S/b>films/b", ""),
        ("a large file", f"{A}; truncate films/a {MIB_100}", "rename films/a films/b", "films/a>films/b", ""),
        ("a file of 64 bytes", "write films/a 64", "rename films/a films/b", "films/a>films/b", ""),
        ("a small file into a directory", "write films/a 10; mkdir films/d", "rename films/a films/d/a",
         "films/a>films/d/a", ""),
        ("one of two names", f"{A}; link films/a films/b", "rename films/b films/c", "films/b>films/c", ""),
        ("copied and deleted", A, "copy films/a films/b; unlink films/a", "films/a>films/b", ""),
        ("copied with its times and deleted", A, "clone films/a films/b; unlink films/a", "films/a>films/b", ""),
        ("copied into a directory and deleted", f"{A}; mkdir films/d", "copy films/a films/d/a; unlink films/a",
         "films/a>films/d/a", ""),
        ("copied", A, "copy films/a films/b", "", ""),
        ("copied twice and deleted", A, "copy films/a films/b; copy films/a films/c; unlink films/a", None, ""),
        ("deleted, another one made", A, "unlink films/a; write films/b 800", "", ""),
        ("deleted, another one of the same size made", A, "unlink films/a; write films/b 500", "", ""),
        ("two deleted, one moved", f"{ABC}", "unlink films/a; unlink films/b; rename films/c films/d",
         "films/c>films/d", ""),
        ("rewritten", A, "write films/a 800", "", ""),
        ("saved by a new file over it", A, "write films/a.tmp 800; rename films/a.tmp films/a", "", ""),
        ("saved with a copy kept", A, "rename films/a films/a~; write films/a 800", "films/a>films/a~", "films/a"),
        ("touched", A, "touch films/a 5", "", ""),
        ("made longer", A, "append films/a 100", "", ""),
    )  # fmt: skip
    for name, before, actions, moves, new in both:
        if moves is None:  # one of the copies, whichever: `held_against` shows it by the name
            yield Case(name, before, actions, "films/a>films/b|films/c", new)
            yield Case(f"{name}, unseen", before, AWAY + actions + BACK, "films/a>films/b|films/c", new)
            continue
        yield Case(name, before, actions, moves, new)
        yield Case(f"{name}, unseen", before, AWAY + actions + BACK, moves, new)


def _others() -> Iterator[Case]:
    yield Case("moved and made longer", A, "rename films/a films/b; append films/b 100", "films/a>films/b")
    yield Case("made longer and moved", A, "append films/a 100; rename films/a films/b", "films/a>films/b")
    yield Case("moved and touched", A, "rename films/a films/b; touch films/b 5", "films/a>films/b")
    yield Case("swapped and one made longer", f"{A}; {B}", f"{SWAP}; append films/a 100", SWAP_MOVES)
    yield Case("an empty file", "write films/a", "rename films/a films/b", "films/a>films/b")
    yield Case("a small file", "write films/a 10", "rename films/a films/b", "films/a>films/b")
    yield Case(
        "a small file, unseen", "write films/a 10", f"{AWAY}rename films/a films/b{BACK}", "films/a>films/b"
    )
    yield Case("two empty files swapped", "write films/a; write films/b", SWAP, SWAP_MOVES)
    yield Case("to another root", A, "rename films/a music/a", "films/a>music/a")
    yield Case("to another root under another name", A, "rename films/a music/b", "films/a>music/b")
    yield Case("to another root and back", A, "rename films/a music/a; rename music/a films/a")
    yield Case(
        "to another root over a file", f"{A}; write music/a 700", "rename films/a music/a", "films/a>music/a"
    )
    yield Case("exchanged between roots", f"{A}; write music/b 700", "exchange films/a music/b",
               "films/a>music/b music/b>films/a")  # fmt: skip
    yield Case("to another root, its name used anew", A, "rename films/a music/a; write films/a 800",
               "films/a>music/a", "films/a")  # fmt: skip
    yield Case("a directory to another root", SEASON, "rename films/S music/S",
               "films/S/a>music/S/a films/S/b>music/S/b")  # fmt: skip
    yield Case("copied to another root and deleted", A, "copy films/a music/a; unlink films/a", "films/a>music/a")
    yield Case("out and in at once", A, "rename films/a outside/a; rename outside/a films/b", "films/a>films/b")
    yield Case("out, and in after the window", A, "rename films/a outside/a; quiet; rename outside/a films/b")
    yield Case("deleted and made again with the same bytes", A, "copy films/a outside/a; unlink films/a;"
               "copy outside/a films/a")  # fmt: skip
    yield Case("a directory out and in at once", SEASON, "rename films/S outside/S; rename outside/S films/T",
               "films/S/a>films/T/a films/S/b>films/T/b")  # fmt: skip
    yield Case("to another library", A, "rename films/a music/a", apart=True)
    yield Case("copied to another library and deleted", A, "copy films/a music/a; unlink films/a", apart=True)
    yield Case("a file becomes a directory", A, "unlink films/a; mkdir films/a")
    yield Case("a directory becomes a file", SEASON, "rmtree films/S; write films/S 500")
    yield Case("a file becomes a link to where it went", f"{A}; mkdir films/d",
               "rename films/a films/d/a; symlink films/a films/d/a", "films/a>films/d/a")  # fmt: skip


def _undetectable() -> Iterator[Case]:
    empty = "nothing is in it that could be known again, and nobody was there when it was renamed"
    yield Case("an empty file, unseen", "write films/a", f"{AWAY}rename films/a films/b{BACK}", undetectable=empty)
    both = "a moved and rewritten file has its inode in common with the known one, and inodes are given out again"
    yield Case("moved and made longer, unseen", A, f"{AWAY}rename films/a films/b; append films/b 100{BACK}",
               undetectable=both)  # fmt: skip
    yield Case("moved and touched, unseen", A, f"{AWAY}rename films/a films/b; retag films/b; touch films/b 5{BACK}",
               undetectable=both)  # fmt: skip


CASES = (*_everywhere(), *_others(), *_undetectable())


def faults(case: Case, folder: Path) -> list[str]:
    """Where the items differ from the truth: a line for each move that was missed, and for each that was none."""
    play = Play(folder, apart=case.apart)
    try:
        if found := play.go_on(parse_all(f"{case.before}; quiet")):
            return found
        before = play.ids
        found = play.go_on(parse_all(f"{case.actions}; quiet"))
        return [*(line for line in found if not case.undetectable), *_judged(case, before, play.ids)]
    finally:
        play.stop()


def _judged(case: Case, before: dict[str, int], after: dict[str, int]) -> Iterator[str]:
    moved = {word.partition(">")[0]: word.partition(">")[2].split("|") for word in case.moves.split()}
    new = [place for places in moved.values() for place in places if place not in moved] + case.new.split()
    for path, id_ in before.items():
        found = [place for place, other in after.items() if other == id_]
        wanted = moved.get(path) or ([path] if path in after and path not in new else [])
        if wanted and not (len(found) == 1 and found[0] in wanted):
            yield f"missed: {path} is at {' or '.join(wanted)}, its item is at {found or 'no path'}"
        elif not wanted and found:
            yield f"invented: {path} is gone, its item is at {found}"
