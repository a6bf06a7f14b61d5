"""`catalogizer watch` with the usual settings, on one root, and whether the log by now agrees with the disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.watching.changelog import LIBRARY, ChangeLog, RootView
from bench.watching.judging import Judgement, Tree, as_a_share_has_it, delayed_links, judge_records, walk
from bench.watching.measuring import cpu_seconds
from runtime.kafka import Kafka
from runtime.lifecycle import READY_FILE
from storage.share import Share

WATCH_THREADS: Mapping[str, str] = {"auto": "inotify", "inotify": "inotify", "fanotify": "fanotify"}
"""By the way in which the root is watched, the name of the thread that reads the kernel's queue. A polled root has none: the
root's own thread polls."""

WAYS = ("auto", "inotify", "fanotify", "polling", "smb")
"""smb: a share of a server on this machine, changed through the share and on the server itself."""

POLLED = ("polling", "smb")
POLLED_RECONCILE_SECONDS = 60
"""A write in place in a cold directory is found by a reconcile, and no run waits a quarter of an hour for that."""

START_SECONDS = 60.0
QUIET_SECONDS = 2.5
"""A file that was not closed is examined 2 s after its last write."""

LONGEST_SECONDS = 300.0


class Ours:
    """Watches once `wait_ready` has returned; `log`: where its records are read from. `quiet_seconds`: after so long without
    a record no more are expected; `share`: through which it reaches the root."""

    def __init__(
        self,
        kafka: Kafka,
        log: ChangeLog,
        root: Path,
        folder: Path,
        *,
        quiet_seconds: float = QUIET_SECONDS,
        way: str = "auto",
        share: Share | None = None,
        md5: bool = True,
    ) -> None:
        self._thread = WATCH_THREADS.get(way)
        self._log = log
        self._quiet_seconds = quiet_seconds
        self._root = root
        self.view: RootView = log.of(root.name)
        self._ready = folder / f"{root.name}.ready"
        self._output = folder / f"{root.name}.log"
        settings = kafka.settings
        self._over_share = share is not None
        spec = {"name": root.name, "library": LIBRARY} | _reached(root, way, share)
        environment = {
            "KAFKA__BOOTSTRAP_SERVERS": settings.bootstrap_servers or "",
            "KAFKA__TOPIC_PREFIX": settings.topic_prefix,
            "KAFKA__LANES": str(kafka.lanes),
            "KAFKA__REPLICATION_FACTOR": "1",
            "STATE_DIR": str(folder / f"{root.name}.state"),
            "PRODUCER__NAME": root.name,
            "PRODUCER__ROOTS": json.dumps([spec]),
        }
        environment |= {} if md5 else {"PRODUCER__MD5_BYTES_PER_SECOND": "0"}
        environment |= {"PRODUCER__RECONCILE_SECONDS": str(POLLED_RECONCILE_SECONDS)} if way in POLLED else {}
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "watch"],
                env=os.environ
                | {f"CATALOGIZER_{name}": value for name, value in environment.items()}
                | {READY_FILE: str(self._ready)},
                stdout=output,
                stderr=output,
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def thread_cpu(self) -> float:
        """Processor time of the thread that reads the kernel's queue, s."""
        return 0.0 if self._thread is None else cpu_seconds(self.pid, self._thread)

    def wait_ready(self) -> None:
        """Wait until its first scan is complete and in the log. Raises RuntimeError."""
        self._wait(self._ready.exists, "ready", START_SECONDS)
        self._wait(self._has_baseline, "past its baseline", LONGEST_SECONDS)

    def settle(self, *, quiet: bool = True) -> Tree:
        """Wait until the log agrees with the disk (and no more records come), or time is over; returns the disk's tree."""
        there = walk(self._root)
        there = as_a_share_has_it(there) if self._over_share else there
        until = time.monotonic() + LONGEST_SECONDS
        last = time.monotonic()
        while time.monotonic() < until:
            if self._log.read():
                last = time.monotonic()
            elif time.monotonic() >= last + (self._quiet_seconds if quiet else 0) and self.view.tree == there:
                break
            time.sleep(0.05)
        return there

    def judge(self, there: Tree, *, removes: bool = True, delays_links: bool = False) -> Judgement:
        """Judge the records read since the last `begin`, of a workload with these properties."""
        replaced = delayed_links(self._root, there) if delays_links else set()
        removals = () if removes else [path for path in self.view.stretch.removals if path not in replaced]
        return judge_records(self.view.tree, there, removals)

    def end(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait()

    def _has_baseline(self) -> bool:
        self._log.read()
        return self.view.has_baseline

    def _wait(self, condition: Callable[[], bool], what: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not condition():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"catalogizer watch: not {what}: {self._output.read_text()[-2_000:]}")
            time.sleep(0.05)


def _reached(root: Path, way: str, share: Share | None) -> dict[str, object]:
    if share is None:
        return {"path": str(root), "watch": way}
    return {
        "protocol": "smb", "host": share.host, "port": share.port, "share": share.share, "path": share.path,
        "user": share.user, "password": share.secret(),
    }  # fmt: skip
