"""The library fold in a storm: kills, zombies, joins and leaves, while snapshots are written and rules are adopted.

As the command, in a process of its own.
"""

from __future__ import annotations

import re
import subprocess
import sys

STORM = ("--changes", "1500", "--kills", "10", "--zombies", "1", "--workers", "3", "--seed", "4")


def test_whatever_happens_to_workers_nothing_is_lost_or_twice() -> None:
    command = (sys.executable, "-m", "tests.support.fold_storm", *STORM)
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3_000:]
    outputs, snapshots = (number(what, done.stdout) for what in ("outputs", "snapshots"))
    assert outputs > 1_500
    assert snapshots > 2


def number(what: str, said: str) -> int:
    found = re.search(rf"([\d,]+) {what}", said)
    assert found is not None, said
    return int(found[1].replace(",", ""))
