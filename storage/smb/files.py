"""One access to a folder of a share: what is there, as the server lists it, and the content of its files.

What is at a path is decided by the listing of its directory alone. A server finds `Films/a.mkv` under `FILMS/A.MKV` too,
which is another path; so each name is compared with the listed one. No link is followed: where a server follows one by
itself, a directory that is its own ancestor is treated as the link that it is. What was read of the directories above is
cached for this access, and no longer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from smbprotocol.header import NtStatus

from schemas.raw import FileState
from storage.errors import ShareFault, Unreadable
from storage.smb import names, wire
from storage.smb.session import NO_DFS, Response, Session

_ABSENT = frozenset(
    {
        NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, NtStatus.STATUS_OBJECT_PATH_NOT_FOUND, NtStatus.STATUS_NO_SUCH_FILE,
        NtStatus.STATUS_OBJECT_NAME_INVALID, NtStatus.STATUS_OBJECT_PATH_INVALID,
        NtStatus.STATUS_OBJECT_PATH_SYNTAX_BAD, NtStatus.STATUS_NOT_A_DIRECTORY, NtStatus.STATUS_DELETE_PENDING,
        NtStatus.STATUS_STOPPED_ON_SYMLINK, NtStatus.STATUS_NOT_FOUND, NtStatus.STATUS_FILE_IS_A_DIRECTORY,
    }
)  # fmt: skip
_ALL = "*".encode("utf-16-le")


class Files:
    """Paths are relative to the share's folder. Raises ShareFault, which voids what was read so far."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._folder = session.share.folder
        self._known: dict[str, FileState] = {}
        self.root, self.is_empty = self._opened_root()

    def stat(self, path: str) -> FileState | None:
        """What is at the path; None: nothing. Raises Unreadable."""
        if not path:
            return self.root
        above, _, name = path.rpartition("/")
        if (known := self._known.get(path)) is not None:
            return known
        if self._directory(above) is None:
            return None
        state = self._listed(above, name)
        if state is not None and state.type == "dir":
            state = self._is_link(above, state)
            self._known[path] = state
        return state

    def entries(self, path: str) -> list[tuple[str, FileState]] | None:
        """Names and states of a directory's entries; None: no directory is there. Raises Unreadable."""
        if self._directory(path) is None or (wired := self._wired(path)) is None:
            return None
        found = []
        for entry in self._pages(path, wired):
            inner = f"{path}/{entry.name}" if path else entry.name
            state = entry.state
            if state.type == "dir":
                state = self._known[inner] = self._is_link(path, state)
            found.append((entry.name, state))
        return found

    @contextmanager
    def opened(self, path: str) -> Iterator[OpenFile]:
        """A regular file, open for reading. Raises Unreadable, also where none is there."""
        above, _, _ = path.rpartition("/")
        wired = self._wired(path) if path and self._directory(above) is not None else None
        if wired is None:
            raise Unreadable(path, GONE)
        opened, state = self._session.request(wire.open_file(wired), wire.query_state())
        if not opened.is_good:
            raise _unreadable(path, opened)
        file = OpenFile(self._session, path, wire.handle_of(opened.body))
        try:
            file.found = file.state_in(state)
            yield file
        finally:
            file.close()

    def whole(self, path: str, most: int) -> tuple[FileState, bytes] | None:
        """State and content of a regular file that is no longer than `most` and was the same before and after it was read,
        requested in one message; else None, and `opened` gives the reason. Raises nothing but ShareFault."""
        wired = self._wired(path) if path else None
        if wired is None or most > self._session.read_length or self._directory(path.rpartition("/")[0]) is None:
            return None
        opened, before, content, after, _ = self._session.request(
            wire.open_file(wired),
            wire.query_state(),
            wire.read(wire.LAST, 0, most),
            wire.query_state(),
            wire.close(),
        )
        if not (opened.is_good and before.is_good and after.is_good):
            return None
        state, dev = wire.state_in(before.body, self._session.dev), self._session.dev
        found = wire.content_of(content.body) if content.is_good else b""
        if state.type != "file" or len(found) != state.size or wire.state_in(after.body, dev) != state:
            return None
        return state, found

    # -- within ------------------------------------------------------------------------------------------------

    def _opened_root(self) -> tuple[FileState, bool]:
        wired = self._wired("")
        session = self._session
        if wired is None:
            raise ShareFault("missing", f"no share can have a folder {self._folder!r}")
        opened, state, listed, _ = session.request(
            wire.open_directory(wired), wire.query_state(), wire.list_directory(_ALL), wire.close()
        )
        place = session.share.location
        if opened.status == NtStatus.STATUS_NOT_A_DIRECTORY:
            raise ShareFault("not_a_directory", f"{place} is not a directory")
        if opened.status == NtStatus.STATUS_PATH_NOT_COVERED:
            raise ShareFault("unsupported", f"{place} {NO_DFS}")
        if opened.status in _ABSENT:
            raise ShareFault("missing", f"{place} does not exist")
        for response in (opened, state, listed):
            if response.status == NtStatus.STATUS_ACCESS_DENIED:
                raise ShareFault("refused", f"{session.share.account} may not list {place}")
        empty = listed.status in _ABSENT or listed.status == NtStatus.STATUS_NO_MORE_FILES
        if not opened.is_good or not state.is_good or not (listed.is_good or empty):
            raise ShareFault("unreachable", f"{place}: {_name(opened if not opened.is_good else listed)}")
        page = wire.buffer_of(listed.body) if listed.is_good else b""
        return wire.state_in(state.body, session.dev), next(wire.entries_in(page, session.dev), None) is None

    def _directory(self, path: str) -> FileState | None:
        """The directory at a path, of which no name differs in case or is a link."""
        state = self.stat(path)
        return state if state is not None and state.type == "dir" else None

    def _listed(self, directory: str, name: str) -> FileState | None:
        folder, pattern = self._wired(directory), names.to_wire(name)
        if folder is None or pattern is None:
            return None
        opened, listed, _ = self._session.request(
            wire.open_directory(folder), wire.list_directory(pattern, single=True), wire.close()
        )
        for response in (opened, listed):
            if response.status in _ABSENT or response.status == NtStatus.STATUS_NO_MORE_FILES:
                return None
            if not response.is_good:
                raise _unreadable(f"{directory}/{name}" if directory else name, response)
        entry = next(wire.entries_in(wire.buffer_of(listed.body), self._session.dev), None)
        return entry.state if entry is not None and entry.name == name else None

    def _pages(self, path: str, wired: bytes) -> Iterator[wire.Entry]:
        opened, listed = self._session.request(wire.open_directory(wired), wire.list_directory(_ALL))
        if not opened.is_good:
            if opened.status in _ABSENT:
                return
            raise _unreadable(path, opened)
        handle = wire.handle_of(opened.body)
        try:
            while listed.is_good:
                yield from wire.entries_in(wire.buffer_of(listed.body), self._session.dev)
                (listed,) = self._session.request(wire.list_directory(_ALL, handle))
        finally:
            if not self._session.is_lost:
                self._session.request(wire.close(handle))
        if listed.status not in (NtStatus.STATUS_NO_MORE_FILES, NtStatus.STATUS_NO_SUCH_FILE):
            raise _unreadable(path, listed)

    def _is_link(self, above: str, state: FileState) -> FileState:
        """The directory's state; as a link if it is one of those above it, because the server has followed a link."""
        if (
            state.inode in self._session.above
            or state.inode == self.root.inode
            or self._is_known_above(above, state)
        ):
            return FileState("symlink", 0, state.mtime_ns, state.dev, state.inode, ctime_ns=state.ctime_ns)
        return state

    def _is_known_above(self, above: str, state: FileState) -> bool:
        while above:
            ancestor = self._known.get(above)
            if ancestor is not None and ancestor.inode == state.inode:
                return True
            above = above.rpartition("/")[0]
        return False

    def _wired(self, path: str) -> bytes | None:
        return names.to_wire("/".join(part for part in (self._folder, path) if part))


class OpenFile:
    """An open file: it remains this file, wherever its path leads by now. `found`: its state when it was opened. Raises
    ShareFault and Unreadable."""

    found: FileState

    def __init__(self, session: Session, path: str, handle: bytes) -> None:
        self._session = session
        self._path = path
        self._handle = handle

    def state(self) -> FileState:
        """Its present state."""
        (response,) = self._session.request(wire.query_state(self._handle))
        return self.state_in(response)

    def state_in(self, response: Response) -> FileState:
        """The state in a response."""
        if not response.is_good:
            raise _unreadable(self._path, response)
        return wire.state_in(response.body, self._session.dev)

    def read(self, length: int, start: int) -> bytes:
        """Up to so many bytes, fewer only at its end."""
        content = b""
        while len(content) < length:
            wanted = min(length - len(content), self._session.read_length)
            (response,) = self._session.request(wire.read(self._handle, start + len(content), wanted))
            if response.status == NtStatus.STATUS_END_OF_FILE:
                break
            if not response.is_good:
                raise _unreadable(self._path, response)
            piece = wire.content_of(response.body)
            content += piece
            if not piece:
                break
        return content

    def pieces(self, length: int, starts: Sequence[int]) -> tuple[list[bytes], FileState]:
        """So many bytes from each position, fewer where a server returns fewer, and the file's state after that: requested
        in one message."""
        reads = [wire.read(self._handle, start, length) for start in starts]
        *responses, state = self._session.request(*reads, wire.query_state(self._handle))
        for response in responses:
            if not response.is_good and response.status != NtStatus.STATUS_END_OF_FILE:
                raise _unreadable(self._path, response)
        return [wire.content_of(a.body) if a.is_good else b"" for a in responses], self.state_in(state)

    def close(self) -> None:
        """Close it. Raises nothing."""
        if not self._session.is_lost:
            with suppress(ShareFault):
                self._session.request(wire.close(self._handle))


GONE = "no such file"


def _unreadable(path: str, response: Response) -> Unreadable:
    if response.status in _ABSENT:
        return Unreadable(path, GONE)
    if response.status == NtStatus.STATUS_PATH_NOT_COVERED:
        return Unreadable(path, NO_DFS)
    return Unreadable(path, _name(response))


_MESSAGES = {
    NtStatus.STATUS_ACCESS_DENIED: "permission denied",
    NtStatus.STATUS_SHARING_VIOLATION: "another program has opened it exclusively",
}


def _name(response: Response) -> str:
    return _MESSAGES.get(response.status, f"the server returned status 0x{response.status:08x}")
