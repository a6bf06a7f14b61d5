"""Secrets of the environment become files that only their owner reads, and are in the program's environment no more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORD = "-----BEGIN-----\ncanary of two lines\n"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.from_environment", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_program_finds_its_secrets_in_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("from an earlier start")
    one.chmod(0o644)
    (tmp_path / "two.part").write_text("of a killed one")
    files = (f"ONE={one}", f"CATALOGIZER_NO_SETTING={two}")
    done = run(*files, "--", "config", "check", ONE=WORD, CATALOGIZER_NO_SETTING="second")
    assert (done.returncode, done.stderr) == (
        0,
        "",
    )  # a variable of our prefix that is no setting would be a fault
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"one": WORD, "two": "second"}
    assert {path.stat().st_mode & 0o777 for path in (one, two)} == {0o600}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("ONE=one", "config"), "usage: python -m cli.from_environment NAME=FILE… -- ARGUMENT…"),
        (("ONE", "--", "config"), "ONE: must be NAME=FILE"),
        (("TWO=two", "--", "config"), "TWO: not set; two is to be written from it"),
        (("ONE=/nowhere/one", "--", "config"), "ONE: /nowhere/one cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_one_line_without_the_secret(arguments: tuple[str, ...], line: str) -> None:
    done = run(*arguments, ONE=WORD)
    assert (done.returncode, done.stderr.strip()) == (2, line)
