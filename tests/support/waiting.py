"""Bounded waiting in tests, with a message that names what was waited for."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(predicate: Callable[[], bool], seconds: float, *, what: str, every: float = 0.05) -> None:
    """Return when the predicate holds. Raises TimeoutError naming what was waited for."""
    deadline = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(every)
