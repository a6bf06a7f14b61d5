"""Backup and restore of the containers' volumes: the script's own commands, run on folders by a stand-in for the engine,
which knows volumes as folders and runs tar itself."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.compose import ROOT, resolved

ENGINE = """\
#!{python}
import os, subprocess, sys
from pathlib import Path
words, volumes = sys.argv[1:], Path(os.environ["VOLUMES"])
if words[0] == "ps":
    print(os.environ.get("RUNNING", ""), end="")
elif words[:2] == ["volume", "inspect"]:
    sys.exit(0 if (volumes / words[2]).is_dir() else 1)
else:
    assert words[0] == "run" and words[words.index("--user") + 1] == "0:0"
    mounts = [words[at + 1].split(":") for at, word in enumerate(words) if word == "--volume"]
    (volume, _, mode), (folder, _) = mounts
    (volumes / volume).mkdir(exist_ok=True)
    at = words.index("--entrypoint")
    assert mode == ("rw" if "--extract" in words else "ro")
    tar = [words[at + 1], *words[at + 3:]]
    inside = {{"/volume": str(volumes / volume), "/backup": folder}}
    changed = [next((w.replace(a, b, 1) for a, b in inside.items() if w.startswith(a)), w) for w in tar]
    sys.exit(subprocess.run(changed).returncode)
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the script, secrets, an engine, and two volumes with something in them."""
    (tmp_path / "infra" / "compose" / "secrets").mkdir(parents=True)
    shutil.copy(ROOT / "infra" / "compose" / "volumes.sh", tmp_path / "infra" / "compose")
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    (tmp_path / "infra" / "compose" / "secrets" / "database_url").write_text("ours")
    engine = tmp_path / "engine"
    engine.write_text(ENGINE.format(python=sys.executable))
    engine.chmod(0o755)
    for name in ("catalogizer_kafka", "catalogizer_watch"):
        folder = tmp_path / "volumes" / name / "deep"
        folder.mkdir(parents=True)
        (folder / "segment").write_bytes(name.encode() * 1_000)
        os.utime(folder / "segment", (1_000_000_000, 1_000_000_000))
        (folder / "segment").chmod(0o640)
    return tmp_path


@pytest.fixture
def volumes(place: Path) -> Run:
    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(place / "infra" / "compose" / "volumes.sh"), *arguments],
            cwd=place,
            env={
                "PATH": os.environ["PATH"],
                "CONTAINER_ENGINE": str(place / "engine"),
                "VOLUMES": str(place / "volumes"),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def contents(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), int(path.stat().st_mtime), path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_was_saved_is_restored_with_times_and_rights(place: Path, volumes: Run) -> None:
    before = contents(place / "volumes")
    saved = volumes("save", "kept")
    assert (saved.returncode, saved.stdout) == (0, "saved kafka\nsaved watch\n"), saved.stderr
    assert stat.S_IMODE((place / "kept").stat().st_mode) == 0o700
    shutil.rmtree(place / "volumes")
    shutil.rmtree(place / "infra" / "compose" / "secrets")
    (place / "volumes").mkdir()
    restored = volumes("load", "kept")
    assert (restored.returncode, restored.stderr) == (0, "")
    assert contents(place / "volumes") == before
    assert (place / "infra" / "compose" / "secrets" / "database_url").read_text() == "ours"


def test_nothing_is_saved_while_something_runs(place: Path, volumes: Run) -> None:
    refused = volumes("save", "kept", RUNNING="0815")
    assert (refused.returncode, refused.stderr) == (1, "something of catalogizer runs: docker compose stop\n")
    assert not (place / "kept").exists()


def test_nothing_is_restored_over_something(place: Path, volumes: Run) -> None:
    assert volumes("save", "kept").returncode == 0
    before = contents(place / "volumes")
    refused = volumes("load", "kept")
    assert refused.returncode == 1
    assert "catalogizer_kafka is not empty; nothing was restored" in refused.stderr
    assert contents(place / "volumes") == before


def test_a_damaged_backup_is_not_restored(place: Path, volumes: Run) -> None:
    assert volumes("save", "kept").returncode == 0
    with (place / "kept" / "kafka.tar").open("r+b") as file:
        file.seek(1_500)
        file.write(b"x")
    shutil.rmtree(place / "volumes")
    (place / "volumes").mkdir()
    refused = volumes("load", "kept")
    assert (refused.returncode, list((place / "volumes").iterdir())) == (1, [])
    assert "damaged; nothing was restored" in refused.stderr


def test_a_backup_is_not_written_over_another(place: Path, volumes: Run) -> None:
    (place / "kept").mkdir()
    assert "usage" in volumes("save", "kept").stderr


def test_every_volume_that_cannot_be_made_again_is_saved() -> None:
    listed = next(
        line
        for line in (ROOT / "infra/compose/volumes.sh").read_text().splitlines()
        if line.startswith("volumes=")
    )
    every = resolved("cluster", "demo", "ui", BROKERS="3", MEDIA_TYPE="volume", MEDIA_FOLDER="demo")
    assert set(listed.partition("=")[2].strip('"').split()) == every["volumes"].keys() - {"demo"}
