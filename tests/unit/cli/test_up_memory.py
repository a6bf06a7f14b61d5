"""The embedded database's cache follows from the memory of the machine or the container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.up.embedded.memory import machine_bytes
from cli.up.embedded.postgres import buffers_mb

GB = 1 << 30
MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("said", "found"),
    [(None, MACHINE), ("max\n", MACHINE), (f"{1 << 28}\n", 1 << 28), (f"{1 << 62}\n", MACHINE), ("", MACHINE)],
)
def test_a_container_has_its_limit_and_no_more_than_the_machine(
    tmp_path: Path, said: str | None, found: int
) -> None:
    limit = tmp_path / "memory.max"
    if said is not None:
        limit.write_text(said)
    assert machine_bytes([limit, tmp_path / "none such"]) == found


@pytest.mark.parametrize(("memory", "megabytes"), [(GB // 4, 64), (2 * GB, 256), (4 * GB, 512), (64 * GB, 1_024)])
def test_the_cache_is_an_eighth_within_limits(memory: int, megabytes: int) -> None:
    assert buffers_mb(memory) == megabytes
