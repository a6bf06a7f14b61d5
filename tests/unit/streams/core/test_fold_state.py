"""The state is all there is: a fold written down and read back at any record goes on with the same outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    fold, outputs = Fold(0), []
    for number, (offset, time, key, record) in enumerate(log):
        if number == at or (every is not None and number % every == 0):
            fold = written_down(fold)
            check(fold)
        outputs.append((fold.apply(offset, time, key, record), fold.next_due))
    return outputs


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
    kept = state_bytes.decode(once)
    assert kept.clock == world.lane.fold.state.clock
    assert pieces(state_bytes.encode(kept)) == pieces(once)


def pieces(written: bytes) -> list[list[object]]:
    """Each piece, except for orders without meaning: what a baseline has seen is a set, and of files that look alike
    only the order of each lot is kept."""
    found = []
    while written:
        end = 4 + int.from_bytes(written[:4], "big")
        found.append(msgspec.msgpack.decode(written[5:end]))
        written = written[end:]
    for piece in found:
        if piece[0] == 0:
            piece[-3] = [sorted(order) for order in piece[-3]]
        elif piece[0] == 3:
            piece[2].sort()
    return found


def beside(log: Log, began: int, pause: int) -> tuple[bytes, bytes]:
    """What is written down at once of a state, and what is while the fold changes it, a piece after each `pause`-th
    record."""
    fold, written = Fold(0), list[bytes]()
    at_once: bytes = b""
    left: Iterator[bytes] = iter(())
    for number, (offset, time, key, record) in enumerate(log):
        if number == began:
            at_once = state_bytes.encode(fold.state)
            left = state_bytes.Snapshot(fold.state).pieces()
        fold.apply(offset, time, key, record)
        if number % pause == 0 and (piece := next(left, None)) is not None:
            written.append(piece)
    return at_once, b"".join([*written, *left])


@settings(max_examples=200, deadline=None)
@given(seeds, st.integers(0, 1_000), st.sampled_from([1, 2, 1_000]), st.sampled_from([1, 4, 10**6]))
def test_written_down_while_the_fold_goes_on_it_is_the_state_of_when_it_began(
    history: list[Step], where: int, rows: int, pause: int
) -> None:
    world = World()
    world.live(history)
    world.settle_down()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state_bytes, "ROWS", rows)
        at_once, meanwhile = beside(world.lane.log, where % len(world.lane.log), pause)
    assert pieces(meanwhile) == pieces(at_once)


def test_one_that_was_given_up_leaves_the_state_as_it_is(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    snapshot = state_bytes.Snapshot(lane.fold.state)
    next(snapshot.pieces())
    snapshot.close()
    assert lane.fold.state.taken is None
    assert state_bytes.decode(state_bytes.encode(lane.fold.state)).roots.keys() == {"films"}


def test_bytes_may_be_cut_anywhere(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.later(2_000)
    written = state_bytes.encode(lane.fold.state)
    for size in (1, 3, 7, 100):
        restoring = state_bytes.Restoring()
        for at in range(0, len(written), size):
            restoring.feed(written[at : at + size])
        assert state_bytes.encode(restoring.state()) == written


def test_numbers_beyond_64_bits_are_kept(lane: Lane) -> None:
    huge = raw.FileState("file", 2**70, -(2**80), 2**64 + 1, 2**99)
    lane.see("a.mkv", huge)
    lane.fold = written_down(lane.fold)
    lane.later(2_000)
    lane.fold = written_down(lane.fold)
    (entry,) = lane.fold.state.known["films"].values()
    assert (entry.size, entry.mtime_ns, entry.dev, entry.inode) == (2**70, -(2**80), 2**64 + 1, 2**99)


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
    assert [
        outputs["from_path"] for outputs in lane.later(2_000) if outputs.value and "from_path" in outputs.value
    ] == ["a.mkv"]
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
    outputs = [t for t in lane.later(2_000) if t.value and t.value.get("kind") == "moved"]
    assert [(t["from_path"], t["path"]) for t in outputs] == [
        ("d\ufffd", "e"), ("d\ufffd/a\ufffd.mkv", "e/a\ufffd.mkv"), ("e/a\ufffd.mkv", "e/b\ufffd.mkv"),
    ]  # fmt: skip
    check(lane.fold)


def test_what_is_no_state_is_refused(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    lane.later(2_000)
    written = state_bytes.encode(lane.fold.state)
    end = 4 + int.from_bytes(written[:4], "big")
    small, rest = written[:end], written[end:]
    for wrong in (b"", b"\x90", written[:-1], small, rest, rest + small, small + small + rest, written + rest,
                  written[:5] + b"\xc1" + written[6:]):  # fmt: skip
        with pytest.raises(msgspec.DecodeError):
            state_bytes.decode(wrong)
