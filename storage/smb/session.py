"""One connection to one share: opened completely or not at all, used for one request at a time, and given up at the first
response that does not come.

A server that is frozen or cut off sends nothing, so no request waits longer than REQUEST_SECONDS; an idle user sends an
`echo`. A session that was given up is never used again: its owner opens another one. The connection is always signed, and
encrypted where the server can."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from smbprotocol.connection import Connection
from smbprotocol.exceptions import (
    AccessDenied,
    BadNetworkName,
    LogonFailure,
    PasswordExpired,
    PathNotCovered,
    SMBAuthenticationError,
    SMBException,
    SMBResponseException,
    WrongPassword,
)
from smbprotocol.header import NtStatus
from smbprotocol.session import Session as SmbSession
from smbprotocol.structure import Structure
from smbprotocol.tree import TreeConnect

from storage.errors import ShareFault
from storage.share import Share
from storage.smb import names, wire

CONNECT_SECONDS = 8.0
"""For all of it: to reach the server, to log on, to open the share."""

REQUEST_SECONDS = 9
"""A request without a response within this has failed: a disk that was asleep may take longer, and then the share is lost
for a moment."""

CREDITS_KEPT = 4
"""Credits not spent on reading: the watch and the echoes need some too."""

READ_CREDITS = 8

_LOGON_ERRORS = (
    LogonFailure, PasswordExpired, WrongPassword, AccessDenied, SMBAuthenticationError,
)  # fmt: skip
_OVER = frozenset({0xC000_00C9, 0xC000_0203, 0xC000_035C})
"""The share was closed, or the session ended or run out, on the server: [MS-ERREF] 2.3.1."""

_ACCOUNT_STATUS = frozenset({0xC000_006E, 0xC000_006F, 0xC000_0070, 0xC000_0072, 0xC000_0193, 0xC000_0234})
"""The account is restricted, out of its hours, disabled, expired or locked: [MS-ERREF] 2.3.1."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response. `status` as the server gives it; `body` without the header."""

    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        """True when the request succeeded."""
        return bool(self.status == NtStatus.STATUS_SUCCESS)


class Session:
    """Connected, until `is_lost`. `dev`: the volume's number; `above`: file ids of the directories above the share's folder.
    Used by several threads. Raises ShareFault."""

    def __init__(self, share: Share) -> None:
        self.share = share
        self._why: str | None = None
        self._lock = threading.Lock()
        self._connection = Connection(uuid.uuid4(), share.host, share.port, require_signing=True)
        try:
            self._session, self._tree = self._opened(share.secret())
        except BaseException:
            self._end()
            raise
        self.dev = self._volume()
        self.above = frozenset(self._ids_above())

    @property
    def is_lost(self) -> bool:
        """True once a response has not come, or the server has closed the connection."""
        return self._why is not None or not self._connection.transport.connected

    @property
    def is_encrypted(self) -> bool:
        """True where messages are encrypted, not only signed."""
        return bool(self._session.encrypt_data)

    def request(self, *requests: Structure) -> list[Response]:
        """Send requests in one message, each about what the first one opens; returns the responses. Raises ShareFault."""
        with self._lock:
            try:
                sent = self._send(requests)
                return [self._received(request) for request in sent]
            except (SMBException, OSError) as error:
                raise self._lost(error) from error

    def echo(self) -> None:
        """Check that the server answers. Raises ShareFault."""
        with self._lock:
            try:
                self._connection.echo(sid=self._session.session_id, timeout=REQUEST_SECONDS)
            except (SMBException, OSError) as error:
                raise self._lost(error) from error

    def start(self, request: Structure) -> Pending:
        """Send a request that the server answers when something has changed. Raises ShareFault."""
        with self._lock:
            try:
                return Pending(self, self._send((request,))[0])
            except (SMBException, OSError) as error:
                raise self._lost(error) from error

    def response_to(self, request: Any) -> Response:
        """The response to a request, once it has come. Raises ShareFault."""
        with self._lock:
            try:
                return self._received(request)
            except (SMBException, OSError) as error:
                raise self._lost(error) from error

    @property
    def read_length(self) -> int:
        """How much may be read in one request: as much as the granted credits allow."""
        window = self._connection.sequence_window
        spare = int(window["high"]) - int(window["low"]) - CREDITS_KEPT
        most = max(1, min(READ_CREDITS, spare)) * wire.PAGE
        return min(most, int(self._connection.max_read_size))

    def close(self) -> None:
        """Close the connection. Raises nothing."""
        self._why = self._why or "closed"
        self._end()

    # -- within ------------------------------------------------------------------------------------------------

    def _opened(self, password: str) -> tuple[SmbSession, TreeConnect]:
        share, connection = self.share, self._connection
        until = threading.Timer(CONNECT_SECONDS, self._end)
        until.daemon = True
        until.start()
        try:
            connection.connect(timeout=int(CONNECT_SECONDS))
            encrypted = bool(connection.supports_encryption)
            if share.encryption == "required" and not encrypted:
                raise ShareFault("unsupported", f"{share.host} cannot encrypt, which is required here")
            session = SmbSession(connection, share.account, password, require_encryption=encrypted)
            session.connect()
            tree = TreeConnect(session, f"\\\\{share.host}\\{share.share}")
            tree.connect()
        except Exception as error:  # whatever the library raises for a server's response
            raise _fault(share, error) from error
        finally:
            until.cancel()
        if tree.is_dfs_share:
            raise ShareFault("unsupported", f"//{share.host}/{share.share} {NO_DFS}")
        return session, tree

    def _volume(self) -> int:
        """What distinguishes this volume from others: its serial number, and where a server has none, the share's name."""
        opened, volume, _ = self.request(wire.open_directory(b""), wire.query_volume(), wire.close())
        serial = wire.serial_in(volume.body) if opened.is_good and volume.is_good else 0
        return serial or crc32(f"{self.share.host}/{self.share.share}".casefold().encode())

    def _ids_above(self) -> Iterator[int]:
        names_above = self.share.folder.split("/")[:-1] if self.share.folder else []
        for depth in range(len(names_above) + bool(self.share.folder)):
            wired = names.to_wire("/".join(names_above[:depth]))
            opened, state, _ = self.request(wire.open_directory(wired or b""), wire.query_state(), wire.close())
            if opened.is_good and state.is_good:
                yield wire.state_in(state.body, self.dev).inode

    def _send(self, requests: Sequence[Structure]) -> list[Any]:
        if self._why is not None:
            raise SMBException(self._why)
        sid, tid = self._session.session_id, self._tree.tree_connect_id
        sent: list[Any] = self._connection.send_compound(list(requests), sid, tid, related=len(requests) > 1)
        return sent

    def _received(self, request: Any) -> Response:
        try:
            header = self._connection.receive(request, timeout=REQUEST_SECONDS, resolve_symlinks=False)
        except SMBResponseException as error:
            if error.status in _OVER:
                raise SMBException("the session is over") from error
            return Response(int(error.status), b"")
        return Response(int(header["status"].get_value()), bytes(header["data"].get_value()))

    def _lost(self, error: Exception) -> ShareFault:
        if self._why is None:
            self._why = f"{self.share.host} does not answer: {_first_line(error)}"
            self._end()
        return ShareFault("unreachable", self._why)

    def _end(self) -> None:
        transport = self._connection.transport
        if transport is not None:
            with contextlib.suppress(OSError):
                transport.close()


class Pending:
    """A request that is answered when something has changed."""

    def __init__(self, session: Session, request: Any) -> None:
        self._session = session
        self._request = request

    def wait_until_armed(self) -> None:
        """Wait until the server has received it. Raises ShareFault."""
        until = time.monotonic() + REQUEST_SECONDS
        if not self._request.response_event.wait(until - time.monotonic()):
            self._session.close()
            raise ShareFault("unreachable", f"{self._session.share.host} does not answer")

    def wait(self, seconds: float) -> Response | None:
        """The response; None where it has not come within that time. Raises ShareFault."""
        request = self._request
        until = time.monotonic() + seconds
        while request.response_event.wait(max(0.0, until - time.monotonic())):
            with request.response_event_lock:
                response = request.response
                waits = response is not None and response["status"].get_value() == NtStatus.STATUS_PENDING
                if waits and not self._session.is_lost:  # a connection that ends wakes all that wait
                    request.response_event.clear()
                    continue
            return self._session.response_to(request)
        return None


NO_DFS = "is a DFS name, which is not supported: give the server and share that it leads to"


def _fault(share: Share, error: Exception) -> ShareFault:
    """The fault for an error while connecting."""
    name = f"//{share.host}/{share.share}"
    match error:
        case ShareFault():
            return error
        case PathNotCovered():
            return ShareFault("unsupported", f"{name} {NO_DFS}")
        case BadNetworkName():
            return ShareFault("missing", f"{share.host} has no share {share.share}")
        case SMBResponseException() if error.status in _ACCOUNT_STATUS:
            return ShareFault(
                "refused", f"{share.host} does not let {share.account} in: the account is not usable"
            )
        case _ if isinstance(error, _LOGON_ERRORS):
            return ShareFault("refused", f"{share.host} does not let {share.account} in: {_first_line(error)}")
        case _:
            return ShareFault("unreachable", f"{share.host} port {share.port}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    text = str(error).partition("\n")[0].removeprefix("Received unexpected status from the server: ")
    return text or type(error).__name__
