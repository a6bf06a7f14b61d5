"""A worker's share of its gateway's limits, and how its parent reads its health."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from gateway.workers import SILENT_SECONDS, Worker
from runtime.health import Health, HealthSettings, Starting


@pytest.mark.parametrize(("of", "sockets", "of_address"), [(1, 10, 5), (2, 5, 3), (3, 4, 2), (64, 1, 1)])
def test_bounds_of_the_whole_gateway_are_shared_out_and_rounded_up(of: int, sockets: int, of_address: int) -> None:
    whole = GatewaySettings(
        max_sockets=10, max_connections_per_address=5, max_sockets_per_session=7, health=HealthSettings(port=9)
    )
    part = Worker(1, of, Path()).share(whole)
    changed = {"max_sockets": sockets, "max_connections_per_address": of_address, "health": HealthSettings()}
    assert part == whole.model_copy(update=changed)


def test_a_workers_health_is_its_running_process_s_last_report_and_not_for_long(tmp_path: Path) -> None:
    worker, health = Worker(2, 2, tmp_path), Health()
    found: list[str | None] = [None]
    health.add("log", lambda: found[0])

    async def report() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(worker.report(health), 0.05)

    pid = os.getpid()
    assert worker.reported(None, 0.0) == "not running"
    assert worker.reported(pid, 0.0) == Starting("its process was started")
    asyncio.run(report())
    assert worker.reported(pid, time.monotonic()) is None
    assert worker.reported(pid + 1, time.monotonic()) == Starting("its process was started")
    found[0] = "Kafka does not answer"
    asyncio.run(report())
    assert worker.reported(pid, time.monotonic()) == "log: Kafka does not answer"
    assert worker.reported(pid, time.monotonic() + SILENT_SECONDS + 1) == "no report for 5 s"
