"""`python -m bench.watching.first_scan`: what a first scan and a reconcile cost beyond the disk, in processor time.

The disk's part is a bare walk that reads the state of every entry, and for the first scan reads the first 64 KiB of every
file and hashes them. No Kafka, no watch events, no MD5: the root's own thread, with its index and outbox."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import xxhash

from bench.support import additions_seconds
from bench.watching.measuring import peak_mb
from producer.core.fingerprint import SAMPLE
from producer.world import Pacing
from runtime.lifecycle import collect_rarely
from tests.support.producer_root import RootBench

FILES_IN_EACH = 16
FILE_BYTES = 3_000
PACING = Pacing(identity_seconds=5.0, reconcile_seconds=1e6, outbox_limit=1_000_000_000)


def make(root: Path, entries: int) -> None:
    """A tree of so many entries."""
    for number in range(entries // (FILES_IN_EACH + 1)):
        directory = root / f"artist {number // 50}" / f"album {number}"
        directory.mkdir(parents=True)
        for file in range(FILES_IN_EACH):
            (directory / f"{file}.flac").write_bytes(bytes(FILE_BYTES))


def walk(root: Path, *, reading: bool) -> int:
    """What the disk alone costs; returns the number of entries."""
    count = 0
    for directory, directories, files in os.walk(root):
        count += len(directories) + len(files)
        for name in files:
            path = os.path.join(directory, name)  # noqa: PTH118 - as bare as can be
            size = os.lstat(path).st_size
            if reading:
                descriptor = os.open(path, os.O_RDONLY)
                xxhash.xxh3_128(os.read(descriptor, min(size, SAMPLE))).hexdigest()
                os.close(descriptor)
    return count


def spent(work: Callable[[], object]) -> float:
    """Seconds of processor time."""
    before = time.process_time()
    work()
    return time.process_time() - before


def scan(bench: RootBench) -> None:
    """Run to the end of the scan that is due."""
    bench.keeper.turn()
    while not bench.keeper.condition().scanned:
        bench.keeper.turn()


def measure(folder: Path, entries: int) -> dict[str, float]:
    """One life of a root: its first scan, and after a restart the one that finds nothing new."""
    bench = RootBench(folder, PACING)
    make(bench.root, entries)
    figures = {"entries": float(walk(bench.root, reading=False))}
    reading, looking = (spent(lambda r=r: walk(bench.root, reading=r)) for r in (True, False))  # type: ignore[misc]
    bench.start()
    first = spent(lambda: scan(bench))
    bench.restart()
    again = spent(lambda: scan(bench))
    bench.stop()
    figures |= {"walk and read s": reading, "first scan s": first, "first scan beyond s": first - reading}
    figures |= {"walk s": looking, "reconcile s": again, "reconcile beyond s": again - looking}
    return figures | {"peak MB": peak_mb(os.getpid()), "10 million additions s": additions_seconds()}


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.watching.first_scan", description=__doc__)
    parser.add_argument("--entries", type=int, default=84_000, help="of the tree (84,000)")
    parser.add_argument("--runs", type=int, default=3, help="(3)")
    parser.add_argument("--folder", type=Path, help="where to work; unset: the system's temporary folder")
    given = parser.parse_args()
    collect_rarely()  # as `watch` does
    runs = []
    for _ in range(given.runs):
        with tempfile.TemporaryDirectory(prefix="catalogizer-bench-", dir=given.folder) as name:
            runs.append(measure(Path(name), given.entries))
    least_and_median = {
        key: [round(pick([run[key] for run in runs]), 2) for pick in (min, statistics.median)] for key in runs[0]
    }
    print(json.dumps({"bench": "first scan", "runs": given.runs, "minimum and median": least_and_median}))


if __name__ == "__main__":
    main()
