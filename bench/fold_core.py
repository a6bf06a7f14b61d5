"""The pure fold alone: raw records per CPU second of `apply` and of `apply_bytes` while 100,000 files become known,
four raw records a file, and bytes of memory per known file. Baseline in the same run: decoding the same bytes.

`--profile` shows the fifteen functions in which most time is spent, called ones included.
"""

from __future__ import annotations

import cProfile
import gc
import os
import pstats
import sys
import time
import tracemalloc

from bench.support import resident_mb, show
from schemas import raw
from schemas.analysis import Job
from schemas.codec import Codec, encode
from schemas.headers import raw_headers
from schemas.raw import FileState, RawRecord
from schemas.topics import ANALYSIS_JOBS
from streams.core import intake
from streams.core.emit import Output
from streams.core.fold import Fold
from streams.core.rules import RULES_1

FILES = int(os.environ.get("BENCH_FILES", "100000"))
LIBRARY = b"home"
START = 1_700_000_000_000
HEADERS = raw_headers("any")
BATCH = 100_000
"""Files that settle with one tick: as after a scan, all their jobs are open at once."""

_job: Codec[Job] = Codec(Job)


class LaneLog:
    """Writes a lane's log by folding it: results answer the jobs that the fold has issued."""

    def __init__(self) -> None:
        self.records: list[tuple[int, int, bytes, RawRecord]] = []
        self.fold = Fold(0)
        self.at = START
        self._seq = 0

    def put(self, record: RawRecord) -> list[Output]:
        """Append and fold a record."""
        offset = len(self.records)
        self.records.append((offset, self.at, LIBRARY, record))
        return self.fold.apply(offset, self.at, LIBRARY, record)

    def head(self) -> dict[str, object]:
        """Common fields of a producer's record."""
        self._seq += 1
        return {"root": "films", "epoch": "e1", "seq": self._seq, "observed_at": "2026-11-24T14:00:00.000Z"}

    def write(self, files: int) -> None:
        """A file is observed empty, then whole, fingerprinted, and analysed."""
        identity = raw.RootIdentity(dev=1, inode=2)
        self.put(
            raw.RootDeclared(
                **self.head(), library="home", site="main", protocol="local", location="/m", identity=identity  # type: ignore[arg-type]
            )
        )  # fmt: skip
        for first in range(0, files, BATCH):
            for i in range(first, min(first + BATCH, files)):
                self._file(i)
            self.at += 2_000
            for output in self.put(raw.Tick()):
                if output.topic is ANALYSIS_JOBS:
                    self._answer(_job.decode(output.value))

    def _file(self, i: int) -> None:
        path = f"Series {i % 200:03d}/Season {i % 7}/Some.Show.S{i % 7:02d}E{i % 24:02d}.1080p.{i}.mkv"
        for size in (0, 700_000_000 + i):
            file = FileState("file", size, START * 1_000_000 + size, 2049, 1_000 + i)
            self.put(raw.Observed(**self.head(), path=path, file=file, origin="live"))  # type: ignore[arg-type]
        of = {"size": file.size, "mtime_ns": file.mtime_ns, "inode": file.inode}
        self.put(raw.Fingerprint(**self.head(), path=path, xxh3=f"{i:032x}", **of))  # type: ignore[arg-type]

    def _answer(self, job: Job) -> None:
        self.put(
            raw.Result(
                job=job.job, media_id=job.media_id, root=job.root, size=job.file.size, mtime_ns=job.file.mtime_ns,
                inode=job.file.inode, status="done",
            )
        )  # fmt: skip


def per_second(log: LaneLog) -> tuple[float, float, float]:
    """Records per CPU second: decoded only, applied only, applied from bytes."""
    values = [encode(record) for _offset, _at, _key, record in log.records]
    began = time.process_time()
    for value in values:
        intake.read(RULES_1, value, HEADERS)
    decoded = time.process_time() - began
    fold, began = Fold(0), time.process_time()
    for offset, at, key, record in log.records:
        fold.apply(offset, at, key, record)
    applied = time.process_time() - began
    fold, began = Fold(0), time.process_time()
    for (offset, at, key, _record), value in zip(log.records, values, strict=True):
        fold.apply_bytes(offset, at, key, value, HEADERS)
    whole = time.process_time() - began
    count = len(values)
    return count / decoded, count / applied, count / whole


def bytes_per_file(log: LaneLog) -> float:
    """Memory of a fold's state. Paths and other strings of the records are shared with the log here, so they are
    counted by decoding them anew, as a worker does."""
    values = [encode(record) for _offset, _at, _key, record in log.records]
    gc.collect()
    tracemalloc.start()
    fold = Fold(0)
    for (offset, at, key, _record), value in zip(log.records, values, strict=True):
        fold.apply_bytes(offset, at, key, value, HEADERS)
    gc.collect()
    used, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / fold.known_paths


def profile(log: LaneLog) -> None:
    """The fifteen most expensive functions."""
    fold, profiler = Fold(0), cProfile.Profile()
    profiler.enable()
    for offset, at, key, record in log.records:
        fold.apply(offset, at, key, record)
    profiler.disable()
    pstats.Stats(profiler).strip_dirs().sort_stats("cumulative").print_stats(15)


def measure() -> None:
    """Write the log, fold it, print."""
    gc.disable()  # as a worker does
    log = LaneLog()
    log.write(FILES)
    if "--profile" in sys.argv:
        profile(log)
        return
    decoded, applied, whole = per_second(log)
    small = LaneLog()
    small.write(min(FILES, 20_000))
    figures = {
        "records": len(log.records), "decode_per_cpu_second": decoded, "apply_per_cpu_second": applied,
        "apply_bytes_per_cpu_second": whole, "bytes_per_known_file": bytes_per_file(small),
        "resident_mb": resident_mb(),
    }  # fmt: skip
    show(
        f"the fold alone, {FILES:,} files, {len(log.records):,} raw records",
        [
            ("decode alone", f"{decoded:,.0f} records per CPU second"),
            ("apply alone", f"{applied:,.0f} records per CPU second"),
            ("decode and apply", f"{whole:,.0f} records per CPU second"),
            ("ratio to decode", f"{whole / decoded:.3f}"),
            ("memory", f"{figures['bytes_per_known_file']:,.0f} bytes per known file"),
        ],
        figures,
    )


if __name__ == "__main__":
    measure()
