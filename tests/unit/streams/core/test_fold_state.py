"""The state is all there is: a fold written down and read back at any record goes on with the same outputs."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import raw
from schemas.paths import to_wire
from streams.core import state_bytes
from streams.core.emit import Output
from streams.core.fold import Fold
from tests.support.fold_truth import check
from tests.support.lane import Lane, a_dir, a_file
from tests.support.small_world import Step, World, histories, long_history

Log = Iterable[tuple[int, int, bytes, raw.RawRecord]]

seeds = st.integers(0, 2**32).map(long_history)


def written_down(fold: Fold) -> Fold:
    """Another fold with the state as bytes give it."""
    return Fold(fold.lane, state=state_bytes.decode(state_bytes.encode(fold.state)))


def folded(log: Log, *, every: int | None = None, at: int | None = None) -> list[tuple[list[Output], int | None]]:
    """Outputs and what is due next, by record; written down before each `every`-th record, or the one `at`."""
    fold, told = Fold(0), []
    for number, (offset, time, key, record) in enumerate(log):
        if number == at or (every is not None and number % every == 0):
            fold = written_down(fold)
            check(fold)
        told.append((fold.apply(offset, time, key, record), fold.next_due))
    return told


@settings(max_examples=60, deadline=None)
@given(histories | seeds)
def test_written_down_before_every_record_the_outputs_are_equal_to_the_last_byte(history: list[Step]) -> None:
    world = World()
    world.live(history)
    world.settle_down()
    assert folded(world.lane.log, every=1) == folded(world.lane.log)


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(0, 1_000))
def test_written_down_once_anywhere_too(history: list[Step], where: int) -> None:
    world = World()
    world.live(history)
    world.settle_down()
    log = world.lane.log
    assert folded(log, at=where % len(log)) == folded(log)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_written_twice_it_is_the_same(history: list[Step]) -> None:
    world = World()
    world.live(history)
    once = state_bytes.encode(world.lane.fold.state)
    assert state_bytes.decode(once).clock == world.lane.fold.state.clock
    again = msgspec.msgpack.decode(state_bytes.encode(state_bytes.decode(once)))
    assert unordered(again) == unordered(msgspec.msgpack.decode(once))


def unordered(written: list[object]) -> list[object]:
    """Tallies keep what a baseline has seen as a set, and of files that look alike only the order of each lot is kept:
    other orders say nothing."""
    tallies, orders = written[4], written[-2]
    assert isinstance(tallies, list)
    assert isinstance(orders, list)
    seen = [[sorted(field) if isinstance(field, list) else field for field in tally] for tally in tallies]
    return [*written[:4], seen, *written[5:-2], *map(sorted, orders), written[-1]]


@pytest.mark.parametrize("found", ["by_inode", "by_fingerprint"])
def test_which_of_two_equals_came_first_is_kept(lane: Lane, found: str) -> None:
    """Both are gone by one record: only which of them was the first to be such a file says whose item it is."""
    lane.declare(rename_window_ms=10_000)
    equal = a_file(1)
    b, a, c = (equal, equal, equal) if found == "by_inode" else (a_file(2), a_file(3), a_file(4))
    lane.see("b.mkv", a_file(9))
    lane.see("a.mkv", a)
    lane.later(2_000)
    lane.finger("a.mkv", a, "f")
    lane.see("b.mkv", b)
    lane.later(2_000)
    lane.finger("b.mkv", b, "f")
    lane.scan(1, "baseline")
    lane.scanned(1, 0, "baseline")
    lane.see("c.mkv", c)
    lane.finger("c.mkv", c, "f")
    assert [told["from_path"] for told in lane.later(2_000) if told.value and "from_path" in told.value] == [
        "a.mkv"
    ]
    assert folded(lane.log, every=1) == folded(lane.log)


def test_paths_that_are_no_utf_8_are_kept_to_the_byte(lane: Lane) -> None:
    def put(name: bytes, file: raw.FileState | None, scan: int | None = None) -> None:
        path, b64 = to_wire(name.decode("utf-8", "surrogateescape"))
        lane.see(path, file, path_b64=b64, scan=scan)

    lane.scan(1, "baseline")
    put(b"d\xff", a_dir(1), scan=1)
    put(b"d\xff/a\xfe.mkv", a_file(2), scan=1)
    put(b"plain.mkv", a_file(3), scan=1)
    lane.make(raw.GapOpen, "films", cause="overflow", subtree="d\ufffd", subtree_b64=to_wire("d\udcff")[1])
    lane.later(2_000)
    put(b"d\xff/a\xfe.mkv", None)
    put(b"d\xff/b\xfd.mkv", a_file(2))
    path, b64 = to_wire("d\udcff")
    kept = state_bytes.decode(state_bytes.encode(lane.fold.state))
    assert set(kept.known["films"]) == {"d\udcff", "d\udcff/a\udcfe.mkv", "plain.mkv"}
    assert kept.tallies.keys() == lane.fold.state.tallies.keys()
    assert [tally.seen for tally in kept.tallies.values()] == [t.seen for t in lane.fold.state.tallies.values()]
    lane.fold = written_down(lane.fold)
    lane.move(path, "e", a_dir(1), path_b64=None, from_path_b64=b64)
    lane.fold = written_down(lane.fold)
    told = [t for t in lane.later(2_000) if t.value and t.value.get("kind") == "moved"]
    assert [(t["from_path"], t["path"]) for t in told] == [
        ("d\ufffd", "e"), ("d\ufffd/a\ufffd.mkv", "e/a\ufffd.mkv"), ("e/a\ufffd.mkv", "e/b\ufffd.mkv"),
    ]  # fmt: skip
    check(lane.fold)


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        state_bytes.decode(b"\x90")
