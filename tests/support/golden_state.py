"""The state of a released version, kept as golden data: a backup of a small platform, its library, and what it said then.

`python -m tests.support.golden_state` runs this version's platform and writes `tests/golden/states/<version>.tar.xz`:

    backup/        as `catalogizer backup` makes it: log, database, index, snapshots, accounts
    films/         the files of its one root
    expected.json  an `Expected`

Its secrets are words that say what they are, not secrets.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from cli.provisioning.database_roles import ROLES
from cli.up.embedded.access import Access
from cli.up.secret_file import keep
from cli.up.state import StateFolder
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas import __version__, topics
from schemas.codec import encode
from schemas.headers import raw_headers
from schemas.lanes import lane_of
from schemas.raw import Tick
from schemas.topics import RAW, SNAPSHOTS
from streams.library.snapshots import FEWEST_RECORDS
from tests.support import media
from tests.support.browser import Browser
from tests.support.committed import Read, read_all
from tests.support.platform import Platform
from tests.support.topic import NewRecord, pour
from tests.support.waiting import wait_until

STATES = Path(__file__).parents[1] / "golden" / "states"
CHANNEL = "media_updates"
FOR_EVER = (topics.RAW, topics.CHANGES, topics.MEDIA_UPDATES, topics.ANALYSIS_UPDATES)
"""Of these topics no record ever goes."""
LANES = range(topics.EMBEDDED_LANES)
BEN = "ben's own password"
SECONDS = 60


class Stretch(msgspec.Struct, frozen=True):
    """A partition from its beginning to its end: how many records, the offset after the last one, and the SHA-256 of them
    all with offset, time, key, value and headers."""

    records: int
    next_offset: int
    sha256: str


class Expected(msgspec.Struct, frozen=True):
    """What the platform had when it was backed up. `log`: by topic, then partition; `items`: as REST gives them, by path;
    `cursor`: of a client that was away, as offsets by partition; `missed`: the frames it has missed, in the order of their
    text; `token`: a service token; `snapshots`: by lane, what a snapshot in the log has the state of; `times`: mtime of each
    file in ns, which an archive rounds."""

    version: str
    log: dict[str, dict[int, Stretch]]
    items: dict[str, dict[str, Any]]
    users: list[dict[str, Any]]
    cursor: dict[str, int]
    missed: list[str]
    token: str
    snapshots: dict[int, int]
    times: dict[str, int]


def described(records: list[Read]) -> Stretch:
    """The records of a partition."""
    digest = hashlib.sha256()
    for record in records:
        digest.update(repr((record.offset, record.timestamp, record.key, record.value, record.headers)).encode())
    return Stretch(len(records), records[-1].offset + 1 if records else 0, digest.hexdigest())


def log(brokers: KafkaSettings) -> dict[str, dict[int, list[Read]]]:
    """Every record that is kept for ever."""
    return {topic.name: {lane: read_all(brokers, topic.name, lane) for lane in LANES} for topic in FOR_EVER}


def items(platform: Platform) -> dict[str, dict[str, Any]]:
    """Every item as REST gives it, by path. Covers are signed for a time: without the signature."""
    with closing(platform.client()) as client:
        found = client.get("/api/v1/media/search", params={"limit": 100, "with_parts": True}).json()["items"]
    return {item["path"]: item | {"cover_image": unsigned(item)} for item in found}


def unsigned(item: dict[str, Any]) -> str:
    """The address of an item's cover without the signature."""
    return str(item.get("cover_image") or "").partition("?")[0]


def users(platform: Platform) -> list[dict[str, Any]]:
    """The accounts, as `catalogizer user list` shows them."""
    found: list[dict[str, Any]] = command(platform, "user", "list")
    return found


def snapshots(brokers: KafkaSettings) -> dict[int, int]:
    """The place in the change log up to which each lane's newest snapshot has the state."""
    found: dict[int, int] = {}
    for record in read_all(brokers, SNAPSHOTS.name, *LANES):
        if (record.key or b"").endswith(b"/manifest") and record.value is not None:
            manifest = json.loads(record.value)
            found[manifest["lane"]] = max(found.get(manifest["lane"], 0), manifest["next_offset"])
    return found


def frames(browser: Browser) -> list[str]:
    """Of the channel, in the order of their text."""
    return sorted(text for (name, _), texts in browser.frames.items() if name == CHANNEL for text in texts)


def command(platform: Platform, *words: str, given: str = "") -> Any:
    """What a command prints as JSON for the platform's state folder."""
    argv = [sys.executable, "-m", "cli.main", *words, "--json"]
    done = subprocess.run(argv, env=platform.env, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stderr}")
    return json.loads(done.stdout)


def at_rest(platform: Platform) -> bool:
    """Whether nothing was written to the log for three seconds."""
    before = log(platform.brokers)
    with psycopg.connect(platform.run["database_url"]) as connection:
        connection.execute("SELECT pg_sleep(3)")
    return log(platform.brokers) == before


def take_snapshot(platform: Platform) -> None:
    """Append so many records that the lane of library `home` writes one."""
    lane = lane_of("home", topics.EMBEDDED_LANES)
    pour(
        Kafka(platform.brokers, "tests"),
        [NewRecord(RAW, encode(Tick()), partition=lane, headers=tuple(raw_headers("tick")))]
        * (FEWEST_RECORDS + 10),
    )
    wait_until(lambda: lane in snapshots(platform.brokers), SECONDS, what="a snapshot")


def make(folder: Path) -> Path:
    """Run a platform in this folder, which is empty; the folder with the three parts."""
    films, parts = folder / "films", folder / "parts"
    films.mkdir()
    parts.mkdir()
    platform = Platform(folder, {"films": films})
    _not_secrets(StateFolder(platform.state_dir))
    try:
        platform.start()
        away, cursor = _lived(platform, films)
        token = command(platform, "token", "add", "dashboard", "--role", "viewer", "--days", "3650")["token"]
        wait_until(lambda: at_rest(platform), SECONDS, what="rest")
        stayed = Browser(platform.run["ws_url"], platform.token(), (CHANNEL,), next=deepcopy(cursor)).start()
        wait_until(lambda: len(frames(stayed)) >= away, SECONDS, what="what the client missed")
        stayed.stop()
        expected = Expected(
            version=__version__,
            log={
                name: {lane: described(records) for lane, records in lanes.items()}
                for name, lanes in log(platform.brokers).items()
            },
            items=items(platform),
            users=users(platform),
            cursor=cursor[CHANNEL],
            missed=frames(stayed),
            token=token,
            snapshots=snapshots(platform.brokers),
            times={
                str(path.relative_to(films)): path.stat().st_mtime_ns
                for path in films.rglob("*")
                if path.is_file()
            },
        )
        platform.stop()
        command(platform, "backup", str(parts / "backup"))
    finally:
        platform.end()
    films.rename(parts / "films")
    (parts / "expected.json").write_bytes(msgspec.json.format(msgspec.json.encode(expected)))
    return parts


def _not_secrets(state: StateFolder) -> None:
    """What is generated elsewhere, in words that say what they are."""
    access = Access(state.kafka_secrets)
    for component in access.principals:
        keep(access.secret_file(component), f"golden-data-and-no-secret-{component}")
    keep(state.token_secret, hashlib.sha256(b"golden data and no secret").hexdigest())  # words are refused there
    for name in ("password", *(f"password-{role}" for role in ROLES)):
        keep(state.postgres / name, f"golden-data-and-no-secret-{name}")


def _lived(platform: Platform, films: Path) -> tuple[int, dict[str, dict[str, int]]]:
    """What people do, and a snapshot; the least number of frames that a client has missed, and its cursor."""
    media.video(films / "Mtarix (1990).mp4")
    media.song(films / "Ferryman.mp3", 0.2)
    (films / "poster.jpg").write_bytes(media.picture(200, 300))
    (films / "away.txt").write_text("it will go")
    (films / "Größe 映画.txt").write_text("names as they are")
    wait_until(lambda: len(items(platform)) == 5, SECONDS, what="all items")
    command(platform, "user", "add", "ben", "--library", "home", "--password-stdin", given=BEN)
    film = items(platform)["Mtarix (1990).mp4"]
    with closing(platform.client()) as client:
        assert client.patch(f"/api/v1/media/{film['id']}", json={"year": 1999}).status_code == 202
    wait_until(lambda: items(platform)["Mtarix (1990).mp4"].get("year") == 1999, SECONDS, what="the correction")
    take_snapshot(platform)
    wait_until(lambda: at_rest(platform), SECONDS, what="rest")
    away = Browser(platform.run["ws_url"], platform.token(), (CHANNEL,)).start()
    wait_until(lambda: frames(away) != [], SECONDS, what="the client")
    away.stop()
    (films / "Series").mkdir()
    (films / "Ferryman.mp3").rename(films / "Series" / "Ferryman (live).mp3")
    (films / "away.txt").unlink()
    (films / "Later (2024).txt").write_text("what the client misses")
    wait_until(lambda: "Later (2024).txt" in items(platform), SECONDS, what="what the client misses")
    wait_until(lambda: len(items(platform)) == 5, SECONDS, what="what is gone")
    return 3, deepcopy(away.next)


def pack(parts: Path, archive: Path) -> None:
    """The folder as one archive; owners are not kept."""

    def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(archive, "w:xz", preset=9) as file:
        for part in sorted(parts.iterdir()):
            file.add(part, part.name, filter=anonymous)


def unpack(archive: Path, folder: Path) -> Expected:
    """The three parts into a folder; what is expected of them."""
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    expected = msgspec.json.decode((folder / "expected.json").read_bytes(), type=Expected)
    for path, mtime_ns in expected.times.items():
        os.utime(folder / "films" / path, ns=(mtime_ns, mtime_ns))
    return expected


def states() -> Iterator[Path]:
    """The archives, the oldest version first."""
    yield from sorted(STATES.glob("*.tar.xz"), key=lambda path: [int(n) for n in path.name.split(".")[:3]])


def write(archive: Path) -> None:
    """Run a platform, and write its archive."""
    with tempfile.TemporaryDirectory(prefix="golden-state-") as name:
        pack(make(Path(name)), archive)


def main() -> None:
    """Write the archive of this version."""
    archive = STATES / f"{__version__}.tar.xz"
    write(archive)
    print(f"{archive.name}: {archive.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
