"""A backup of a running platform, restored on another path and port, is the same platform: log, catalogue, accounts, and
what a client that was away has missed."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import httpx
import psycopg
import pytest

from schemas import topics
from tests.support.browser import Browser
from tests.support.golden_state import BEN, CHANNEL, at_rest, command, frames, log
from tests.support.platform import Platform
from tests.support.waiting import wait_until

TABLES = ("media_items", "change_log", "users", "sessions")


def told(platform: Platform) -> bool:
    """Whether its library has been told, and all of it."""
    return any(log(platform.brokers)[topics.MEDIA_UPDATES.name].values()) and at_rest(platform)


def rows(platform: Platform) -> dict[str, list[str]]:
    """Every row of the tables, as text."""
    with psycopg.connect(platform.run["database_url"]) as connection:
        found = {}
        for table in TABLES:
            query = psycopg.sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(psycopg.sql.Identifier(table))
            found[table] = [str(row[0]) for row in connection.execute(query)]
        return found


@pytest.mark.timeout(420)
def test_a_backup_made_while_it_runs_is_the_same_platform_on_another_path(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    original, restored = Platform(tmp_path / "here"), Platform(tmp_path / "there")
    backup = tmp_path / "backup"
    try:
        original.start()
        command(original, "user", "add", "ben", "--password-stdin", given=BEN)
        away = Browser(original.run["ws_url"], original.token(), (CHANNEL,)).start()
        wait_until(lambda: told(original), 60, what="the demo library to be in the log")
        wait_until(lambda: away.next != {} and frames(away) != [], 20, what="the client")
        away.stop()

        stayed = Browser(original.run["ws_url"], original.token(), (CHANNEL,), next=deepcopy(away.next)).start()
        (original.state_dir / "library" / "movies" / "Missed (2024).mkv").write_bytes(b"missed" * 1000)
        wait_until(lambda: frames(stayed) != [], 30, what="what the client misses")
        wait_until(lambda: at_rest(original), 60, what="rest")
        stayed.stop()
        missed, logged, kept = frames(stayed), log(original.brokers), rows(original)

        made = command(original, "backup", str(backup))
        assert made["folder"] == str(backup)
        assert made["files"] > 100
        assert serves(original), "it goes on by itself, and is ready when the command returns"
        original.end()

        assert command(restored, "restore", str(backup))["bytes"] == made["bytes"]
        restored.start()
        assert restored.port != original.port
        now = log(restored.brokers)
        for topic, lanes in logged.items():
            assert {lane: now[topic][lane][: len(before)] for lane, before in lanes.items()} == lanes
        found = rows(restored)
        assert found["users"] == kept["users"]
        assert found["media_items"] == kept["media_items"]
        assert set(kept["change_log"]) <= set(found["change_log"])
        later = set(found["change_log"]) - set(kept["change_log"])
        assert [row for row in later if "root_changed" not in row] == []  # its roots stand in another place
        assert set(kept["sessions"]) <= set(found["sessions"])
        answer = httpx.post(
            f"{restored.run['url']}/api/v1/auth/login", json={"username": "ben", "password": BEN}, timeout=20
        )
        assert answer.status_code == 200, answer.text

        back = Browser(restored.run["ws_url"], restored.token(), (CHANNEL,), next=deepcopy(away.next)).start()
        wait_until(lambda: len(frames(back)) >= len(missed), 30, what="what the client missed")
        back.stop()
        assert frames(back) == missed
    finally:
        original.end()
        restored.end()


def serves(platform: Platform) -> bool:
    """Whether the gateway is ready."""
    try:
        return httpx.get(f"{platform.run['url']}/health/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
