"""The set-up: nothing to do is done at once, what fails is one line, what was killed is made anew."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the set-up needs of a checkout, no environment in it."""
    (tmp_path / "infra").mkdir()
    shutil.copy(CHECKOUT / "infra" / "bootstrap.py", tmp_path / "infra")
    shutil.copytree(CHECKOUT / "requirements", tmp_path / "requirements")
    return tmp_path


def bootstrap(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(checkout / "infra" / "bootstrap.py"), *arguments]
    return subprocess.run(argv, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)


def without_network(checkout: Path) -> subprocess.CompletedProcess[str]:
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "0",
        "PIP_FIND_LINKS": "",
        "PIP_NO_CACHE_DIR": "1",
    }
    return bootstrap(checkout, "run", **nowhere)


def made(checkout: Path, wanted: str) -> None:
    """An environment that says that it is complete."""
    code = (
        "import sys; sys.path.insert(0, 'infra'); import bootstrap as b; b.VENV.mkdir();"
        f"b.STAMP.write_text('{wanted} ' + b._fingerprint())"
    )
    subprocess.run([sys.executable, "-c", code], cwd=checkout, check=True)


@pytest.mark.parametrize(("has", "wanted"), [("run", "run"), ("dev", "dev"), ("dev", "run")])
def test_what_is_there_is_left_alone_and_at_once(checkout: Path, has: str, wanted: str) -> None:
    made(checkout, has)
    before = (checkout / ".venv" / ".synced").stat().st_mtime_ns
    began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = bootstrap(checkout, wanted)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began < 0.3
    assert (checkout / ".venv" / ".synced").stat().st_mtime_ns == before


def test_without_a_network_it_is_one_line_and_a_failure(checkout: Path) -> None:
    done = without_network(checkout)
    assert done.returncode == 1
    assert done.stderr.startswith("set-up failed: the installer uv could not be installed: ")
    assert done.stderr.count("\n") == 1


def test_what_was_killed_half_way_is_made_anew(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / ".half-made").touch()
    (checkout / ".venv" / "bin" / "python").write_text("half")
    done = without_network(checkout)
    assert done.stdout.splitlines()[0] == "making .venv anew"
    assert (checkout / ".venv" / ".half-made").exists()


@pytest.mark.parametrize("arguments", [(), ("all",), ("run", "dev")])
def test_what_it_does_not_know_is_said(checkout: Path, arguments: tuple[str, ...]) -> None:
    done = bootstrap(checkout, *arguments)
    assert (done.returncode, done.stderr) == (1, "set-up failed: usage: python3 infra/bootstrap.py run|dev\n")


def test_an_older_python_is_told_which_one_is_needed(checkout: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'infra'); sys.version_info = (3, 9, 2); import bootstrap;"
        "sys.exit(bootstrap.main(['run']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("set-up failed: Python 3.11 or newer is needed, ")
    assert done.stderr.count("\n") == 1
