"""The commands in the documents work: runnable blocks run against a started platform, every command that is shown exists,
and every link has a target."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.support.platform import Platform

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```sh( runnable)?\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)#:]+?)(?:#[^)]*)?\)")


def blocks(page: Path, *, runnable: bool) -> list[str]:
    return [text for mark, text in BLOCK.findall(page.read_text()) if runnable == bool(mark)]


def commands(text: str) -> list[list[str]]:
    """The words of every `catalogizer` command in a block, its arguments included."""
    joined = text.replace("\\\n", " ")
    lines = (shlex.split(line, comments=True) for line in joined.splitlines())
    found = []
    for words in lines:
        for at, word in enumerate(words):
            if Path(word).name == "catalogizer" and "=" not in word:
                found.append(words[at + 1 :])
    return found


RUNNABLE = [(page, text) for page in PAGES for text in blocks(page, runnable=True)]
SHOWN = [
    (page, words)
    for page in PAGES
    for runnable in (True, False)
    for text in blocks(page, runnable=runnable)
    for words in commands(text)
]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = Platform(tmp_path_factory.mktemp("docs"))
    try:
        platform.start()
        yield platform
    finally:
        platform.stop()


@pytest.fixture
def shell(platform: Platform, tmp_path: Path) -> dict[str, str]:
    """The environment of someone who reads the documents beside a running platform."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "catalogizer"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m cli.main "$@"\n')
    program.chmod(0o755)
    return platform.env | {"PATH": f"{programs}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("page", "text"), RUNNABLE, ids=[f"{page.name}-{i}" for i, (page, _) in enumerate(RUNNABLE)]
)
def test_a_runnable_block_runs(page: Path, text: str, shell: dict[str, str], tmp_path: Path) -> None:
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=tmp_path,
        env=shell,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, f"{page.name}:\n{text}\n{result.stdout[-2000:]}{result.stderr[-2000:]}"
    assert "Traceback" not in result.stderr


def test_there_are_runnable_blocks() -> None:
    assert len(RUNNABLE) >= 3


@pytest.mark.parametrize(
    ("page", "words"), SHOWN, ids=[f"{page.name}: {' '.join(words)}" for page, words in SHOWN]
)
def test_a_command_that_is_shown_exists_with_its_options(page: Path, words: list[str]) -> None:
    path: list[str] = []
    for word in words:
        if word.startswith("-") or CliRunner().invoke(app, [*path, word, "--help"]).exit_code != 0:
            break
        path.append(word)
    shown = CliRunner().invoke(app, [*path, "--help"], env={"TERMINAL_WIDTH": "200"}).output
    assert path, f"{page.name} shows `catalogizer {' '.join(words)}`"
    assert [word for word in words if word.startswith("--") and word.split("=")[0] not in shown] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_documents_leads_somewhere(page: Path) -> None:
    assert [target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()] == []
