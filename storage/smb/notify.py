"""Asks a server to tell of all that changes below a folder.

The server keeps what happens between two questions, so the next one is asked before an answer is taken apart. It keeps no
more than fits into an answer: an answer of nothing means that more has happened. While it has nothing to tell it is asked
for an echo, because one that is frozen or cut off would have nothing to tell either."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from smbprotocol.header import NtStatus

from storage.errors import ShareFault
from storage.smb import names, wire
from storage.smb.session import Session

ECHO_SECONDS = 4.0
"""A server that is gone is noticed within this and one question's time, 13 s together."""

_TOO_MUCH = frozenset({NtStatus.STATUS_NOTIFY_ENUM_DIR})


@dataclass(frozen=True, slots=True)
class Told:
    """What was told; `all_of_it` False: more has happened, nobody knows what."""

    notices: tuple[wire.Notice, ...] = ()
    all_of_it: bool = True


class Notices:
    """Used by one thread after it was made. Raises ShareFault: then nothing will be told any more."""

    def __init__(self, session: Session) -> None:
        self._session = session
        wired = names.to_wire(session.share.folder)
        (opened,) = session.ask(wire.open_directory(wired or b""))
        if not opened.is_good:
            raise ShareFault("missing", f"{session.share.location} cannot be watched: 0x{opened.status:08x}")
        self._handle = wire.handle_of(opened.body)
        self._pending = session.begin(wire.watch(self._handle))
        self._pending.armed()

    def next(self) -> Told | None:
        """Wait for the next; None: nothing has happened for a while, and the server is there."""
        answer = self._pending.wait(ECHO_SECONDS)
        if answer is None:
            self._session.echo()
            return None
        if not answer.is_good and answer.status not in _TOO_MUCH:
            raise ShareFault("missing", f"the server has ended the watch: 0x{answer.status:08x}")
        self._pending = self._session.begin(wire.watch(self._handle))
        notices = tuple(wire.notices_in(answer.body)) if answer.is_good else ()
        return Told(notices, all_of_it=bool(notices))

    def close(self) -> None:
        """Be told nothing any more. Raises nothing."""
        if not self._session.is_lost:
            with contextlib.suppress(ShareFault):
                self._session.ask(wire.close(self._handle))
