"""A root that has left the settings stays in the catalogue and is shown as what it is, until it is retired; configured
again it begins with all that is in it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from tests.support.media import picture
from tests.support.platform import Platform
from tests.support.waiting import wait_until

SECONDS = 40


def catalogizer(platform: Platform, *words: str, code: int = 0) -> Any:
    command = [sys.executable, "-m", "cli.main", *words, "--json"]
    done = subprocess.run(command, env=platform.env, capture_output=True, text=True, timeout=90)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else json.loads(done.stdout)


def titles(client: httpx.Client) -> set[str]:
    return {item["title"] for item in client.get("/api/v1/media/search").json()["items"]}


def root(platform: Platform, name: str) -> dict[str, Any] | None:
    found = [line for line in catalogizer(platform, "roots", "list") if line["name"] == name]
    return found[0] if found else None


def test_a_root_leaves_the_settings_the_catalogue_and_comes_back(tmp_path: Path) -> None:
    roots = {name: tmp_path / name for name in ("films", "songs")}
    for name, path in roots.items():
        path.mkdir()
        (path / f"{name} one.txt").write_bytes(name.encode() * 100)
    platform = Platform(tmp_path, roots)
    try:
        platform.start()
        with closing(platform.client()) as client:
            wait_until(lambda: titles(client) == {"films one", "songs one"}, SECONDS, what="both files")
        assert "is declared here" in catalogizer(platform, "roots", "retire", "songs", code=2)
        assert platform.stop()[0] == 0

        whole = platform.env["CATALOGIZER_PRODUCER__ROOTS"]
        platform.env["CATALOGIZER_PRODUCER__ROOTS"] = json.dumps(json.loads(whole)[:1])
        platform.start()

        def unwatched() -> bool:
            line = root(platform, "songs")
            return line is not None and (line["state"], line["configured"]) == ("silent", False)

        wait_until(unwatched, SECONDS, what="the root to be silent")
        wait_until(lambda: "nobody watches" in str(root(platform, "songs")), SECONDS, what="it to be told")
        with closing(platform.client()) as client:
            assert titles(client) == {"films one", "songs one"}
            assert catalogizer(platform, "roots", "retire", "songs") == {"root": "songs", "items": 1}
            wait_until(lambda: titles(client) == {"films one"}, SECONDS, what="its items to go")
            assert root(platform, "songs") is None
            assert [r["name"] for r in client.get("/api/v1/storage/roots").json()["roots"]] == ["films"]
        assert "no root is named" in catalogizer(platform, "roots", "retire", "songs", code=2)
        assert platform.stop()[0] == 0

        platform.env["CATALOGIZER_PRODUCER__ROOTS"] = whole
        platform.start()
        with closing(platform.client()) as client:
            wait_until(lambda: titles(client) == {"films one", "songs one"}, SECONDS, what="its items again")
        assert catalogizer(platform, "status")["roots"][1]["state"] == "watching"
    finally:
        platform.end()


def test_a_root_is_added_while_the_platform_runs_and_its_files_are_analysed(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "harbour.jpg").write_bytes(picture(800, 600))
    platform = Platform(tmp_path, {"films": tmp_path / "films"})
    try:
        platform.start()
        added = catalogizer(platform, "roots", "add", "pictures", str(tmp_path / "pictures"))
        assert added["state"] in ("watching", "scanning")
        with closing(platform.client()) as client:

            def analysed() -> bool:
                items = client.get("/api/v1/media/search").json()["items"]
                return [(item["title"], (item.get("analysis") or {}).get("status")) for item in items] == [
                    ("harbour", "done")
                ]

            wait_until(analysed, SECONDS, what="the picture")
        assert platform.stop()[0] == 0
        platform.start()

        def watched() -> bool:
            line = root(platform, "pictures")
            return line is not None and line["state"] == "watching"

        wait_until(watched, SECONDS, what="it again")
    finally:
        platform.end()
