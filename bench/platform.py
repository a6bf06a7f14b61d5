"""How long `make run` takes until it is ready, cold and warm, and how much memory each process has: idle, and with 100,000
files known. Baseline in the same run: the idle platform, and the share of the bare servers."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import psutil
import psycopg

from bench.support import show
from tests.support.platform import Platform
from tests.support.waiting import wait_until

FILES = int(os.environ.get("BENCH_FILES", "100000"))
PER_DIRECTORY = 500


def resident(platform: Platform) -> dict[str, float]:
    """MB of each component with all its children, and of the supervisor."""
    found = {}
    for name, pid in {"up": platform.pid, **platform.run["pids"]}.items():
        process = psutil.Process(pid)
        family = [process] if name == "up" else [process, *process.children(recursive=True)]
        # a server process of PostgreSQL counts shared memory again: USS leaves it out
        found[name] = sum(member.memory_full_info().uss for member in family) / 1e6
    return found


def make_files(root: Path) -> None:
    """FILES small files in directories of PER_DIRECTORY."""
    for number in range(FILES):
        if number % PER_DIRECTORY == 0:
            folder = root / f"folder {number // PER_DIRECTORY}"
            folder.mkdir()
        (folder / f"Some Title {number}.txt").write_bytes(b"%d" % number * 20)


def known(platform: Platform) -> int:
    """Items in the database."""
    with psycopg.connect(platform.run["database_url"]) as connection:
        row = connection.execute("SELECT count(*) FROM media_items WHERE deleted_at IS NULL").fetchone()
    return 0 if row is None else int(row[0])


def main() -> None:
    """Start cold, start warm, fill, start with everything known, print."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder:
        root = Path(folder) / "films"
        root.mkdir()
        platform = Platform(Path(folder), {"films": root})
        try:
            cold = platform.start()
            platform.stop()
            warm = platform.start()
            idle = resident(platform)
            make_files(root)
            wait_until(lambda: known(platform) == FILES, 900, what=f"{FILES} items", every=1.0)
            full = resident(platform)
            platform.stop()
            refilled = platform.start()
            platform.stop()
        finally:
            platform.end()
    rows = [
        ("first start to ready (downloads cached)", f"{cold:.1f} s"),
        ("warm start to ready", f"{warm:.1f} s (aim ≤ 15)"),
        (f"warm start with {FILES:,} files known", f"{refilled:.1f} s"),
        *((f"{name}: idle → {FILES:,} files", f"{idle[name]:.0f} → {full[name]:.0f} MB") for name in idle),
        ("in all", f"{sum(idle.values()):.0f} → {sum(full.values()):.0f} MB"),
    ]
    figures = {"cold_s": cold, "warm_s": warm, "warm_full_s": refilled, "idle_mb": sum(idle.values())}
    figures |= {f"{name}_mb": value for name, value in full.items()}
    show("start and memory", rows, figures)


if __name__ == "__main__":
    main()
