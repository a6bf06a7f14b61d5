"""Receives a server's notices of changes below a folder.

The server keeps what happens between two requests, so the next one is sent before a response is parsed. It keeps no more
than fits into a response: an empty response means that more has happened. While no notice comes the server is sent an echo
request, because one that is frozen or cut off would send no notice either."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from smbprotocol.header import NtStatus

from storage.errors import ShareFault
from storage.smb import names, wire
from storage.smb.session import Session

ECHO_SECONDS = 4.0
"""A server that is gone is noticed within this and one request's timeout, 13 s together."""

_TOO_MUCH = frozenset({NtStatus.STATUS_NOTIFY_ENUM_DIR})


@dataclass(frozen=True, slots=True)
class NoticeBatch:
    """The notices of one response; `is_complete` False: more has happened, it is not known what."""

    notices: tuple[wire.Notice, ...] = ()
    is_complete: bool = True


class Notices:
    """Used by one thread after it was made. Raises ShareFault: then no more notices will come."""

    def __init__(self, session: Session) -> None:
        self._session = session
        wired = names.to_wire(session.share.folder)
        (opened,) = session.request(wire.open_directory(wired or b""))
        if not opened.is_good:
            raise ShareFault("missing", f"{session.share.location} cannot be watched: 0x{opened.status:08x}")
        self._handle = wire.handle_of(opened.body)
        self._pending = session.start(wire.watch(self._handle))
        self._pending.wait_until_armed()

    def next(self) -> NoticeBatch | None:
        """Wait for the next response; None: nothing has happened for a while, and the server is there."""
        response = self._pending.wait(ECHO_SECONDS)
        if response is None:
            self._session.echo()
            return None
        if not response.is_good and response.status not in _TOO_MUCH:
            raise ShareFault("missing", f"the server has ended the watch: 0x{response.status:08x}")
        self._pending = self._session.start(wire.watch(self._handle))
        notices = tuple(wire.notices_in(response.body)) if response.is_good else ()
        return NoticeBatch(notices, is_complete=bool(notices))

    def close(self) -> None:
        """Receive no more notices. Raises nothing."""
        if not self._session.is_lost:
            with contextlib.suppress(ShareFault):
                self._session.request(wire.close(self._handle))
