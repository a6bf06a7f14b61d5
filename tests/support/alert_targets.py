"""Real HTTP and SMTP servers as targets of alerts: both answer as a test defines, and keep what they received."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
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

    def __init__(self, port: int, scheme: str = "http") -> None:
        self.url = f"{scheme}://127.0.0.1:{port}/hooks/canary-path"
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
def http_target(tls: ssl.SSLContext | None = None) -> Iterator[HttpTarget]:
    """A server for the block; over TLS with a certificate."""

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

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that does not trust us leaves."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    target = HttpTarget(server.server_address[1], "http" if tls is None else "https")
    with _served(server):
        yield target
        target.ended.set()


@dataclass(frozen=True, slots=True)
class Handed:
    """A mail that was taken. `sealed`: over TLS; `user`: who had signed in."""

    to: tuple[str, ...]
    data: bytes
    sealed: bool = False
    user: str | None = None


class SmtpTarget:
    """`refusals`: by recipient the replies to RCPT that are given in turns, before it is taken. `accounts`: passwords by
    user. `starttls`: the reply to STARTTLS, which is offered if the server has a certificate and is not all TLS."""

    def __init__(self, port: int, scheme: str) -> None:
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.refusals: dict[str, list[str]] = {}
        self.accounts: dict[str, str] = {}
        self.starttls = "220 go on"
        self.mails: list[Handed] = []
        self.logins: list[str] = []
        self.connections = 0

    def to(self, address: str) -> list[bytes]:
        """What an address was sent."""
        return [mail.data for mail in self.mails if address in mail.to]


@contextmanager
def smtp_target(scheme: str = "smtp", tls: ssl.SSLContext | None = None) -> Iterator[SmtpTarget]:
    """A server for the block. `scheme`: smtp, starttls or smtps, the last two with its certificate."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            target.connections += 1
            with suppress(OSError):  # of TLS too: the client has left
                if scheme == "smtps":
                    self._seal()
                self._talk()

        def _talk(self) -> None:
            recipients: list[str] = []
            user = None
            self._reply("220 test")
            while line := self.rfile.readline().decode().strip():
                verb = line.split(" ")[0].upper()
                if verb == "EHLO":
                    offered = scheme == "starttls" and tls is not None and not self._sealed
                    self._reply("250-test\r\n" + "250-STARTTLS\r\n" * offered + "250 AUTH PLAIN")
                elif verb == "STARTTLS":
                    self._reply(target.starttls)
                    if target.starttls.startswith("220"):
                        self._seal()
                elif verb == "AUTH":
                    target.logins.append(line)
                    user = self._user(line.split(" ")[-1])
                    self._reply("535 5.7.8 no such user" if user is None else "235 2.7.0 welcome")
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
                    target.mails.append(Handed(tuple(recipients), self._data(), self._sealed, user))
                    recipients = []
                    self._reply("250 taken")
                elif verb == "QUIT":
                    self._reply("221 bye")
                    return
                else:
                    self._reply("250 ok")

        @property
        def _sealed(self) -> bool:
            return isinstance(self.connection, ssl.SSLSocket)

        def _seal(self) -> None:
            assert tls is not None
            self.request = tls.wrap_socket(self.connection, server_side=True)
            self.setup()

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()
            if self._sealed:
                self.connection.close()

        def _user(self, response: str) -> str | None:
            _, user, password = base64.b64decode(response).decode().split("\0")
            return user if target.accounts.get(user) == password else None

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
    target = SmtpTarget(server.server_address[1], scheme)
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
