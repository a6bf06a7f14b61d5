"""How much memory this machine, or the container that we are in, has: what the embedded servers may take is a part of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Of the control group of a container, which sees it as the root of the hierarchy: version 2 and 1 (the kernel's
admin-guide/cgroup-v2 and cgroup-v1/memory)."""


def machine_bytes(limits: Sequence[Path] = LIMITS) -> int:
    """Bytes of memory: the machine's, or the limit of the control group where that is lower."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in limits:
        said = path.read_text().strip() if path.is_file() else ""
        if said.isdecimal():  # "max" where there is none
            found.append(int(said))
    return min(found)
