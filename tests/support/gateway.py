"""A gateway as clients see it: a separate process, used over HTTP and an independent WebSocket client (the `websockets`
library, which shares no code path with what is tested)."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from cli.up import ports
from runtime.kafka import Kafka
from tests.support import prepared
from tests.support.revealed import security

LOADED = ("cli.settings", "gateway.main", "runtime.database", "uvloop")
"""What `serve` imports when it runs."""

PASSWORD = "correct horse battery"
SECRET = "8f2d6c1b9a7e4f3c8d5a6b7c0e1f2a3b"
START_SECONDS = 60.0
WAIT_SECONDS = 15.0

Frame = dict[str, Any]


@dataclass(slots=True)
class Client:
    """One socket that keeps every text it received."""

    socket: ClientConnection
    texts: list[str] = field(default_factory=list)

    def send(self, **message: object) -> None:
        """Send a message; `from_` stands for `from`."""
        self.socket.send(json.dumps({name.rstrip("_"): value for name, value in message.items()}))

    def receive(self, seconds: float = WAIT_SECONDS) -> Frame:
        """The next frame. Raises TimeoutError, or ConnectionClosed at the end."""
        text = self.socket.recv(timeout=seconds)
        assert isinstance(text, str)
        self.texts.append(text)
        frame: Frame = json.loads(text)
        return frame

    def receive_until(self, wanted: Callable[[Frame], bool], seconds: float = WAIT_SECONDS) -> list[Frame]:
        """The frames up to and including the first that matches `wanted`."""
        deadline = time.monotonic() + seconds
        frames: list[Frame] = []
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"not among {len(frames)} frames, last: {frames[-3:]}")
            frames.append(self.receive(left))
            if wanted(frames[-1]):
                return frames

    def receive_type(self, type_: str, seconds: float = WAIT_SECONDS) -> Frame:
        """The next frame of a type; earlier frames are skipped."""
        return self.receive_until(lambda frame: frame["type"] == type_, seconds)[-1]

    def subscribe(self, channel: str, **options: object) -> Frame:
        """Subscribe; the answer, which may be an error."""
        self.send(type="subscribe", channel=channel, **options)
        return self.receive_until(lambda frame: frame["type"] in ("subscribed", "error"))[-1]

    def close_code(self, seconds: float = WAIT_SECONDS) -> int:
        """Wait until the socket is closed; the code of the server's close frame, 1006 if there was none."""
        try:
            while True:
                self.receive(seconds)
        except ConnectionClosed as closed:
            return 1006 if closed.rcvd is None else closed.rcvd.code


@dataclass(slots=True)
class Gateway:
    """One gateway process, its port and state kept over restarts."""

    port: int
    environment: dict[str, str]
    log: Path
    process: prepared.Forked | None = None

    @property
    def url(self) -> str:
        """Of its HTTP side."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Of its sockets."""
        return f"ws://127.0.0.1:{self.port}/ws"

    def launch(self) -> None:
        """Start and do not wait."""
        with self.log.open("ab") as log:
            self.process = prepared.start(
                "cli.main", "serve", env=self.environment, stdout=log, stderr=log, also=LOADED
            )

    def start(self) -> None:
        """Start and wait until it is ready."""
        self.launch()
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()  # else it would run on beside all other tests
                raise TimeoutError(f"the gateway is not ready: {self.log.read_text()[-2_000:]}")
            time.sleep(0.05)

    def stop(self) -> int:
        """SIGTERM and wait; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def http(self, token: str | None = None) -> httpx.Client:
        """An HTTP client, signed in with `token`."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=WAIT_SECONDS)

    def sign_in(self, name: str = "admin", password: str = PASSWORD) -> str:
        """A token."""
        with self.http() as http:
            answer = http.post("/api/v1/auth/login", json={"username": name, "password": password})
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["session_token"]
        return token

    @contextmanager
    def client(self, token: str, **options: Any) -> Iterator[Client]:
        """A socket opened according to the contract. It is read all the time (else a test that is busy elsewhere for
        a minute is a stuck reader, and closed) unless `max_queue` says otherwise."""
        options.setdefault("compression", None)
        options.setdefault("max_queue", None)
        with connect(f"{self.ws_url}?token={token}", close_timeout=1, **options) as socket:
            yield Client(socket)

    def unready(self) -> dict[str, str] | None:
        """Why it reports that it is not ready; None while it does not answer."""
        try:
            problems: dict[str, str] = httpx.get(self.url + "/health/ready", timeout=1).json()["problems"]
            return problems
        except httpx.TransportError:
            return None

    def ready(self) -> bool:
        """True if it reports that it is ready."""
        try:
            return httpx.get(self.url + "/health/ready", timeout=1).status_code == 200
        except httpx.TransportError:
            return False


def gateway(kafka: Kafka, database_url: str, folder: Path, settings: Mapping[str, str] | None = None) -> Gateway:
    """A gateway on a free port, not started. `settings`: more of its variables, without the prefix."""
    port = ports.free_port()
    of_kafka = kafka.settings
    assert of_kafka.bootstrap_servers is not None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CATALOGIZER_")} | {
        "CATALOGIZER_STATE_DIR": str(folder / "state"),
        "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS": of_kafka.bootstrap_servers,
        "CATALOGIZER_KAFKA__TOPIC_PREFIX": of_kafka.topic_prefix,
        "CATALOGIZER_KAFKA__LANES": str(kafka.lanes),
        "CATALOGIZER_DATABASE__URL": database_url,
        "CATALOGIZER_GATEWAY__PORT": str(port),
        "CATALOGIZER_GATEWAY__TOKEN_SECRET": SECRET,
    }
    environment |= {f"CATALOGIZER_KAFKA__{name}": value for name, value in security(of_kafka).items()}
    environment |= {f"CATALOGIZER_GATEWAY__{name}": value for name, value in (settings or {}).items()}
    return Gateway(port, environment, folder / "gateway.log")
