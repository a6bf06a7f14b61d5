"""A root on a share as a test works on it: a real server, a real outbox, and what whoever believes the records takes to be
there, compared with the share as it is."""

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
from tests.support.producer_root import RootBench, believed, said, walked
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
        """Take turns until it holds; returns how long that took."""
        began = time.monotonic()
        while True:
            self.bench.woken.clear()
            rest = self.bench.keeper.turn()
            if predicate():
                return time.monotonic() - began
            if time.monotonic() - began > seconds:
                raise TimeoutError(
                    f"waited {seconds:g} s for {what}; the last records: {said(self.records)[-20:]}"
                )
            self.bench.woken.wait(min(rest, TURN_SECONDS))

    def rest(self, seconds: float) -> None:
        """Take the turns that are due in so many seconds."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self.bench.woken.clear()
            self.bench.woken.wait(min(left, self.bench.keeper.turn()))

    def until_converged(self, seconds: float) -> float:
        """Take turns until what was said is what is there."""
        return self.until(self.is_converged, seconds, "the log to say what is on the share")

    def until_lost(self, seconds: float) -> float:
        """Take turns until it cannot be observed."""
        return self.until(lambda: self.cause is not None, seconds, "the loss to be noticed")

    def is_converged(self) -> bool:
        """True when a reader believes what is on the share, and no scan runs."""
        condition = self.bench.keeper.condition()
        if condition.fault is not None or not condition.scanned:
            return False
        return believed(self.records) == listed(self.share)

    @property
    def cause(self) -> str | None:
        """Why it cannot be observed."""
        fault = self.bench.keeper.condition().fault
        return None if fault is None else fault.cause

    @property
    def records(self) -> list[raw.RawRecord]:
        """All that was said."""
        return self.bench.everything()

    def said_since(self) -> list[str]:
        """What was said since the last time, in short."""
        every = said(self.records)
        new, self._seen = every[self._seen :], len(every)
        return new

    def deleted(self) -> set[str]:
        """Paths of which it was ever said that nothing is there."""
        return {r.path for r in self.records if isinstance(r, raw.Observed) and r.file is None}
