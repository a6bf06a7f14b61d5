"""Where the oracle's roots are, and who works on them: this machine's disk, or a real server's share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from producer.backends.interface import Backend
from producer.backends.local.backend import LocalBackend
from producer.backends.smb.backend import SmbBackend
from tests.oracle.hand import Hand
from tests.oracle.share_hand import ShareHand
from tests.oracle.ways import WATCHES, LocalWay, ShareWay, Way
from tests.support.samba import Client, serving

SHARE = "media"


class Reach(Protocol):
    """`hand` applies the steps."""

    hand: Hand

    def backend(self, root: str) -> Backend:
        """A root's back-end, as its producer uses it."""

    def close(self) -> None:
        """End all work on it."""


@dataclass
class OnDisk:
    """The roots are directories here."""

    folder: Path
    way: LocalWay

    def __post_init__(self) -> None:
        self.hand = Hand(self.folder)

    def backend(self, root: str) -> Backend:
        """See the protocol."""
        return LocalBackend(self.folder / root, WATCHES[self.way])

    def close(self) -> None:
        """See the protocol."""


@dataclass
class OnShare:
    """The roots are folders of a share, and its server runs as long as this is open."""

    folder: Path
    way: ShareWay

    def __post_init__(self) -> None:
        self._serving = serving({SHARE: self.folder})
        self._samba = self._serving.__enter__()
        self._client = Client(self._samba, SHARE)
        self.hand = ShareHand(self.folder, self._client) if self.way == "share" else Hand(self.folder)

    def backend(self, root: str) -> Backend:
        """See the protocol."""
        return SmbBackend(self._samba.share(root, SHARE))

    def close(self) -> None:
        """See the protocol."""
        self._client.close()
        self._serving.__exit__(None, None, None)


def reach(folder: Path, way: Way) -> Reach:
    """The reach for a way."""
    if way == "share" or way == "server":
        return OnShare(folder, way)
    return OnDisk(folder, way)
