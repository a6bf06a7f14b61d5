"""What a root's thread depends on, and its intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from producer.backends.interface import Backend
from producer.hashing import Hasher
from producer.ports import Clock, Points, no_points
from producer.scanning import CONFIRM_SECONDS

UNWATCHED_SECONDS = 60.0
"""Between scans of a root with directories that cannot be watched."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """Intervals for a root, in seconds, and the outbox's limit in records."""

    identity_seconds: float
    reconcile_seconds: float
    outbox_limit: int
    confirm_seconds: float = CONFIRM_SECONDS
    unwatched_seconds: float = UNWATCHED_SECONDS


@dataclass(frozen=True, slots=True)
class World:
    """What a root's thread depends on: its file system, time. `written` is called after each transaction; `hasher` reads
    whole files, None where MD5 is off."""

    backend: Backend
    clock: Clock
    points: Points = no_points
    written: Callable[[], None] = lambda: None
    hasher: Hasher | None = None
