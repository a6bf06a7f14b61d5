"""Real HTTP and SMTP servers as targets of alerts: both answer as a test defines, and keep what they received."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Posted:
    """A request. `at`: monotonic seconds."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def alert(self) -> dict[str, Any]:
        """What was posted."""
        found: dict[str, Any] = msgspec.json.decode(self.body)
        return found


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to be given. `seconds`: after so long."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


class HttpTarget:
    """`replies`: given in turns, then `rest`."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hooks/canary-path"
        self.replies: list[Reply] = []
        self.rest = Reply(204)
        self.posted: list[Posted] = []
        self.ended = threading.Event()
        self._one = threading.Lock()

    def answer(self, posted: Posted) -> Reply:
        """Keep the request, and return the reply."""
        with self._one:
            self.posted.append(posted)
            return self.replies.pop(0) if self.replies else self.rest

    @property
    def ids(self) -> list[str]:
        """Of what came, in its order."""
        return [str(posted.alert["id"]) for posted in self.posted]


@contextmanager
def http_target() -> Iterator[HttpTarget]:
    """A server for the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reply = target.answer(Posted(self.path, dict(self.headers.items()), body, time.monotonic()))
            if target.ended.wait(reply.seconds):
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    target = HttpTarget(server.server_address[1])
    with _served(server):
        yield target
        target.ended.set()


@dataclass(frozen=True, slots=True)
class Handed:
    """A mail that was taken."""

    to: tuple[str, ...]
    data: bytes


class SmtpTarget:
    """`refusals`: by recipient the replies to RCPT that are given in turns, before it is taken."""

    def __init__(self, port: int) -> None:
        self.url = f"smtp://127.0.0.1:{port}"
        self.refusals: dict[str, list[str]] = {}
        self.mails: list[Handed] = []
        self.logins: list[str] = []

    def to(self, address: str) -> list[bytes]:
        """What an address was sent."""
        return [mail.data for mail in self.mails if address in mail.to]


@contextmanager
def smtp_target() -> Iterator[SmtpTarget]:
    """A server for the block."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            recipients: list[str] = []
            self._reply("220 test")
            while line := self.rfile.readline().decode().strip():
                verb = line.split(" ")[0].upper()
                if verb == "EHLO":
                    self._reply("250-test\r\n250 AUTH PLAIN")
                elif verb == "AUTH":
                    target.logins.append(line)
                    self._reply("535 5.7.8 no such user")
                elif verb == "RCPT":
                    address = line.partition("<")[2].partition(">")[0]
                    refusals = target.refusals.get(address)
                    if refusals:
                        self._reply(refusals.pop(0))
                        continue
                    recipients.append(address)
                    self._reply("250 ok")
                elif verb == "DATA":
                    self._reply("354 go on")
                    target.mails.append(Handed(tuple(recipients), self._data()))
                    recipients = []
                    self._reply("250 taken")
                elif verb == "QUIT":
                    self._reply("221 bye")
                    return
                else:
                    self._reply("250 ok")

        def _data(self) -> bytes:
            lines: list[bytes] = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            return b"".join(lines)

        def _reply(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True

    server = Server(("127.0.0.1", 0), Handler)
    target = SmtpTarget(server.server_address[1])
    with _served(server):
        yield target


@contextmanager
def _served(server: socketserver.ThreadingTCPServer | ThreadingHTTPServer) -> Iterator[None]:
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
