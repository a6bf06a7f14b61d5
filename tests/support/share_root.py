"""A root on a share as a test works on it: a real server, a real outbox, and the tree of a reader of
its records, compared with the share as it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from producer.backends.smb.backend import SmbBackend
from producer.world import Pacing
from schemas import raw
from storage.share import Share
from storage.smb.session import Session
from tests.support.producer_root import RootBench, in_short, tree_of, walked
from tests.support.samba import PASSWORD, USER, Client, Samba

TURN_SECONDS = 0.2
PACING = Pacing(identity_seconds=1.0, reconcile_seconds=900.0, outbox_limit=1_000_000, confirm_seconds=1.0)


def listed(share: Share) -> dict[str, tuple[object, ...]]:
    """The share as another client lists it now."""
    backend = SmbBackend(share)
    try:
        with backend.open() as tree:
            return walked(tree)
    finally:
        backend.close()


@dataclass
class ShareRoot:
    """Used as a context. `disk`: where the server has its files; `client`: another machine's."""

    samba: Samba
    state: Path
    share: Share
    pacing: Pacing = PACING
    connect: Callable[[Share], Session] = Session

    def __post_init__(self) -> None:
        self.disk = self.samba.served[self.share.share] / self.share.folder
        self.client = Client(self.samba, self.share.share)
        self.backend = SmbBackend(self.share, self.connect)
        there = {
            "protocol": "smb", "host": self.share.host, "port": self.share.port, "share": self.share.share,
            "path": Path(self.share.folder), "user": USER, "password": PASSWORD,
        }  # fmt: skip
        self.bench = RootBench(self.state, self.pacing, there, backend=self.backend)
        self._seen = 0

    def __enter__(self) -> ShareRoot:
        self.bench.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bench.stop()
        self.backend.close()
        self.client.close()

    def until(self, predicate: Callable[[], bool], seconds: float, what: str) -> float:
        """Take turns until the predicate is true; returns how long that took."""
        began = time.monotonic()
        while True:
            self.bench.wake.clear()
            rest = self.bench.keeper.turn()
            if predicate():
                return time.monotonic() - began
            if time.monotonic() - began > seconds:
                raise TimeoutError(
                    f"waited {seconds:g} s for {what}; the last records: {in_short(self.records)[-20:]}"
                )
            self.bench.wake.wait(min(rest, TURN_SECONDS))

    def rest(self, seconds: float) -> None:
        """Take the turns that are due in so many seconds."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self.bench.wake.clear()
            self.bench.wake.wait(min(left, self.bench.keeper.turn()))

    def until_converged(self, seconds: float) -> float:
        """Take turns until the records equal the share."""
        return self.until(self.is_converged, seconds, "the log to have what is on the share")

    def until_lost(self, seconds: float) -> float:
        """Take turns until it cannot be observed."""
        return self.until(lambda: self.cause is not None, seconds, "the loss to be noticed")

    def is_converged(self) -> bool:
        """True when the tree of a reader equals the share, and no scan runs."""
        condition = self.bench.keeper.condition()
        if condition.fault is not None or not condition.scanned:
            return False
        return tree_of(self.records) == listed(self.share)

    @property
    def cause(self) -> str | None:
        """Why it cannot be observed."""
        fault = self.bench.keeper.condition().fault
        return None if fault is None else fault.cause

    @property
    def records(self) -> list[raw.RawRecord]:
        """All records."""
        return self.bench.everything()

    def new_lines(self) -> list[str]:
        """The records since the last time, in short form."""
        every = in_short(self.records)
        new, self._seen = every[self._seen :], len(every)
        return new

    def deleted(self) -> set[str]:
        """Paths that were ever recorded as gone."""
        return {r.path for r in self.records if isinstance(r, raw.Observed) and r.file is None}
