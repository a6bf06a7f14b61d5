"""The ways in which the oracle has its roots watched, and what each of them promises.

A watch that is told comes to rest when nothing is due. One that looks never does: there time passes, and what has come, gone
or become another thing must be believed within the time that it promises, and everything with the next reconcile. It may see
a file gone in one directory before it sees it come in another; so that its item stays the same there, a deletion waits for
its rename as long as a look may take, as the documentation advises.

A share's server tells of what its clients do, and of what is done on the server itself nothing that could be relied on:
there all is promised with the next reconcile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

from producer.backends.fanotify.watch import FanotifyWatch
from producer.backends.interface import Watch
from producer.backends.local.watch import InotifyWatch
from producer.backends.polling.schedule import Pace
from producer.backends.polling.watch import PollingWatch
from tests.oracle.steps import Deed

LocalWay = Literal["inotify", "fanotify", "polling"]
ShareWay = Literal["share", "server"]
"""An SMB share, on which another client works, or somebody on the server's own disk."""

Way = LocalWay | ShareWay
WAYS: tuple[Way, ...] = (*get_args(LocalWay), *get_args(ShareWay))

PACE = Pace(hot_seconds=1.0, cold_seconds=20.0, per_second=1_000_000)
WINDOW_MS = 2_000
LOOKED_WINDOW_MS = 60_000
RECONCILE_SECONDS: Mapping[Way, float] = {"polling": 60.0, "share": 60.0, "server": 25.0}
"""Of a root that is looked at; no other one is reconciled here. Where one root finds out only so what has gone, and another
one what has come, both must have done so within the window."""

UNSEEN_SECONDS: Mapping[Way, float] = {"polling": PACE.cold_seconds + PACE.hot_seconds, "share": 2.0}
"""After so long, what has come or gone is believed."""

LOOK = frozenset(RECONCILE_SECONDS)
"""Come to rest never."""

LATE: frozenset[Way] = frozenset({"server"})
"""See one directory up to a reconcile later than the other one."""

GRAIN_NS: Mapping[Way, int] = {"share": 100, "server": 100}
"""In which times are told ([MS-DTYP] 2.3.3)."""

NOT_THERE: Mapping[Way, frozenset[Deed]] = {
    "share": frozenset({"symlink", "fifo", "link", "exchange", "mode", "retag"}),
    "server": frozenset({"symlink", "fifo", "retag"}),
}
"""What is left out of a sequence: no client of a share can do it, each server shows it as it likes, or (of other bytes with
the same size and time) this server tells nobody: its time of change is the time of modification."""

WATCHES: dict[LocalWay, Callable[[Path, Callable[[], None]], Watch]] = {
    "inotify": InotifyWatch,
    "fanotify": FanotifyWatch,
    "polling": lambda root, woken: PollingWatch(root, woken, PACE),
}
