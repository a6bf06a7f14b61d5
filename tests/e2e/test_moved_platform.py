"""State and library are copied to another place and started there: nothing is published until an operator confirms that it
is the same library, and then only differences are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cli.up.run_file import path_in
from schemas import topics
from tests.support.committed import read_all
from tests.support.platform import ODD, Platform
from tests.support.waiting import wait_until

SECONDS = 20


def roots(platform: Platform, *words: str) -> Any:
    """The output of `catalogizer roots …` in the platform's installation."""
    command = [sys.executable, "-m", "cli.main", "roots", *words, "--json"]
    return json.loads(subprocess.run(command, env=platform.env, check=True, capture_output=True).stdout)


def path_changes(platform: Platform) -> list[tuple[str, str, int]]:
    """Kind, path and item of every change of a path, in order."""
    lanes = range(topics.EMBEDDED_LANES)
    records = read_all(platform.brokers, topics.CHANGES.name, *lanes)
    changes = [json.loads(record.value or b"{}") for record in records]
    return [(c["kind"], c["path"], c["media_id"]) for c in changes if "path" in c]


def test_a_platform_moved_to_another_disk_goes_on_once_its_root_is_accepted(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    films = before / "films"
    films.mkdir(parents=True)
    for name in ("a.txt", "b.txt"):
        (films / name).write_bytes(name.encode() * 100)
    platform = Platform(before, {"films": films})
    try:
        platform.start()
        wait_until(lambda: len(path_changes(platform)) == 2, SECONDS, what="both files")
        created = path_changes(platform)
        assert platform.stop()[0] == 0
    finally:
        platform.end()
    subprocess.run(["cp", "-a", before, after], check=True)
    films.rename(tmp_path / "old")
    (after / "films" / "b.txt").rename(after / "films" / "c.txt")
    path_in(after / ODD).unlink(missing_ok=True)
    platform = Platform(after, {"films": after / "films"})
    try:
        platform.start()

        def offline() -> bool:
            return [root["state"] for root in roots(platform, "list")] == ["offline"]

        wait_until(offline, SECONDS, what="the root to be offline")
        (line,) = roots(platform, "list")
        assert line["configured"]
        assert "catalogizer roots accept films" in line["message"]
        assert roots(platform, "accept", "films")["done"]
        wait_until(lambda: len(path_changes(platform)) == 3, SECONDS, what="what differs")
        (b,) = [item for _, path, item in created if path == "b.txt"]
        assert path_changes(platform) == [*created, ("moved", "c.txt", b)]
        (after / "films" / "d.txt").write_bytes(b"live")
        wait_until(lambda: len(path_changes(platform)) == 4, SECONDS, what="a live change")
    finally:
        platform.end()
