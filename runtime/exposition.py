"""The metrics in Prometheus's text format: of this process, or of all processes that share a metrics folder.

The workers of one gateway (`catalogizer serve --workers`) write their counts into files of a folder, which the environment
variable `FOLDER` names; the library reads it when it is imported. Each worker can then serve the metrics of all.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that prometheus_client reads."""


def exposition(folder: Path | None = None) -> bytes:
    """The metrics of the processes that share `folder`. Without it: those of the folder that this process shares, or of this
    process alone if it shares none."""
    shared = os.environ.get(FOLDER) if folder is None else str(folder)
    if shared is None:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, shared)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget(folder: Path, pid: int) -> None:
    """A process has ended: its counters are kept, its gauges of live values are removed."""
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
