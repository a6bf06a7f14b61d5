"""Any history of a tree, seen live in whatever batches: a reader of the records has the tree."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import raw
from schemas.paths import from_wire
from tests.support.producer_root import RootBench, on_disk, tree_of

DIRECTORIES = ("", "A", "B", "A/C", "B/C")
PLACES = [f"{directory}/{name}".lstrip("/") for directory in DIRECTORIES for name in ("x", "y", "D")]
PLACE = st.sampled_from([*PLACES, *DIRECTORIES[1:]])
STEP = st.one_of(
    st.tuples(st.just("write"), PLACE, st.integers(1, 40)),
    st.tuples(st.just("mkdir"), PLACE, st.none()),
    st.tuples(st.just("remove"), PLACE, st.none()),
    st.tuples(st.just("move"), PLACE, PLACE),
    st.tuples(st.just("move"), PLACE, PLACE),
    st.tuples(st.just("turn"), st.none(), st.none()),
    st.tuples(st.just("out"), PLACE, st.none()),
    st.tuples(st.just("in"), PLACE, st.none()),
    st.tuples(st.just("restart"), st.none(), st.none()),
)


def do(bench: RootBench, step: tuple[str, str | None, object]) -> None:
    """One action on the tree; one that the file system refuses changes nothing."""
    action, place, more = step
    path, outside = bench.root / (place or ""), bench.folder / "outside"
    try:
        match action, more:
            case "write", int(size):
                path.write_bytes(bytes(size))
            case "mkdir", _:
                path.mkdir(parents=True)
            case "remove", _:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            case "move", str(target):
                path.rename(bench.root / target)
            case "out", _:
                path.rename(outside)
            case "in", _:
                outside.rename(path)
            case "turn", _:
                bench.keeper.turn()
            case "restart", _:
                bench.restart()
            case _:
                raise AssertionError(step)
    except OSError:
        return


@settings(max_examples=25, deadline=None)
@given(st.lists(STEP, min_size=5, max_size=60))
def test_a_reader_of_the_records_has_the_tree(steps: list[tuple[str, str | None, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder, RootBench(Path(folder)) as bench:
        for directory in DIRECTORIES[1:]:
            (bench.root / directory).mkdir(parents=True)
        bench.keeper.turn()
        for step in steps:
            do(bench, step)
        bench.settle()
        records = bench.everything()
        assert tree_of(records) == on_disk(bench.root)
        index = {known.path for known in bench.keeper._index.below("")}
        assert index == set(tree_of(records))
        assert_no_move_from_nowhere(records)


def assert_no_move_from_nowhere(records: list[raw.RawRecord]) -> None:
    """What is recorded as moved was recorded as present before."""
    there: set[str] = set()
    for number, record in enumerate(records):
        if isinstance(record, raw.Moved):
            source = from_wire(record.from_path, record.from_path_b64)
            assert source in there, (number, record)
        there = set(tree_of(records[: number + 1]))
