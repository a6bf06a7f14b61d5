"""MD5 of whole files under 100 MB: read slowly, in the background, and recorded when nothing else is to be recorded.

One thread of the process reads, a file at a time, at a limited rate (`Hasher`); it knows no index and writes nothing. Each
root submits a few files at a time and writes the results in its own thread (`Hashing`), only where the index still has the
file as it was read. A file that was being read when the process ended is read again. Each piece opens the root anew, so a
mount is busy no longer than a piece takes. A file that changes, grows or is moved meanwhile is given up, and read again
when it is quiet."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

from producer.backends.interface import Backend
from producer.core.facts import IndexEntry, Print
from producer.core.rate import Rate
from producer.errors import RootFault
from producer.index import Index
from producer.journal import Journal
from producer.memory import Memory
from producer.outbox import Outbox
from producer.ports import Clock
from runtime import log
from schemas.identity import same_root
from schemas.raw import FileState, RootIdentity

PIECE = 1 << 20
"""Bytes read in one go; no more of a file is in memory."""

BATCH_BYTES = 8 << 20
"""The files of one request are no more than this together (or a single one), so that small ones share a transaction."""

BATCH_FILES = 100
AGAIN_SECONDS = 60.0
"""Until files that could not be read, or differed from the index, are tried again."""

_log = log.get(__name__)


@dataclass(slots=True)
class Reading:
    """Files of a root that are to be read. `found`: index entry and MD5 of each file that was read; `is_done`: no more will
    be; `wake` is called then, from the hasher's thread."""

    backend: Backend
    root: RootIdentity
    files: Sequence[IndexEntry]
    wake: Callable[[], None]
    found: list[tuple[IndexEntry, str]] = field(default_factory=list)
    is_done: bool = False
    given_up: threading.Event = field(default_factory=threading.Event)


class Hasher:
    """The one thread of the process that reads whole files. `wait`: waits for an event, at most so many seconds."""

    def __init__(
        self, bytes_per_second: int, clock: Clock,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:  # fmt: skip
        self._rate = Rate(bytes_per_second)
        self._clock = clock
        self._wait = wait
        self._submitted: SimpleQueue[Reading] = SimpleQueue()

    def start(self) -> None:
        """Start the thread. It is a daemon: a disk that hangs does not keep the process from ending."""
        threading.Thread(target=self._run, name="md5", daemon=True).start()

    def submit(self, reading: Reading) -> None:
        """Read these files after those submitted before. From any thread."""
        self._submitted.put(reading)

    def read_next(self) -> None:
        """Read the files that were submitted first; waits until there are some."""
        reading = self._submitted.get()
        try:
            for entry in reading.files:
                if (md5 := self._md5(reading, entry.path, entry.state)) is not None:
                    reading.found.append((entry, md5))
        finally:
            reading.is_done = True
            reading.wake()

    def _run(self) -> None:
        while True:
            try:
                self.read_next()
            except Exception as error:  # noqa: BLE001 - the thread's outermost loop
                _log.error("files could not be read for their MD5", exc_info=error)

    def _md5(self, reading: Reading, path: str, state: FileState) -> str | None:
        digest, at = hashlib.md5(usedforsecurity=False), 0
        while at < state.size or at == 0:
            self._wait(reading.given_up, self._rate.spend(min(PIECE, state.size - at), self._clock.monotonic()))
            piece = None if reading.given_up.is_set() else _piece(reading, path, at)
            if piece is None or not _is_it(state, piece[0]) or (not piece[1] and state.size > 0):
                return None
            if state.size == 0:
                break
            digest.update(piece[1])
            at += len(piece[1])
        return digest.hexdigest()


def _piece(reading: Reading, path: str, start: int) -> tuple[FileState, bytes] | None:
    try:
        with reading.backend.open() as tree:
            return tree.piece(path, start, PIECE) if same_root(reading.root, tree.identity) else None
    except RootFault:
        return None


def _is_it(known: FileState, seen: FileState) -> bool:
    """True when the file was not touched since: not even changed with its times set back."""
    return (known.size, known.mtime_ns, known.ctime_ns, known.inode, known.dev) == (
        seen.size, seen.mtime_ns, seen.ctime_ns, seen.inode, seen.dev,
    )  # fmt: skip


class Hashing:
    """Of one root, used by its thread. `hasher` None: MD5 is off. Raises sqlite3.Error; then nothing has been written."""

    def __init__(
        self, hasher: Hasher | None, backend: Backend, wake: Callable[[], None], *,
        index: Index, journal: Journal, outbox: Outbox, memory: Memory,
    ) -> None:  # fmt: skip
        self._hasher = hasher
        self._backend = backend
        self._wake = wake
        self._index = index
        self._journal = journal
        self._outbox = outbox
        self._memory = memory
        self._reading: Reading | None = None
        self._after: str | None = None
        self._refused = False
        self._again_at = float("-inf")

    def turn(self, now: float, *, is_free: bool) -> None:
        """Write what was read, and submit more files, while the root has nothing else to do."""
        if self._hasher is None or not is_free:
            return
        if self._reading is not None and self._reading.is_done:
            self._write(self._reading)
            self._reading = None
        if self._reading is None and now >= self._again_at:
            self._submit(self._hasher, now)

    def give_up(self) -> None:
        """The root is no longer observed: stop reading, and discard what was read."""
        if self._reading is not None:
            self._reading.given_up.set()
            self._reading = None

    def _submit(self, hasher: Hasher, now: float) -> None:
        files = self._next()
        if not files and self._after is not None:  # all have been tried: from the beginning
            self._after = None
            if self._refused:
                self._refused, self._again_at = False, now + AGAIN_SECONDS
                return
            files = self._next()
        root = self._memory.identity
        if files and root is not None:
            self._after = files[-1].path
            self._reading = Reading(self._backend, root, files, self._wake)
            hasher.submit(self._reading)

    def _next(self) -> list[IndexEntry]:
        found: list[IndexEntry] = []
        size = 0
        for entry in self._index.without_md5(self._after, BATCH_FILES):
            size += entry.state.size
            if found and size > BATCH_BYTES:
                break
            found.append(entry)
        return found

    def _write(self, reading: Reading) -> None:
        self._refused = self._refused or len(reading.found) < len(reading.files)
        if not reading.found:
            return

        def record() -> None:
            for entry, md5 in reading.found:
                self._record(entry, md5)

        self._journal.transact(record)

    def _record(self, read: IndexEntry, md5: str) -> None:
        known, state = self._index.get(read.path), read.state
        if known is None or known.xxh3 is None or known.xxh3 != read.xxh3 or not _is_it(known.state, state):
            return
        self._outbox.fingerprint(read.path, Print(state.size, state.mtime_ns, state.inode, known.xxh3, md5))
        self._index.set_md5(read.path, md5)
