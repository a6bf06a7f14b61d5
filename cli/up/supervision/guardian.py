"""A process that outlives the supervisor by a moment, to kill what its children left behind.

The kernel kills the supervisor's direct children with it; their own children (probes of media files, workers) are
known only by their process group. The guardian is told the groups through a pipe; when the pipe ends, because the
supervisor did, it kills the groups still registered and ends too. It is run as a script and imports next to
nothing, so that it costs little.
"""

from __future__ import annotations

import os
import signal
import sys


def guard(lines: list[str]) -> set[int]:
    """The groups registered after these lines: `+123` adds one, `-123` takes it away."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def main() -> None:
    """Read to the end of the pipe, then kill."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for group in guard(sys.stdin.read().split()):
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue  # gone already, or its number is somebody else's by now


if __name__ == "__main__":
    main()
