"""A root on an SMB share behind the interface `Backend`.

One connection is used for all accesses and for the watch. If it is lost, the next access reconnects; where that fails the
next attempt waits longer each time, and much longer where the server refuses us: some lock an account, or an address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from producer.backends.interface import Watch
from producer.backends.smb.tree import SmbTree, root_fault
from producer.backends.smb.watch import SmbWatch
from producer.errors import RootFault, WatchUnavailable
from runtime.waits import REFUSED, UNREACHABLE, Backoff
from schemas.raw import RootIdentity
from storage.errors import ShareFault
from storage.share import Share
from storage.smb.files import Files
from storage.smb.notify import Notices
from storage.smb.session import Session


class SmbBackend:
    """`connect` opens a connection; raises ShareFault."""

    reports_all = False

    def __init__(self, share: Share, connect: Callable[[Share], Session] = Session) -> None:
        self._share = share
        self._connect = connect
        self._session: Session | None = None
        self._one_at_a_time = threading.Lock()
        self._backoffs = {"unreachable": Backoff(UNREACHABLE), "refused": Backoff(REFUSED)}

    def open(self) -> SmbTree:
        """See the interface."""
        session = self._connected()
        try:
            return SmbTree(Files(session), session.dev)
        except ShareFault as fault:
            raise root_fault(fault) from fault

    def mounts(self) -> Mapping[str, RootIdentity]:
        """A share does not report mounts."""
        return {}

    def watch(self, wake: Callable[[], None]) -> Watch:
        """See the interface."""
        try:
            return SmbWatch(Notices(self._connected()), wake)
        except ShareFault as fault:
            raise WatchUnavailable(fault.detail) from fault
        except RootFault as fault:
            raise WatchUnavailable(fault.faulty.detail) from fault

    def close(self) -> None:
        """See the interface."""
        with self._one_at_a_time:
            if self._session is not None:
                self._session.close()
                self._session = None

    def _connected(self) -> Session:
        """The connection. Raises RootFault."""
        with self._one_at_a_time:
            if self._session is not None and not self._session.is_lost:
                return self._session
            try:
                self._session = self._connect(self._share)
            except ShareFault as fault:
                backoff = self._backoffs.get(fault.cause)
                raise root_fault(fault, None if backoff is None else backoff.next_seconds()) from fault
            for backoff in self._backoffs.values():
                backoff.reset()
            return self._session
