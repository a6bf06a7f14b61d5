"""The limit on open files is raised to what the settings need; if it cannot be, fewer sockets fit, and one warning reports
it. Each test runs in a process of its own, because a lowered limit stays."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from gateway.core.admission import files_wanted
from gateway.settings import GatewaySettings

WANTED = files_wanted(GatewaySettings().max_sockets)
PROGRAM = """
import resource, sys
from gateway.main import find_room
from gateway.settings import GatewaySettings
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
fits = find_room(GatewaySettings())
print("found", fits.sockets, fits.connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def started(soft: int, hard: int) -> tuple[list[int], list[str]]:
    """Sockets, connections and the limit as a gateway with these limits finds them; and its warnings."""
    may = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if may not in (resource.RLIM_INFINITY,) and may < hard:
        pytest.skip(f"this machine lets nobody open {hard} files")
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(soft), str(hard)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = (ended.stdout + ended.stderr).splitlines()
    found = next(line for line in lines if line.startswith("found "))
    return [int(word) for word in found.split()[1:]], [line for line in lines if "warning" in line]


def test_a_low_limit_is_raised_as_far_as_is_needed() -> None:
    assert started(1_024, 20_000) == ([10_000, 11_000, WANTED], [])


def test_where_it_cannot_be_raised_fewer_fit_and_one_warning_names_the_limit() -> None:
    found, warnings = started(1_024, 1_024)
    assert found == [576, 768, 1_024]
    assert len(warnings) == 1
    assert f"LimitNOFILE) to {WANTED}" in warnings[0]
    assert "sockets=576" in warnings[0].replace("\x1b[0m", "").replace("\x1b[36m", "").replace("\x1b[35m", "")
