"""The state of every released version is taken up by this one: nothing in the log, the catalogue and the accounts differs, a
client that was away goes on by its old cursor, and what happens next is what would have happened there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.up.run_file import path_in
from cli.up.state import StateFolder
from runtime.health import product_version
from tests.support.browser import Browser
from tests.support.golden_state import (
    BEN,
    CHANNEL,
    Expected,
    at_rest,
    command,
    described,
    frames,
    items,
    log,
    states,
    unpack,
    users,
)
from tests.support.platform import Platform
from tests.support.waiting import wait_until

SECONDS = 30
SAME = "Größe 映画.txt"
"""A file that stays as it is."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A platform of this version with the state of another. `films`: its root."""

    platform: Platform
    films: Path
    expected: Expected


@pytest.fixture(
    scope="module", params=[pytest.param(path, id=path.name.removesuffix(".tar.xz")) for path in states()]
)
def taken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    """Restored, started, and its root, which is in another place now, accepted."""
    folder = tmp_path_factory.mktemp("upgrade")
    expected = unpack(request.param, folder)
    films = folder / "films"
    platform = Platform(folder, {"films": films})
    command(platform, "restore", str(folder / "backup"))
    shutil.rmtree(folder / "backup")
    try:
        platform.start()
        wait_until(lambda: state(platform) == "offline", SECONDS, what="the root to be found in another place")
        assert command(platform, "roots", "accept", "films")["done"]
        wait_until(lambda: state(platform) == "watching", SECONDS, what="the root")
        wait_until(lambda: at_rest(platform), SECONDS, what="rest")
        yield Taken(platform, films, expected)
    finally:
        platform.end()


def state(platform: Platform) -> str:
    """Of its root."""
    (root,) = command(platform, "roots", "list")
    return str(root["state"])


def lacks(found: Any, wanted: Any, place: str = "") -> list[str]:
    """What was there and is not or is otherwise; a later version may add fields."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            line
            for name, value in wanted.items()
            for line in (lacks(found[name], value, f"{place}.{name}") if name in found else [f"{place}.{name}"])
        ]
    return [] if found == wanted else [f"{place}: {found!r} was {wanted!r}"]


def test_the_log_is_as_it_was_up_to_where_it_ended(taken: Taken) -> None:
    found = log(taken.platform.brokers)
    for topic, lanes in taken.expected.log.items():
        for lane, stretch in lanes.items():
            before = [record for record in found[topic][lane] if record.offset < stretch.next_offset]
            assert described(before) == stretch, (topic, lane)


def test_nothing_was_published_of_files_that_are_as_they_were(taken: Taken) -> None:
    found = log(taken.platform.brokers)
    for topic in ("catalog.media.updates.v1", "catalog.analysis.updates.v1"):
        later = [
            json.loads(record.value or b"{}")
            for lane, stretch in taken.expected.log[topic].items()
            for record in found[topic][lane]
            if record.offset >= stretch.next_offset
        ]
        # rules of a later version may read names otherwise, and say so
        assert [one for one in later if not str(one.get("cause", "")).startswith("rules:")] == []


def test_the_catalogue_and_the_accounts_are_the_same(taken: Taken) -> None:
    found = items(taken.platform)
    assert sorted(found) == sorted(taken.expected.items)
    if taken.expected.version == product_version():
        assert [
            lacks(found[path], item, path)
            for path, item in taken.expected.items.items()
            if lacks(found[path], item)
        ] == []
    assert {path: item["id"] for path, item in found.items()} == {
        path: item["id"] for path, item in taken.expected.items.items()
    }
    assert found["Mtarix (1990).mp4"]["year"] == 1999, "a person has corrected it"
    known = {user["user"]: user for user in users(taken.platform)}
    for user in taken.expected.users:
        assert (
            lacks(known[user["user"]], {name: value for name, value in user.items() if name != "sessions"}) == []
        )
    with closing(httpx.Client(base_url=taken.platform.run["url"], timeout=20)) as client:
        answer = client.post("/api/v1/auth/login", json={"username": "ben", "password": BEN})
        assert answer.status_code == 200, answer.text
        bearer = {"Authorization": f"Bearer {taken.expected.token}"}
        assert client.get("/api/v1/media/search", headers=bearer).status_code == 200


def test_a_client_that_was_away_gets_what_it_missed(taken: Taken) -> None:
    back = Browser(
        taken.platform.run["ws_url"],
        taken.platform.token(),
        (CHANNEL,),
        next={CHANNEL: dict(taken.expected.cursor)},
    ).start()
    try:
        wait_until(lambda: len(frames(back)) >= len(taken.expected.missed), SECONDS, what="what it missed")
    finally:
        back.stop()
    found = [json.loads(text) for text in frames(back)]
    wanted = [json.loads(text) for text in taken.expected.missed]
    by_place = {(frame["partition"], frame["offset"]): frame for frame in found}
    for frame in wanted:
        assert lacks(by_place[frame["partition"], frame["offset"]], frame) == []
    assert not any(answer["type"] == "gap" for answer in back.answers)
    if taken.expected.version == product_version():
        last = max(by_place[frame["partition"], frame["offset"]]["offset"] for frame in wanted)
        assert [text for text in frames(back) if json.loads(text)["offset"] <= last] == taken.expected.missed


def test_lanes_begin_at_the_snapshot_that_was_in_the_log(taken: Taken) -> None:
    lines = StateFolder(taken.platform.state_dir).log("stream").read_text().splitlines()
    live = {line["lane"]: line["since"] for line in map(json.loads, lines) if line["event"] == "lane live"}
    assert {lane: live[lane] for lane in taken.expected.snapshots} == taken.expected.snapshots


def test_what_happens_next_continues_the_same_items(taken: Taken) -> None:
    before = items(taken.platform)
    (taken.films / SAME).rename(taken.films / "Series" / "new name.txt")
    (taken.films / "New (2025).txt").write_text("new")

    def both() -> bool:
        now = items(taken.platform)
        return "New (2025).txt" in now and "Series/new name.txt" in now

    wait_until(both, SECONDS, what="a rename and a new file")
    assert items(taken.platform)["Series/new name.txt"]["id"] == before[SAME]["id"]
    assert SAME not in items(taken.platform)
    (taken.films / "Series" / "new name.txt").rename(taken.films / SAME)
    wait_until(lambda: SAME in items(taken.platform), SECONDS, what="the way back")


def test_the_audit_finds_nothing_wrong(taken: Taken) -> None:
    wait_until(lambda: at_rest(taken.platform), SECONDS, what="rest")
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "audit", "--json"],
        env=taken.platform.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *findings, _summary = map(json.loads, done.stdout.splitlines())
    assert findings == []


def test_it_ends_and_starts_again_as_any_platform(taken: Taken) -> None:
    before = items(taken.platform)
    assert taken.platform.stop()[0] == 0
    path_in(taken.platform.state_dir).unlink(missing_ok=True)
    taken.platform.start()
    assert items(taken.platform) == before
    assert (taken.platform.state_dir / "version").read_text().strip() == product_version()
