"""Secrets and run.json: only the owner reads them, a reader finds a whole one or none."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cli.up import run_file
from cli.up.run_file import RunFile
from cli.up.secret_file import keep, kept_secret

RUN = RunFile(
    url="http://127.0.0.1:1",
    ws_url="ws://127.0.0.1:1/ws",
    admin_user="admin",
    admin_password_file="/s/secrets/admin-password",
    bootstrap_servers="127.0.0.1:2",
    database_url="postgresql://a:b@127.0.0.1:3/c",
    kafka_secret_file=None,
    library={"films": "/films"},
    pids={"kafka": 4},
)


def test_a_secret_is_made_once_also_by_several_at_once(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "x"
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: kept_secret(path), range(8)))
    assert made == {kept_secret(path)}
    assert len(made.pop()) >= 20
    assert [p.name for p in path.parent.iterdir()] == ["x"]


def test_a_secret_is_its_owners(tmp_path: Path) -> None:
    kept_secret(tmp_path / "x")
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_set_replaces_the_one_that_was_made(tmp_path: Path) -> None:
    kept_secret(tmp_path / "x")
    keep(tmp_path / "x", "chosen")
    assert kept_secret(tmp_path / "x") == "chosen"
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


def test_run_json_has_exactly_the_agreed_keys_and_is_its_owners(tmp_path: Path) -> None:
    run_file.write(tmp_path, RUN)
    assert json.loads((tmp_path / "run.json").read_text()) == {
        "url": "http://127.0.0.1:1",
        "ws_url": "ws://127.0.0.1:1/ws",
        "admin_user": "admin",
        "admin_password_file": "/s/secrets/admin-password",
        "bootstrap_servers": "127.0.0.1:2",
        "database_url": "postgresql://a:b@127.0.0.1:3/c",
        "kafka_secret_file": None,
        "library": {"films": "/films"},
        "pids": {"kafka": 4},
    }
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600


def test_run_json_can_be_replaced_and_removed_twice(tmp_path: Path) -> None:
    run_file.write(tmp_path, RUN)
    run_file.write(tmp_path, RUN)
    run_file.remove(tmp_path)
    run_file.remove(tmp_path)
    assert list(tmp_path.iterdir()) == []
