"""What the measurements share: a broker of their own, CPU time, and one way to print."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cli.up.embedded.jars import cache_folder, locked, obtain
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.output import SetupOutput
from cli.up.ports import free_port
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings


@contextmanager
def broker(lanes: int = 1) -> Iterator[Kafka]:
    """An embedded broker in a temporary folder."""
    jars = obtain(locked("server"), cache_folder() / "kafka", SetupOutput())
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder:
        embedded = EmbeddedKafka(Path(folder), free_port(), jars)
        embedded.prepare()
        embedded.start()
        try:
            embedded.wait_ready()
            settings = KafkaSettings(
                bootstrap_servers=embedded.bootstrap_servers, lanes=lanes, replication_factor=1
            )
            yield Kafka(settings, "bench")
        finally:
            embedded.stop()


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def additions_seconds() -> float:
    """CPU seconds of a Python loop of ten million additions, the least of three: how fast the machine is just now. By
    it figures of different hours can be compared."""
    return min(_additions() for _ in range(3))


def _additions() -> float:
    before, total = cpu_seconds(), 0
    for number in range(10_000_000):
        total += number
    return cpu_seconds() - before


def resident_mb(pid: int | None = None, *, field: str = "VmRSS") -> float:
    """Resident memory of a process in MB; with `VmHWM` its peak."""
    for line in Path(f"/proc/{pid or os.getpid()}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def show(title: str, rows: list[tuple[str, str]], figures: dict[str, float]) -> None:
    """Print as a table, or with `--json` as one object."""
    if "--json" in sys.argv:
        print(json.dumps({"bench": title, **{name: round(value, 4) for name, value in figures.items()}}))
        return
    table = Table(title=title, show_header=False)
    for name, value in rows:
        table.add_row(name, value)
    Console().print(table)
