"""`python -m bench.watching.at_rest`: what watching costs while nothing happens, by the way in which a root is watched: the
product's process, and for a polled root the polling alone; for a share, how many messages are sent to the server.

MD5 is off, and no reconcile falls into the measurement: what is left is the watch, the checks of the root's identity and the
reports."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from smbprotocol.structure import Structure

from bench.support import broker
from bench.watching.changelog import ChangeLog
from bench.watching.measuring import cpu_seconds
from bench.watching.ours import Ours
from cli.provisioning.topics import apply
from producer.backends.interface import PollingStats
from producer.backends.polling.schedule import Pace
from producer.backends.polling.watch import PollingWatch
from producer.settings import PollingSpec
from runtime.kafka import Kafka
from storage.smb.session import Session
from tests.support.samba import provided, serving
from tests.support.share_root import ShareRoot

FILES_IN_EACH = 20
LONG_AGO = 1_600_000_000
SETTLE_SECONDS = 5.0
WAYS = ("inotify", "fanotify", "polling")


def make(root: Path, files: int) -> int:
    """A tree that has not changed for long; returns how many directories it has."""
    count = files // FILES_IN_EACH
    for number in range(count):
        directory = root / f"artist {number // 50}" / f"album {number}"
        directory.mkdir(parents=True)
        for file in range(FILES_IN_EACH):
            (directory / f"{file}.flac").touch()
    directories = [path for path, _, _ in os.walk(root)]
    for path in directories:
        os.utime(path, (LONG_AGO, LONG_AGO))
    return len(directories)


def polling(root: Path, seconds: float) -> dict[str, float]:
    """The watch alone, in this process: looks a second, per cent of a processor, bytes a directory."""
    spec = PollingSpec()
    tracemalloc.start()
    watch = PollingWatch(root, lambda: None, Pace(spec.hot_seconds, spec.cold_seconds, spec.looks_per_second))
    watch.drain(time.monotonic())
    for path, _, _ in os.walk(root):
        watch.add(os.path.relpath(path, root).removeprefix("."))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    until, spent = time.monotonic() + seconds, time.thread_time()
    while (now := time.monotonic()) < until:
        watch.drain(now)
        due = watch.next_due()
        time.sleep(max(0.0, min(until, until if due is None else due) - time.monotonic()))
    spent = time.thread_time() - spent
    coverage = watch.coverage
    assert isinstance(coverage.polling, PollingStats)
    return {
        "directories": coverage.watched,
        "looks a second": round(coverage.polling.per_second, 1),
        "CPU %": round(100 * spent / seconds, 2),
        "bytes a directory": round(taken / coverage.watched),
        "unseen at most, s": round(coverage.polling.unseen_seconds, 1),
    }


def on_share(folder: Path, files: int, seconds: float) -> dict[str, float]:
    """A root on a share, in this process: messages a second (of one request or more, echoes included), per cent of a
    processor, and what its first scan took."""
    if (missing := provided()) is not None:
        raise SystemExit(missing)
    count = 0

    class Counted(Session):
        def _send(self, requests: Sequence[Structure]) -> list[Any]:
            nonlocal count
            count += 1
            return super()._send(requests)

        def echo(self) -> None:
            nonlocal count
            count += 1
            super().echo()

    with serving() as samba:
        root = samba.served["media"] / "films"
        make(root, files)
        with ShareRoot(samba, folder, samba.share("films"), connect=Counted) as shared:
            spent, began = time.process_time(), time.monotonic()
            shared.until(lambda: shared.bench.keeper.condition().scanned, 3_600, "the first scan")
            first = {"first scan s": time.monotonic() - began, "first scan CPU s": time.process_time() - spent}
            shared.rest(SETTLE_SECONDS)
            count, spent = 0, time.process_time()
            shared.rest(seconds)
            found = {"messages a second": count / seconds}
            found["CPU %"] = 100 * (time.process_time() - spent) / seconds
    return {name: round(figure, 2) for name, figure in (first | found).items()}


def at_rest(kafka: Kafka, log: ChangeLog, root: Path, folder: Path, way: str, seconds: float) -> float:
    """The product's process, per cent of a processor."""
    link = folder / f"rest-{way}"
    link.mkdir()
    root.rename(link / "tree")
    ours = Ours(kafka, log, link, folder, way=way, md5=False)
    try:
        ours.wait_ready()
        time.sleep(SETTLE_SECONDS)
        spent = cpu_seconds(ours.pid)
        time.sleep(seconds)
        return round(100 * (cpu_seconds(ours.pid) - spent) / seconds, 2)
    finally:
        ours.end()
        (link / "tree").rename(root)


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.watching.at_rest", description=__doc__)
    parser.add_argument("--files", type=int, default=100_000, help="how many (100,000)")
    parser.add_argument("--seconds", type=float, default=45.0, help="of each measurement (45)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as name, broker() as kafka:
        folder = Path(name)
        root = folder / "root"
        root.mkdir()
        make(root, given.files)
        found: dict[str, object] = {"bench": "watching at rest", "files": given.files}
        found["looking"] = polling(root, given.seconds)
        asyncio.run(apply(kafka))
        with closing(ChangeLog(kafka)) as log:
            found["share"] = on_share(folder, given.files, given.seconds)
            found["process CPU %"] = {way: at_rest(kafka, log, root, folder, way, given.seconds) for way in WAYS}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
