"""A process that outlives the supervisor briefly, to kill what its children leave behind.

The kernel kills the supervisor's direct children together with it. Their own children (probes of media files, workers)
can be reached only by their process group. The supervisor registers these groups through a pipe; when it ends, the pipe is
closed, and the guardian kills all groups that are still registered, then ends. It runs as a script with few imports, so that
it uses little memory.
"""

from __future__ import annotations

import os
import signal
import sys


def guard(lines: list[str]) -> set[int]:
    """The groups registered after these lines: `+123` adds one, `-123` removes it."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def main() -> None:
    """Read the pipe to its end, then kill what is registered."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for group in guard(sys.stdin.read().split()):
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue  # it has ended already, or its number was reused


if __name__ == "__main__":
    main()
