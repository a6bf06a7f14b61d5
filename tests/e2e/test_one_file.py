"""One file travels from the disk to a socket, and everything about it can be read again."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from confluent_kafka import Producer
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from schemas import topics
from schemas.headers import TRACEPARENT, find
from tests.support import media
from tests.support.committed import connection, read_all
from tests.support.platform import PASSWORD, Platform
from tests.support.waiting import wait_until

SECONDS = 15


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The watched folder."""
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def platform(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that watches it."""
    platform = Platform(tmp_path_factory.mktemp("platform"), {"films": root})
    try:
        platform.start()
        yield platform
    finally:
        platform.end()


@contextmanager
def listen(platform: Platform, **options: object) -> Iterator[ClientConnection]:
    """A socket that has subscribed to media updates."""
    with connect(f"{platform.run['ws_url']}?token={platform.token()}") as socket:
        socket.send(json.dumps({"type": "subscribe", "channel": "media_updates", **options}))
        assert json.loads(socket.recv(SECONDS))["type"] == "subscribed"
        yield socket


def events(socket: ClientConnection, path: str, *actions: str) -> list[tuple[str, dict[str, Any]]]:
    """The next events of an item at a path, one per action, as (text, frame)."""
    found: list[tuple[str, dict[str, Any]]] = []
    wanted = list(actions)
    deadline = time.monotonic() + SECONDS
    while wanted:
        text = socket.recv(max(0.1, deadline - time.monotonic()))
        assert isinstance(text, str)
        frame = json.loads(text)
        if frame["type"] == "media_update" and frame["data"]["media"]["path"] == path:
            assert frame["data"]["action"] == wanted.pop(0), frame
            found.append((text, frame))
    return found


def test_a_file_is_created_analysed_renamed_and_deleted_under_one_id(
    platform: Platform, root: Path, tmp_path: Path
) -> None:
    name, renamed = "Quiet Harbour (2003) 1080p.mp4", "Quiet Harbour (2003) 720p.mp4"
    made = media.video(tmp_path / name)
    with listen(platform) as socket:
        shutil.copy(made, root / name)
        created, analysed = events(socket, name, "created", "analyzed")
        (root / name).rename(root / renamed)
        (updated,) = events(socket, renamed, "updated")
        (root / renamed).unlink()
        (deleted,) = events(socket, renamed, "deleted")
    ids = {frame["data"]["media_id"] for _, frame in (created, analysed, updated, deleted)}
    assert len(ids) == 1
    item = created[1]["data"]["media"]
    assert (item["title"], item["media_type"], item["year"], item["quality"], item["directory_path"]) == (
        "Quiet Harbour (2003)", "video", 2003, "1080p", "/films",
    )  # fmt: skip
    assert analysed[1]["data"]["media"]["duration"] > 0
    assert "analysis_id" in analysed[1]["data"]
    assert created[1]["payload"] == created[1]["data"]
    with closing(platform.client()) as client:
        where = client.get("/api/v1/changes", params={"path": name}).json()
    kinds = [change["kind"] for change in where["changes"]]
    assert sorted(kinds) == ["created", "moved"]


def test_a_replay_gives_the_same_bytes_before_and_after_a_kill_of_the_gateway(
    platform: Platform, root: Path
) -> None:
    with listen(platform) as socket:
        (root / "one.txt").write_text("one " * 30)
        (live, frame) = events(socket, "one.txt", "created")[0]
    offset = frame["offset"]

    def again() -> str:
        with listen(platform, **{"from": {"offsets": {str(frame["partition"]): offset}}}) as socket:
            return events(socket, "one.txt", "created")[0][0]

    assert again() == live
    killed = platform.kill("serve")
    platform.wait_again("serve", killed)
    assert again() == live


def test_what_lies_beside_a_film_is_published_with_it_and_a_correction_takes_precedence(
    platform: Platform, root: Path, tmp_path: Path
) -> None:
    folder = root / "Mtarix (1990)"
    made = media.video(tmp_path / "film.mp4")
    (tmp_path / "poster.jpg").write_bytes(media.picture(400, 600))
    (tmp_path / "facts.nfo").write_text(
        "<movie><title>The Matrix</title><plot>A world.</plot><rating>8.7</rating></movie>"
    )
    with closing(platform.client()) as client:

        def shown(**wanted: Any) -> dict[str, Any]:
            items: list[dict[str, Any]] = client.get("/api/v1/media/search", params=wanted).json()["items"]
            return {
                item["path"].rpartition("/")[2]: item for item in items if item["path"].startswith(folder.name)
            }

        folder.mkdir()
        shutil.copy(made, folder / "Mtarix (1990).mp4")
        shutil.copy(tmp_path / "poster.jpg", folder / "poster.jpg")
        shutil.copy(tmp_path / "facts.nfo", folder / "Mtarix (1990).nfo")
        (folder / "Mtarix (1990).de.forced.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nJa.\n")
        wait_until(lambda: "rating" in shown().get("Mtarix (1990).mp4", {}), SECONDS, what="the facts to be told")
        wait_until(lambda: len(shown(with_parts=True)) == 4, SECONDS, what="all four items")
        parts = shown(with_parts=True)

        def cover(name: str) -> str:
            return str(shown(with_parts=True)[name].get("cover_image", name)).partition("?")[0]

        wait_until(
            lambda: cover("Mtarix (1990).mp4") == cover("poster.jpg"), SECONDS, what="the poster to be the film's"
        )
        film = shown()["Mtarix (1990).mp4"]
        assert (film["title"], film["description"], film["rating"]) == ("The Matrix (1990)", "A world.", 8.7)
        assert film["subtitle_languages"] == ["de"]
        assert list(shown()) == ["Mtarix (1990).mp4"]
        assert {item.get("belongs_to") for item in parts.values()} == {None, film["id"]}

        answer = client.patch(f"/api/v1/media/{film['id']}", json={"year": 1999})
        assert answer.status_code == 202, answer.text
        wait_until(lambda: shown()["Mtarix (1990).mp4"]["year"] == 1999, SECONDS, what="the correction")
        folder.rename(root / "elsewhere")
        folder = root / "elsewhere"
        wait_until(lambda: "Mtarix (1990).mp4" in shown(), SECONDS, what="the move")
        film = shown()["Mtarix (1990).mp4"]
        assert (film["title"], film["corrected"]) == ("The Matrix (1999)", ["year"])


def test_everything_that_comes_of_a_file_is_in_the_trace_of_its_observation(
    platform: Platform, root: Path, tmp_path: Path
) -> None:
    made = media.song(tmp_path / "traced.mp3", 0.2)
    with listen(platform) as socket:
        shutil.copy(made, root / made.name)
        events(socket, made.name, "created", "analyzed")
    (change,) = found(platform, topics.CHANGES, lambda value: value.get("path") == made.name)
    (job,) = found(platform, topics.ANALYSIS_JOBS, lambda value: value["path"] == made.name)
    result = found(platform, topics.RAW, lambda value: value.get("job") == job.value["job"])
    updates = found(platform, topics.MEDIA_UPDATES, lambda value: value["media"]["path"] == made.name)
    observed = found(platform, topics.RAW, lambda value: value.get("path") == made.name)
    assert len(updates) == 2
    assert {one.trace for one in (job, *result, *updates)} == {change.trace}
    assert change.trace in {one.trace for one in observed}


@dataclass(frozen=True, slots=True)
class Traced:
    """A record's value, and the trace it is in."""

    value: dict[str, Any]
    trace: bytes


def found(platform: Platform, topic: topics.Topic, wanted: Callable[[dict[str, Any]], bool]) -> list[Traced]:
    """The records of a topic that are wanted."""
    partitions = range(topic.partition_count(topics.EMBEDDED_LANES))
    records = read_all(platform.brokers, topic.name, *partitions)
    reported = [Traced(json.loads(r.value or b"{}"), (find(r.headers, TRACEPARENT) or b"")[3:35]) for r in records]
    return [one for one in reported if wanted(one.value)]


def test_names_are_carried_exactly(platform: Platform, root: Path) -> None:
    names = [b"not utf-8 \xff\xfe.txt", b"two\nlines.txt", b"n" * 251 + b".txt"]
    with listen(platform) as socket:
        for name in names:
            with open(os.path.join(os.fsencode(root), name), "wb") as file:  # noqa: PTH118, PTH123  paths as bytes
                file.write(b"content " * 20)
        seen: set[tuple[str, str | None]] = set()
        deadline = time.monotonic() + SECONDS
        while len(seen) < len(names) and time.monotonic() < deadline:
            item = json.loads(socket.recv(SECONDS))["data"]["media"]
            seen.add((item["path"], item.get("path_b64")))
    assert seen == {
        ("not utf-8 ��.txt", "bm90IHV0Zi04IP/+LnR4dA=="),
        ("two\nlines.txt", None),
        ("n" * 251 + ".txt", None),
    }


def test_no_secret_is_in_any_record_log_line_metric_or_error(platform: Platform) -> None:
    """Secrets of every kind are used, rightly and wrongly; then everything that is written or answered is searched."""
    mistyped, wrong = "Canary 4711 typed as a name!", "canary-of-a-wrong-password"
    with httpx.Client(base_url=platform.run["url"], timeout=SECONDS) as client:
        session = client.post("/api/v1/auth/login", json={"username": "admin", "password": PASSWORD}).json()
        token = session["session_token"]
        client.cookies.clear()
        signed_in = {"Authorization": f"Bearer {token}"}
        ticket = client.post("/api/v1/auth/ws-ticket", headers=signed_in).json()["ticket"]
        issued = client.post("/api/v1/tokens", headers=signed_in, json={"name": "m", "role": "viewer"})
        machine = issued.json()["token"]
        refused = [
            client.post("/api/v1/auth/login", json={"username": "admin", "password": wrong}),
            client.post("/api/v1/auth/login", json={"username": mistyped, "password": wrong}),
            client.post("/api/v1/auth/refresh", json={"refresh_token": session["refresh_token"] + "x"}),
            client.get("/api/v1/media/stats", headers={"Authorization": f"Bearer {token}x"}),
            client.get(f"/api/v1/media/stats?token={token}", headers={"Authorization": f"Bearer {machine}x"}),
        ]
        assert [answer.is_error for answer in refused] == [True] * len(refused)
        shown = [answer.text for answer in refused]
        shown += [client.get(path, headers=signed_in).text for path in ("/health", "/metrics", "/api/v1/topics")]
    for query in (f"token={token}", f"ticket={ticket}", f"ticket={ticket}", f"token={token}x", f"token={machine}"):
        with connect(f"{platform.run['ws_url']}?{query}") as socket:
            try:
                socket.send(json.dumps({"type": "subscribe", "channel": "media_updates", "token": token}))
                shown.append(str(socket.recv(SECONDS)))
            except ConnectionClosed as closed:
                shown.append(str(closed))
    producer = Producer(connection(platform.brokers))
    producer.produce(topics.RAW.name, b"poison", b"home", partition=0)
    assert producer.flush(SECONDS) == 0
    letters = topics.dlq_of(topics.RAW)
    wait_until(lambda: read_all(platform.brokers, letters.name, 0) != [], SECONDS, what="its dead letter")

    secrets = {path.read_text().strip() for path in (platform.state_dir / "secrets").rglob("*") if path.is_file()}
    secrets |= {PASSWORD, token, session["refresh_token"], ticket, machine, mistyped, wrong}
    secrets.add(urlsplit(platform.run["database_url"]).password or "")
    assert len(secrets) >= 14
    assert min(map(len, secrets)) > 8
    logs = [*(platform.state_dir / "logs").iterdir(), *(platform.state_dir / "kafka" / "log").iterdir()]
    places = {path.name: path.read_bytes() for path in logs}
    assert all(places[f"{component}.log"] for component in ("serve", "stream", "watch", "project"))
    places |= {"what up printed": platform.output.encode(), "answers": "\n".join(shown).encode()}
    for topic in topics.ALL_TOPICS:
        read = read_all(platform.brokers, topic.name, *range(topic.partition_count(topics.EMBEDDED_LANES)))
        places[topic.name] = b"\n".join(
            b"".join((r.key or b"", r.value or b"", *(value for _, value in r.headers))) for r in read
        )
    assert places[topics.AUDIT.name] != b"" and places[letters.name] != b""
    found = [(place, secret) for place, text in places.items() for secret in secrets if secret.encode() in text]
    assert found == []
