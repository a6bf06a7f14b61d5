"""Whatever people do to a disk, and whatever is killed meanwhile: tree, log and rows are the same when it is quiet."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cli.provisioning.topics import apply
from runtime.kafka import Kafka
from tests.oracle.change_log import LogView
from tests.oracle.line import BOUND_SECONDS, nothing, try_seed
from tests.support.servers import Brokers, clients

SEEDS = (1, 2)
OPERATIONS = 120
FAULTS = 8
OUTAGE_SECONDS = 6.0
BACK_SECONDS = 15.0
PEAK_MB = 250.0
BUSY = 4
"""Other tests run at the same time: the bound is that of a machine at rest (`python -m tests.oracle.line`)."""


@pytest.mark.parametrize("seed", SEEDS)
def test_tree_log_and_rows_are_the_same_whatever_dies(
    seed: int, kafka: Kafka, migrated: str, tmp_path: Path
) -> None:
    outcome = try_seed(seed, OPERATIONS, FAULTS, kafka, migrated, tmp_path, nothing)
    assert outcome.differences == [], "\n".join(outcome.steps)
    assert outcome.faults >= FAULTS
    assert outcome.slowest < BOUND_SECONDS * BUSY


def test_after_a_broker_was_away_everything_continues_by_itself(
    broker_factory: Brokers, migrated: str, tmp_path: Path
) -> None:
    broker = broker_factory()
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    outcome = try_seed(3, OPERATIONS, 0, kafka, migrated, tmp_path, nothing, broker, OUTAGE_SECONDS)
    assert outcome.differences == [], "\n".join(outcome.steps)
    assert outcome.faults == 1
    assert outcome.slowest < BACK_SECONDS * BUSY
    assert max(outcome.peak_mb.values()) < PEAK_MB


# -- the reader itself -----------------------------------------------------------------------------------------


def declared(epoch: str, term: int, seq: int = 1) -> bytes:
    return f'{{"kind":"root_declared","root":"r","epoch":"{epoch}","term":{term},"seq":{seq}}}'.encode()


def gone(epoch: str, seq: int, path: str = "a") -> bytes:
    record = f'{{"kind":"observed","root":"r","epoch":"{epoch}","seq":{seq},"path":"{path}","file":null}}'
    return record.encode()


def test_what_is_sent_again_is_read_once_and_has_to_be_the_same() -> None:
    view = LogView()
    for value in (declared("e", 1), gone("e", 2), gone("e", 2), b'{"kind":"tick"}'):
        view.read(value)
    assert (view.again, view.faults) == (1, [])
    view.read(gone("e", 2, "b"))
    assert view.faults[0].startswith("r: record 2 was another one before")


def test_a_hole_is_a_fault() -> None:
    view = LogView()
    for value in (declared("e", 1), gone("e", 3)):
        view.read(value)
    assert view.faults == ["r: record 3 after 1"]


def test_only_the_epoch_of_the_highest_term_counts() -> None:
    view = LogView()
    for value in (declared("one", 1), declared("two", 5), declared("late", 3), gone("one", 2), gone("late", 2)):
        view.read(value)
    assert (view.roots["r"].epoch, view.foreign, view.faults) == ("two", 3, [])
