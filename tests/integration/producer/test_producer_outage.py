"""Kafka is away during an rsync: memory remains small, the outbox stops at its limit, and afterwards everything is recorded.

`OUTAGE_SECONDS=600` in the environment is the long form; the tree grows with it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from cli.provisioning.topics import apply
from producer.settings import ProducerSettings, RootSpec
from schemas.lanes import lane_of
from schemas.topics import RAW
from tests.oracle.change_log import ChangeLog
from tests.oracle.model import differences, walk
from tests.support.producer_process import ProducerProcess, producing
from tests.support.producer_root import put
from tests.support.servers import Brokers, clients
from tests.support.waiting import wait_until

SECONDS = float(os.environ.get("OUTAGE_SECONDS", "10"))
FILES = 8_000 if SECONDS < 60 else 60_000
LIMIT = 10_000
STEP = 2_000
"""Records that one transaction of a scan, or of a batch of events, may add beyond the limit."""

MEMORY_MB = 200
DIRECTORIES = 40


def fill(source: Path, files: int) -> None:
    """What is to be copied."""
    for number in range(DIRECTORIES):
        (source / f"Series {number}").mkdir(parents=True)
    for number in range(files):
        (source / f"Series {number % DIRECTORIES}" / f"{number}.mkv").write_bytes(f"{number} ".encode() * 40)


def rsync(source: Path, target: Path) -> None:
    """`rsync -a`; where it is not installed, the same: each file under another name first, with its times, renamed."""
    if shutil.which("rsync") is not None:
        subprocess.run(["rsync", "-a", f"{source}/", f"{target}/"], check=True)
        return
    for directory in sorted(source.iterdir()):
        (target / directory.name).mkdir(exist_ok=True)
        for path in sorted(directory.iterdir()):
            part = target / directory.name / f".{path.name}.Xa3f9Q"
            shutil.copyfile(path, part)
            shutil.copystat(path, part)
            part.rename(target / directory.name / path.name)


def peak_mb(process: ProducerProcess) -> float:
    """The peak of its memory."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1_000


class Outbox:
    """The root's state, read from outside. `deepest`: the greatest number of waiting records that was seen."""

    def __init__(self, state: Path) -> None:
        self._path = state / "producer" / "producer" / "films.sqlite"
        self.deepest = 0

    def look(self) -> None:
        """Read it now."""
        self.deepest = max(self.deepest, self._count("outbox"))

    def is_frozen(self) -> bool:
        """A gap is open since it was full."""
        self.look()
        return self._count("gap") > 0

    def _count(self, table: str) -> int:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=10)) as connection:
            found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
        return found


@pytest.mark.timeout(300 + 3 * int(SECONDS))
def test_kafka_is_away_during_an_rsync(broker_factory: Brokers, tmp_path: Path) -> None:
    source, root = tmp_path / "source", tmp_path / "films"
    fill(source, FILES)
    put(root / "before.mkv")
    for number in range(
        DIRECTORIES
    ):  # known and watched: changes in them are reported by events, which do not wait as scans do
        (root / f"Series {number}").mkdir()
    broker = broker_factory()
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    log = ChangeLog(broker.bootstrap_servers, kafka.name(RAW), lane_of("home", kafka.lanes))
    settings = ProducerSettings(
        roots=(RootSpec(name="films", library="home", path=root),), identity_seconds=0.2, outbox_limit=LIMIT
    )

    def wrong() -> list[str]:
        log.read_on()
        return log.view.faults + differences(log.view.tree("films"), walk(root))

    with closing(log), producing(kafka, settings, tmp_path / "state") as process:
        outbox = Outbox(tmp_path / "state")
        wait_until(lambda: not wrong(), 20, what="the baseline")
        copying = threading.Thread(target=rsync, args=(source, root))
        copying.start()
        wait_until(lambda: any((root / "Series 1").iterdir()), 20, what="the copy to be under way", every=0.01)
        broker.kill()
        back_at = time.monotonic() + SECONDS
        wait_until(outbox.is_frozen, 60, what="the outbox to be full", every=0.2)
        copying.join()
        put(root / "Series 3" / "while frozen.mkv", b"new")
        (root / "before.mkv").unlink()
        wait_until(lambda: outbox.look() or time.monotonic() >= back_at, SECONDS + 60, what="the time", every=0.5)  # type: ignore[func-returns-value]
        assert outbox.deepest <= LIMIT + STEP
        broker.start()
        broker.wait_ready()
        began = time.monotonic()
        wait_until(lambda: not wrong(), 120, what="everything to be there", every=0.5)
        print(
            f"peak {peak_mb(process):.0f} MB, deepest {outbox.deepest}, {time.monotonic() - began:.1f} s after return"
        )
        assert peak_mb(process) <= MEMORY_MB
        assert process.died is None
