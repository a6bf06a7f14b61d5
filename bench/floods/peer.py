"""One hostile client: raw bytes over TCP, and the gateway's answer to them. Shares no code with the gateway."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import struct
import time
from dataclasses import dataclass, replace

OPEN = "open"
"""The answer of a connection that is still open without an answer."""

CLOSED = "closed"
READ_BYTES = 65_536
OF_ADDRESS = 1_000
"""`gateway.max_connections_per_address`, by default."""


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway: its address, its process, and a valid token. `attacker`: the address that attackers connect from, so that
    bounds per address apply to them alone."""

    port: int
    pid: int
    token: str
    attacker: str = "127.0.0.2"

    def attacked_by(self, connection: int) -> Target:
        """The target for an attack's connection of this number, from 0: after OF_ADDRESS of them the attackers use another
        address. The gateway counts a connection for some seconds after its answer, so opening more from one address is
        rejected by number, which is an attack of its own."""
        own = self.attacker.rpartition(".")[2]
        return replace(self, attacker=f"127.0.{connection // OF_ADDRESS}.{own}")


def handshake(path: str, *more: str) -> bytes:
    """The head of a WebSocket's handshake, without the empty line at its end."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13", *more,
    )  # fmt: skip
    return "".join(f"{line}\r\n" for line in lines).encode()


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A frame as a client sends it, masked with zeros."""
    head = bytes([(0x80 if fin else 0) | opcode])
    if len(payload) < 126:
        head += bytes([0x80 | len(payload)])
    elif len(payload) < 65_536:
        head += struct.pack(">BH", 0x80 | 126, len(payload))
    else:
        head += struct.pack(">BQ", 0x80 | 127, len(payload))
    return head + b"\0\0\0\0" + payload


def answer_in(data: bytes, *, ended: bool) -> str:
    """The status of the first answer; of a WebSocket the code of its close frame."""
    if not data.startswith(b"HTTP/1.1 "):
        return CLOSED if ended else OPEN
    status = data[9:12].decode()
    if status != "101":
        return status
    at = data.find(b"\r\n\r\n") + 4
    while at + 2 <= len(data):
        opcode, size, at = data[at] & 15, data[at + 1] & 127, at + 2
        if size == 126:
            size, at = struct.unpack_from(">H", data, at)[0], at + 2
        elif size == 127:
            size, at = struct.unpack_from(">Q", data, at)[0], at + 8
        if opcode == 8:
            return str(struct.unpack_from(">H", data, at)[0]) if size >= 2 else "1005"
        at += size
    return CLOSED if ended else OPEN


class Peer:
    """One connection, with the answer received on it (the first MiB)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.received = b""
        self.ended = False

    @classmethod
    async def connect(cls, target: Target, *, receive_bytes: int = 0) -> Peer:
        """Connect from the attackers' address; `receive_bytes`: a small window. Raises OSError."""
        connection = socket.socket()
        connection.setblocking(False)
        if receive_bytes:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.bind((target.attacker, 0))
        try:
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", target.port))
            return cls(*await asyncio.open_connection(sock=connection))
        except OSError:
            connection.close()
            raise

    async def send(self, data: bytes, until: float) -> bool:
        """Send; False when time is over, or the other side has closed the connection."""
        if self.ended or self.writer.is_closing() or time.monotonic() >= until:
            return False
        self.writer.write(data)
        try:
            await asyncio.wait_for(self.writer.drain(), until - time.monotonic())
        except (OSError, TimeoutError):
            return False
        return True

    async def receive(self, until: float, *, answered: bool = False) -> None:
        """Read until the end of the connection, or until that time; with `answered` only until there is an answer."""
        try:
            while not self.ended and not (answered and self.answer() != OPEN):
                await self._receive(until)
        except TimeoutError:
            pass
        except OSError:
            self.ended = True

    async def accepted(self, until: float) -> bool:
        """Wait for the handshake's answer; True where it is a 101."""
        try:
            while b"\r\n\r\n" not in self.received and not self.ended:
                await self._receive(until)
        except (OSError, TimeoutError):
            return False
        return self.received.startswith(b"HTTP/1.1 101")

    async def _receive(self, until: float) -> None:
        data = await asyncio.wait_for(self.reader.read(READ_BYTES), until - time.monotonic())
        self.ended = not data
        if len(self.received) < 1 << 20:
            self.received += data

    def answer(self) -> str:
        """The answer so far."""
        return answer_in(self.received, ended=self.ended)

    def end(self) -> None:
        """Close the connection, without a close frame."""
        self.writer.transport.abort()
