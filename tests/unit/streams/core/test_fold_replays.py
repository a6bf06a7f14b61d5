"""Replay equals live: the same log gives the same outputs, in any process; time passing changes no decision."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.emit import Output
from streams.core.fold import Fold
from tests.support.refold import HEADERS, digest, folded, lines, stored, with_ticks
from tests.support.small_world import Step, World, histories, long_history

Decision = tuple[object, ...]

seeds = st.integers(0, 2**32).map(long_history)


def lived(history: list[Step]) -> World:
    world = World()
    world.live(history)
    world.settle_down()
    return world


def decisions(outputs: list[Output]) -> list[Decision]:
    """What was decided, without ids of events and times of decision."""
    decided: list[Decision] = []
    for output in outputs:
        if output.topic.name == "catalog.media.state.v1":
            continue
        value = msgspec.json.decode(output.value or b"null")
        media = value.get("media", {})
        decided.append(
            (
                value.get("kind"), value.get("action"), value.get("root"), value.get("path") or media.get("path"),
                value.get("from_path"), value.get("media_id"), value.get("size"), value.get("settled"), value.get("state"),
                value.get("scan_id"), value.get("items_processed"), value.get("duration_ms"), value.get("attempt"),
            )
        )  # fmt: skip
    return decided


@settings(max_examples=80, deadline=None)
@given(histories | seeds)
def test_folded_again_from_bytes_the_outputs_are_equal_to_the_last_byte(history: list[Step]) -> None:
    world = lived(history)
    assert folded(stored(world.lane.log)) == world.lane.outputs


@settings(max_examples=80, deadline=None)
@given(histories | seeds, st.integers(0, 1_000))
def test_a_part_folded_silently_and_the_rest_live_are_the_whole(history: list[Step], split: int) -> None:
    world = lived(history)
    log = world.lane.log
    live_from = split % (len(log) + 1)
    fold = Fold(0)
    silent = [o for record in log[:live_from] for o in fold.apply(*record)]
    counters = fold.counters
    live = [o for record in log[live_from:] for o in fold.apply(*record)]
    assert silent + live == world.lane.outputs
    emitted = Counter(o.topic.name for o in silent)
    assert counters.changes == emitted["catalog.fs.changes.v1"]


@pytest.mark.parametrize("steps", [1, 3])
def test_where_the_parts_of_a_record_end_is_not_in_the_outputs(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = [lived(long_history(seed, 300)) for seed in range(20)]
    monkeypatch.setattr("streams.core.fold.PART_STEPS", steps)
    parts = 0
    for world in worlds:
        fold, outputs = Fold(0), []
        for record in stored(world.lane.log):
            for part in fold.parts(record.offset, record.at, record.key, record.value, HEADERS):
                parts += 1
                outputs += part
        assert outputs == world.lane.outputs
    assert parts > 1.05 * sum(len(world.lane.log) for world in worlds)


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_in_another_process_with_another_hash_seed_too(hash_seed: str) -> None:
    world = lived(long_history(3, 600))
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.refold"],
        input="\n".join(lines(stored(world.lane.log))), text=True, capture_output=True, check=True,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
    )  # fmt: skip
    assert run.stdout.strip() == digest(world.lane.outputs)


@settings(max_examples=150, deadline=None)
@given(histories | seeds, st.lists(st.integers(0, 8), min_size=1, max_size=9))
def test_ticks_anywhere_change_no_decision(history: list[Step], between: list[int]) -> None:
    log = lived(history).lane.log
    plain = [o for _offset, outputs in with_ticks(log, [0]) for o in outputs]
    ticked = [o for _offset, outputs in with_ticks(log, between) for o in outputs]
    assert decisions(ticked) == decisions(plain)


@settings(max_examples=80, deadline=None)
@given(histories | seeds)
def test_everything_due_is_published_at_the_first_record_at_or_after_it(history: list[Step]) -> None:
    log = lived(history).lane.log
    fold = Fold(0)
    for offset, at, key, record in log:
        due, before = fold.next_due, fold.now
        fold.apply(offset, at, key, record)
        assert due is None or due >= before
        assert fold.next_due is None or fold.next_due >= fold.now
