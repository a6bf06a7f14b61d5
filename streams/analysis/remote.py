"""A file that is not on this machine, as a probing child reads it: the child requests pieces over the socket that it
received in place of the file, and the other side reads them.

A request is an offset and a length, a reply the length and the bytes. The child knows no server, no name and no password; a
piece that cannot be read is a disk error to it."""

from __future__ import annotations

import errno
import io
import os
import socket
import struct
from typing import Protocol

from storage.errors import StorageError

QUESTION = struct.Struct(">QI")
ANSWER = struct.Struct(">I")
UNREADABLE = 0xFFFF_FFFF
PIECE = 262_144
"""Bytes per request: parsers read a little at a time."""


class Readable(Protocol):
    """The file that is read; raises StorageError."""

    def read(self, length: int, start: int) -> bytes:
        """Up to `length` bytes, fewer only at the end."""
        ...


class RemoteFile(io.RawIOBase):
    """The child's side. `size`: when it was opened. Raises OSError (EIO) if a piece cannot be read."""

    def __init__(self, connection: socket.socket, size: int) -> None:
        self._connection = connection
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The offset of the next read."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the offset of the next read."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = base + offset
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read the next piece."""
        wanted = min(len(buffer), PIECE, max(0, self._size - self._at))
        if not wanted:
            return 0
        try:
            self._connection.sendall(QUESTION.pack(self._at, wanted))
            (length,) = ANSWER.unpack(_exactly(self._connection, ANSWER.size))
            if length == UNREADABLE:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            buffer[:length] = _exactly(self._connection, length)
        except EOFError as error:
            raise OSError(errno.EIO, os.strerror(errno.EIO)) from error
        self._at += length
        return int(length)

    def close(self) -> None:
        """End the requests."""
        self._connection.close()
        super().close()


def opened(descriptor: int, size: int) -> io.BufferedReader:
    """The file behind a descriptor that is a socket."""
    return io.BufferedReader(RemoteFile(socket.socket(fileno=descriptor), size), PIECE)


def serve(connection: socket.socket, file: Readable) -> None:
    """The other side: answer requests until the child ends them. Does not raise; blocks."""
    with connection:
        try:
            while True:
                start, length = QUESTION.unpack(_exactly(connection, QUESTION.size))
                try:
                    piece = file.read(min(length, PIECE), start)
                except StorageError:
                    connection.sendall(ANSWER.pack(UNREADABLE))
                    continue
                connection.sendall(ANSWER.pack(len(piece)) + piece)
        except (EOFError, OSError):  # the child has closed it, or has ended
            return


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data
