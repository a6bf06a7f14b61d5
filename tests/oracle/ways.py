"""The ways in which the oracle has its roots watched, and what each of them guarantees.

A watch that gets reports comes to rest when nothing is due. One that polls never does: there time passes, and what has come,
gone or changed its kind must be recorded within the time that it guarantees, and everything by the next reconcile. It may
see a file gone in one directory before it sees it appear in another; so that its item remains the same there, a deletion
waits for its rename as long as a look may take, as the documentation advises.

A share's server reports what its clients do, and nothing reliable of what is done on the server itself: there everything is
guaranteed by the next reconcile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

from producer.backends.fanotify.watch import FanotifyWatch
from producer.backends.interface import Watch
from producer.backends.local.watch import InotifyWatch
from producer.backends.polling.schedule import Pace
from producer.backends.polling.watch import PollingWatch
from tests.oracle.steps import Action

LocalWay = Literal["inotify", "fanotify", "polling"]
ShareWay = Literal["share", "server"]
"""An SMB share, on which another client works, or somebody on the server's own disk."""

Way = LocalWay | ShareWay
WAYS: tuple[Way, ...] = (*get_args(LocalWay), *get_args(ShareWay))

PACE = Pace(hot_seconds=1.0, cold_seconds=20.0, per_second=1_000_000)
WINDOW_MS = 2_000
LOOKED_WINDOW_MS = 60_000
RECONCILE_SECONDS: Mapping[Way, float] = {"polling": 60.0, "share": 60.0, "server": 25.0}
"""Of a polled root; no other one is reconciled here. Where a reconcile finds what has gone in one root and what has come in
another one, both must have run within the window."""

UNSEEN_SECONDS: Mapping[Way, float] = {"polling": PACE.cold_seconds + PACE.hot_seconds, "share": 2.0}
"""After so long, what has come or gone is recorded."""

LOOK = frozenset(RECONCILE_SECONDS)
"""These never come to rest."""

LATE: frozenset[Way] = frozenset({"server"})
"""These may see one directory up to a reconcile later than the other one."""

GRAIN_NS: Mapping[Way, int] = {"share": 100, "server": 100}
"""The resolution of times ([MS-DTYP] 2.3.3)."""

NOT_THERE: Mapping[Way, frozenset[Action]] = {
    "share": frozenset({"symlink", "fifo", "link", "exchange", "mode", "retag"}),
    "server": frozenset({"symlink", "fifo", "retag"}),
}
"""What is left out of a sequence: no client of a share can do it, servers present it in different ways, or (of other bytes
with the same size and time) this server does not report it: its time of change is the time of modification."""

WATCHES: dict[LocalWay, Callable[[Path, Callable[[], None]], Watch]] = {
    "inotify": InotifyWatch,
    "fanotify": FanotifyWatch,
    "polling": lambda root, wake: PollingWatch(root, wake, PACE),
}
