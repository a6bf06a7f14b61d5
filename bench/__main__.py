"""`make bench`: every measurement, one after the other, each in a process of its own. `--json` is passed on."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.up.embedded.postgres import EmbeddedPostgres
from cli.up.ports import free_port

MEASUREMENTS = (
    "fan_out_latency",
    "fold",
    "gateway",
    "idle",
    "latency",
    "platform",
    "rebuild",
    "replay",
    "search",
    "workers",
)


@contextmanager
def database() -> Iterator[str]:
    """A PostgreSQL of its own."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder:
        server = EmbeddedPostgres(Path(folder), free_port())
        server.prepare()
        server.start()
        try:
            server.wait_ready()
            yield server.url()
        finally:
            server.kill()


def main() -> int:
    """Run them all; the number of those that failed."""
    failed = 0
    for name in MEASUREMENTS:
        failed += (
            subprocess.run([sys.executable, "-m", f"bench.{name}", *sys.argv[1:]], check=False).returncode != 0
        )
    with database() as url:
        failed += subprocess.run([sys.executable, "-m", "bench.projector", url], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
