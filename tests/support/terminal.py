"""What a process says on a terminal that a test holds the other end of."""

from __future__ import annotations

import os
import select
import time

SECONDS = 30


def read_until(terminal: int, text: bytes) -> bytes:
    """What it said, up to this text at least."""
    said, deadline = b"", time.monotonic() + SECONDS
    while text not in said:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, said
        said += os.read(terminal, 1024)
    return said
