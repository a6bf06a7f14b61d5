"""The ways in which the oracle has its roots watched, and what each of them promises.

A watch that is told comes to rest when nothing is due. One that looks never does: there time passes, and what has come, gone
or become another thing must be believed within the time that it promises, and everything with the next reconcile. It may see
a file gone in one directory before it sees it come in another; so that its item stays the same there, a deletion waits for
its rename as long as a look may take, as the documentation advises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from producer.backends.fanotify.watch import FanotifyWatch
from producer.backends.interface import Watch
from producer.backends.local.watch import InotifyWatch
from producer.backends.polling.schedule import Pace
from producer.backends.polling.watch import PollingWatch

Way = Literal["inotify", "fanotify", "polling"]

PACE = Pace(hot_seconds=1.0, cold_seconds=20.0, per_second=1_000_000)
UNSEEN_SECONDS = PACE.cold_seconds + PACE.hot_seconds
WINDOW_MS = 2_000
POLLED_WINDOW_MS = 60_000
RECONCILE_SECONDS = 60.0
"""Of a root that is polled; no other one is reconciled here."""

WATCHES: dict[Way, Callable[[Path, Callable[[], None]], Watch]] = {
    "inotify": InotifyWatch,
    "fanotify": FanotifyWatch,
    "polling": lambda root, woken: PollingWatch(root, woken, PACE),
}
