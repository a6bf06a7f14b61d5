"""The metrics in Prometheus's text format: of this process, or of all that count into one folder.

Several processes that stand for one (`catalogizer serve --workers`) count into files of a folder that `FOLDER` names in
their environment; the library looks for it when it is imported. Whoever of them is asked answers for all.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client is told."""


def exposition(folder: Path | None = None) -> bytes:
    """The metrics of the processes that count into `folder`; without one those that this process counts into, which are
    its own where it counts into no folder."""
    shared = os.environ.get(FOLDER) if folder is None else str(folder)
    if shared is None:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, shared)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget(folder: Path, pid: int) -> None:
    """A process has ended: what it was counting up stays, what it had open is gone."""
    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
