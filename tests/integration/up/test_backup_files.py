"""A backup is whole or absent, is verified before anything is restored, and is refused where it would not hold the log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.backup.errors import Damaged, NothingHere, NotOurs, TargetTaken, Unsteady
from cli.backup.making import PART, Made, make_backup
from cli.backup.manifest import CONTENTS, MANIFEST
from cli.backup.restoring import restore_backup
from cli.progress import Stages
from cli.settings import Settings
from cli.up.state import owned
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.support.command import ROOT
from tests.support.platform import ODD

QUIET = Stages(hidden=True)
FILES = {
    "kafka/data/raw-0/00000000000000000000.log": (b"records" * 1000, 0o644),
    "kafka/server.properties": (b"made again", 0o600),
    "logs/watch.log": (b"lines", 0o600),
    "postgres/data/PG_VERSION": (b"18\n", 0o600),
    "postgres/password": (b"secret", 0o600),
    "producer/index.db": (b"index", 0o640),
    "secrets/token.key": (b"key", 0o400),
}
KEPT = sorted(set(FILES) - {"kafka/server.properties", "logs/watch.log"})
DIES = """
import os, signal, sys
from pathlib import Path
from cli.backup.making import make_backup
from cli.progress import Stages
from cli.settings import Settings
from contextlib import contextmanager

class Dying(Stages):
    @contextmanager
    def stage(self, what, total=None):
        yield (lambda _: os.kill(os.getpid(), signal.SIGKILL)) if what == sys.argv[3] else (lambda _: None)

make_backup(Settings(state_dir=Path(sys.argv[1])), Path(sys.argv[2]), Dying(hidden=True))
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder in which nothing runs."""
    folder = tmp_path / ODD
    for name, (contents, mode) in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
        path.chmod(mode)
    (folder / "postgres" / "data" / "pg_notify").mkdir(mode=0o700)
    return folder


def made(state: Path, target: Path) -> Made:
    return make_backup(Settings(state_dir=state), target, QUIET)


def files(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Contents, mode and time of each file."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_is_restored_is_what_was_there_but_for_what_a_start_makes_again(state: Path, tmp_path: Path) -> None:
    before = files(state)
    backup, restored = tmp_path / "backup", tmp_path / "new" / "state"
    made(state, backup)
    restore_backup(backup, restored, QUIET)
    assert files(restored) == {name: before[name] for name in KEPT}
    assert (restored / "postgres" / "data" / "pg_notify").is_dir()
    assert restored.stat().st_mode & 0o777 == 0o700
    assert backup.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["backup", "new", ODD])


@pytest.mark.parametrize("stage", ["copying", "computing checksums"])
def test_a_backup_that_was_killed_is_none_and_the_next_one_is_whole(
    stage: str, state: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    words = [sys.executable, "-c", DIES, str(state), str(backup), stage]
    done = subprocess.run(words, cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    part = tmp_path / PART.format("backup")
    assert part.exists()
    assert not backup.exists()
    with pytest.raises(Damaged, match="no backup, or not a whole one"):
        restore_backup(part, tmp_path / "restored", QUIET)
    made(state, backup)
    assert not part.exists()
    restore_backup(backup, tmp_path / "restored", QUIET)
    assert sorted(files(tmp_path / "restored")) == KEPT


def spoil(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize("fault", ["changed", "missing", "added", "cut", "escaping"])
def test_a_damaged_backup_is_refused_before_anything_is_written(fault: str, state: Path, tmp_path: Path) -> None:
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    made(state, backup)
    victim, manifest = backup / CONTENTS / "producer" / "index.db", backup / MANIFEST
    match fault:
        case "changed":
            spoil(victim)
        case "missing":
            victim.unlink()
        case "added":
            (victim.parent / "more").touch()
        case "cut":
            manifest.write_bytes(manifest.read_bytes()[:100])
        case "escaping":
            manifest.write_text(manifest.read_text().replace("producer/index.db", "../../index.db"))
    with pytest.raises(Damaged, match="nothing was restored"):
        restore_backup(backup, restored, QUIET)
    assert not restored.exists()


def test_nothing_is_written_over_what_is_there(state: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    made(state, backup)
    before = files(state)
    with pytest.raises(TargetTaken, match="not empty"):
        restore_backup(backup, state, QUIET)
    with pytest.raises(TargetTaken, match="not empty"):
        made(state, backup)
    with pytest.raises(TargetTaken, match="in the state folder itself"):
        made(state, state / "backup")
    assert {name: found for name, found in files(state).items() if name != "lock"} == {
        name: found for name, found in before.items() if name != "lock"
    }


def test_a_platform_that_is_starting_is_left_alone(state: Path, tmp_path: Path) -> None:
    with owned(state), pytest.raises(Unsteady, match="once the platform is ready"):
        made(state, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
    assert not (tmp_path / PART.format("backup")).exists()


def test_logs_and_databases_elsewhere_are_refused_with_what_keeps_them(state: Path, tmp_path: Path) -> None:
    brokers = Settings(state_dir=state, kafka=KafkaSettings(bootstrap_servers="broker:9092"))
    with pytest.raises(NotOurs, match="neither their offsets nor transactions"):
        make_backup(brokers, tmp_path / "backup", QUIET)
    database = Settings(state_dir=state, database=DatabaseSettings(url=SecretStr("postgresql://a@b/c")))
    with pytest.raises(NotOurs, match="pg_dump"):
        make_backup(database, tmp_path / "backup", QUIET)
    with pytest.raises(NothingHere):
        made(tmp_path / "nothing", tmp_path / "backup")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "small", small], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no right to mount a small disk")
    yield small
    subprocess.run(["umount", small], check=True)


def test_a_full_disk_is_one_line_and_leaves_nothing(state: Path, small_disk: Path) -> None:
    (state / "kafka" / "data" / "raw-0" / "more.log").write_bytes(os.urandom(2_000_000))
    environment = os.environ | {"CATALOGIZER_STATE_DIR": str(state)}
    words = [sys.executable, "-m", "cli.main", "backup", str(small_disk / "backup")]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "the disk is full" in done.stderr
    assert list(small_disk.iterdir()) == []


def test_the_command_reports_what_it_made_for_machines(state: Path, tmp_path: Path) -> None:
    environment = os.environ | {"CATALOGIZER_STATE_DIR": str(state)}
    words = [sys.executable, "-m", "cli.main", "backup", str(tmp_path / "backup"), "--json"]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert (answer["folder"], answer["files"]) == (str(tmp_path / "backup"), len(KEPT))
