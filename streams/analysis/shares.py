"""Files on shares, opened like those on a disk: only the file that the job is for, no link is followed, and a socket in
place of a descriptor.

A connection to each share is kept. A share that does not answer is retried for a while, because otherwise a server that
restarts would make every waiting job unreadable."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from runtime.waits import SHARE
from schemas.identity import Stamped, same_content
from storage.errors import ShareFault, Unreadable
from storage.share import Share
from storage.smb.files import Files, OpenFile
from storage.smb.session import Session
from streams.analysis import remote
from streams.analysis.files import Probed, Unprobeable

PATIENCE_SECONDS = 30.0


class Shares:
    """The connections of one worker; used from several threads."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._sessions: dict[Share, Session] = {}
        self._one_at_a_time = threading.Lock()

    @contextmanager
    def open_below(self, share: Share, path: str, expected: Stamped) -> Iterator[Probed]:
        """Open a file for a child. Raises Unprobeable. Blocks."""
        try:
            with self._looked(share).opened(path) as file:
                if not same_content(file.found, expected):
                    raise Unprobeable("the file has changed since the job was asked")
                with _served(file) as descriptor:
                    yield Probed(descriptor, file.found.size, file.state)
        except Unreadable as error:
            raise Unprobeable(error.reason) from error
        except ShareFault as fault:
            raise Unprobeable(f"the share cannot be read: {fault.detail}") from fault

    def close(self) -> None:
        """Close all connections."""
        with self._one_at_a_time:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def _looked(self, share: Share) -> Files:
        """Raises ShareFault when the share has not answered for a while, or denies access."""
        until = time.monotonic() + self._patience_seconds
        while True:
            try:
                return Files(self._session(share))
            except ShareFault as fault:
                if fault.cause != "unreachable" or time.monotonic() > until:
                    raise
            time.sleep(SHARE.first)

    def _session(self, share: Share) -> Session:
        with self._one_at_a_time:
            session = self._sessions.get(share)
            if session is None or session.is_lost:
                session = self._sessions[share] = Session(share)
            return session


@contextmanager
def _served(file: OpenFile) -> Iterator[int]:
    ours, theirs = socket.socketpair()
    serving = threading.Thread(target=remote.serve, args=(ours, file), name="far-file", daemon=True)
    serving.start()
    try:
        yield theirs.fileno()
    finally:
        theirs.close()
        with suppress(OSError):  # the child has ended, and with it the other side
            ours.shutdown(socket.SHUT_RDWR)
        serving.join()
