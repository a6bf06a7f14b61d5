"""The worlds in which a back-end's contract is tested: a root on a disk, on a share of a real server, or in memory.

Each can create, delete and move entries without the back-end, and break its watch."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from producer.backends.fanotify.watch import FanotifyWatch
from producer.backends.interface import Backend, Watch
from producer.backends.local.backend import LocalBackend
from producer.backends.local.watch import InotifyWatch
from producer.backends.polling.schedule import Pace
from producer.backends.polling.watch import PollingWatch
from producer.backends.smb.backend import SmbBackend
from producer.backends.smb.watch import SmbWatch
from producer.core.normalise import Sign
from schemas.raw import FileType
from storage.errors import ShareFault
from storage.share import Share
from storage.smb.session import Session
from tests.fakes.producer_backend import FakeBackend
from tests.support.samba import Client, Samba
from tests.support.waiting import wait_until

KINDS: list[FileType] = ["file", "dir", "symlink", "other"]


@dataclass
class Real:
    """A directory on disk, changed without the back-end."""

    folder: Path
    watch_limit: int | None = None
    queue_limit: int = 100_000
    kinds: ClassVar[list[FileType]] = KINDS
    whole: ClassVar[Sign] = "closed"
    watches_one_by_one: ClassVar[bool] = True
    made: list[InotifyWatch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root = self.folder / "root"
        self.root.mkdir()
        self.backend: Backend = LocalBackend(self.root, self._watch)

    def _watch(self, root: Path, wake: Callable[[], None]) -> Watch:
        self.made.append(self._make(root, wake))
        return self.made[-1]

    def _make(self, root: Path, wake: Callable[[], None]) -> InotifyWatch:
        return InotifyWatch(root, wake, queue_limit=self.queue_limit, watch_limit=self.watch_limit)

    def make(self, path: str, type_: FileType, content: bytes = b"") -> None:
        full = self.root / path
        match type_:
            case "file":
                full.write_bytes(content)
            case "dir":
                full.mkdir()
            case "symlink":
                full.symlink_to(".")
            case "other":
                os.mkfifo(full)

    def take(self, path: str) -> None:
        full = self.root / path
        full.rmdir() if full.is_dir() and not full.is_symlink() else full.unlink()

    def move(self, source: str, target: str) -> None:
        (self.root / source).rename(self.root / target)

    def swap(self) -> None:
        self.root.rename(self.folder / "away")
        self.root.mkdir()

    def limit_watches(self, limit: int) -> None:
        self.watch_limit = limit

    def overflow(self) -> None:
        self.made[-1]._reader.limit = 0
        self.make("unseen", "file")

        def dropped() -> bool:
            return self.made[-1]._reader.dropped > 0

        wait_until(dropped, 5, what="an event beyond the queue")
        self.made[-1]._reader.limit = self.queue_limit

    def lose_watch(self) -> None:
        self.made[-1]._reader.stop()
        self.made[-1]._reader.join()

    def refuse_watches(self) -> None:
        def none_free(*_: object) -> Watch:
            raise OSError(errno.EMFILE, "Too many open files")

        self.backend = LocalBackend(self.root, none_free)


class Whole(Real):
    """The same directory, its file system watched as a whole."""

    def _make(self, root: Path, wake: Callable[[], None]) -> InotifyWatch:
        return FanotifyWatch(root, wake, queue_limit=self.queue_limit)


class Polled(Real):
    """The same directory, polled."""

    pace: ClassVar[Pace] = Pace(hot_seconds=0.1, cold_seconds=1.0, per_second=10_000)

    def _watch(self, root: Path, wake: Callable[[], None]) -> Watch:
        return PollingWatch(root, wake, self.pace)


@dataclass
class Fake:
    """The same with the fake."""

    folder: Path
    kinds: ClassVar[list[FileType]] = KINDS
    whole: ClassVar[Sign] = "closed"
    watches_one_by_one: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.fake = FakeBackend()
        self.backend: Backend = self.fake
        self.make, self.take, self.move = self.fake.make, self.fake.take, self.fake.move
        self.swap, self.overflow, self.lose_watch = self.fake.unmount, self.fake.overflow, self.fake.lose_watch

    def limit_watches(self, limit: int) -> None:
        self.fake.watch_limit = limit

    def refuse_watches(self) -> None:
        self.fake.watchable = False


@dataclass
class Shared:
    """A folder of a share on a real server. What another client does there is reported; `symlink` is made on the server
    itself, which shows the link's target; it shows a pipe as a file. The server reports that a new file has appeared, and
    nothing of what is written to it then."""

    folder: str
    samba: Samba
    kinds: ClassVar[list[FileType]] = ["file", "dir", "symlink"]
    whole: ClassVar[Sign] = "appeared"
    watches_one_by_one: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self.client = Client(self.samba)
        self.client.mkdir(self.folder)
        self.client.mkdir(self._at(""))
        self.sessions: list[Session] = []
        self.watches: list[SmbWatch] = []
        self.share: Share = self.samba.share(self._at(""))
        self.backend: Backend = Watched(self.share, self)

    def make(self, path: str, type_: FileType, content: bytes = b"") -> None:
        match type_:
            case "dir":
                self.client.mkdir(self._at(path))
            case "symlink":
                (self.samba.served["media"] / self._at(path)).symlink_to(".")
            case _:
                self.client.write(self._at(path), content)

    def take(self, path: str) -> None:
        on_disk = self.samba.served["media"] / self._at(path)
        (self.client.rmdir if on_disk.is_dir() else self.client.remove)(self._at(path))

    def move(self, source: str, target: str) -> None:
        self.client.rename(self._at(source), self._at(target))

    def swap(self) -> None:
        self.client.rename(self._at(""), f"{self.folder}/away")
        self.client.mkdir(self._at(""))

    def overflow(self) -> None:
        self.watches[-1].limit = 0
        self.make("unseen", "file")
        wait_until(lambda: self.watches[-1]._dropped > 0, 5, what="an event beyond the queue")
        self.watches[-1].limit = 1_000

    def lose_watch(self) -> None:
        self.sessions[-1].close()
        wait_until(lambda: self.watches[-1]._is_dead, 5, what="the watch to end")

    def refuse_watches(self) -> None:
        def none_there(share: Share) -> Session:
            raise ShareFault("unreachable", "no answer")

        self.backend = SmbBackend(self.share, none_there)

    def close(self) -> None:
        self.backend.close()
        self.client.close()

    def _at(self, path: str) -> str:
        return f"{self.folder}/root/{path}" if path else f"{self.folder}/root"


class Watched(SmbBackend):
    """Keeps what it creates for the test."""

    def __init__(self, share: Share, world: Shared) -> None:
        super().__init__(share, self._connect_and_keep)
        self._world = world

    def _connect_and_keep(self, share: Share) -> Session:
        self._world.sessions.append(Session(share))
        return self._world.sessions[-1]

    def watch(self, wake: Callable[[], None]) -> Watch:
        made = super().watch(wake)
        assert isinstance(made, SmbWatch)
        self._world.watches.append(made)
        return made


World = Real | Fake | Shared
