"""A lock file names its owner, also after an owner was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.errors import Locked
from runtime.lock_file import locked

HOLD = """
import sys, pathlib
from runtime.lock_file import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_learns_who_the_first_is_and_gets_it_when_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    argv = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Locked) as refused, locked(path):
            pass
        assert refused.value.pid == str(holder.pid)
        assert f"(process {holder.pid})" in str(refused.value)
        holder.kill()
    with locked(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_it_is_free_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path / "lock"):
            pass
