"""Every attack of the table, for a second: within its limits, with its answer, and nobody else waits."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from bench.floods.attacks import ATTACKS, Attack
from bench.floods.peer import Target
from bench.floods.running import attackers, groups, measure
from tests.support.gateway import Gateway

SECONDS = 1.0


@pytest.fixture(scope="module")
def attacker() -> Iterator[Connection]:
    """The attackers' process."""
    with attackers() as pipe:
        yield pipe


@pytest.mark.parametrize("attacks", list(groups(ATTACKS)), ids=lambda group: ", ".join(a.name for a in group))
def test_an_attack_stays_within_its_bounds(
    server: Gateway, token: str, attacker: Connection, attacks: tuple[Attack, ...]
) -> None:
    assert server.process is not None
    outcomes = measure(attacker, Target(server.port, server.process.pid, token), attacks, SECONDS)
    assert [fault for outcome in outcomes for fault in outcome.faults()] == []
