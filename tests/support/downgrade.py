"""`python -m tests.support.downgrade REVISION`: the way back. This program leaves a state, and the program of that
revision (a tag of the same minor version) runs its own test of upgrades on it. Exit code 0 if that passed."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from schemas import __version__
from tests.support.command import ROOT
from tests.support.golden_state import STATES, write


def main() -> int:
    """The exit code of the other program's test."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.downgrade", description=__doc__)
    parser.add_argument("revision", help="of the program that is gone back to")
    revision = parser.parse_args().revision
    with tempfile.TemporaryDirectory(prefix="downgrade-") as name:
        former = Path(name) / "former"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(former), revision], check=True)
        try:
            states = former / STATES.relative_to(ROOT)
            for archive in states.glob("*.tar.xz"):  # its own are not of interest here
                archive.unlink()
            write(states / f"{__version__}.tar.xz")
            test = [sys.executable, "-m", "pytest", "-q", "tests/e2e/test_upgrade.py"]
            return subprocess.run(
                test, cwd=former, env=os.environ | {"PYTHONPATH": str(former)}, check=False
            ).returncode
        finally:
            subprocess.run([*git, "remove", "--force", str(former)], check=False)


if __name__ == "__main__":
    sys.exit(main())
