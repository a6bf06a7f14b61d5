"""What a process costs, by the kernel's counters: processor time of all its threads or of one, and the peak of its memory.

The process itself is not involved, so all watchers are measured alike. Source: proc(5), fields 14 and 15 of
`stat`, `VmHWM` of `status`, `clear_refs`."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_RESET_PEAK = "5"


def cpu_seconds(pid: int, thread: str | None = None) -> float:
    """User and system time of a process so far; of its threads of this name, where one is given."""
    if thread is None:
        return _seconds(Path(f"/proc/{pid}/stat"))
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(_seconds(task / "stat") for task in tasks if (task / "comm").read_text().strip() == thread)


def peak_mb(pid: int) -> float:
    """The most memory that was resident since `forget_peak`, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def forget_peak(pid: int) -> None:
    """Restart the peak from the present resident memory."""
    Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)


def _seconds(stat: Path) -> float:
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
