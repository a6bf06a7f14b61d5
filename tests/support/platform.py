"""The whole platform as a user starts it (`catalogizer up`), in a folder of its own on free ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from cli.up.embedded.access import Access
from cli.up.ports import free_port
from runtime.settings import KafkaSettings
from schemas.acls import OPERATOR
from tests.support.waiting import wait_until

READY_SECONDS = 90
DEBOUNCE_MS = 300
PASSWORD = "correct horse battery"
ODD = "Größe, \"alt\" #1 = 5%\\x 'y' [z]"
"""A folder's name with what ends or splits a word in properties, YAML, class paths, URLs and shells."""


class Platform:
    """One running `catalogizer up`. `roots`: name → folder, all of library `home`; none: the demo library."""

    def __init__(self, folder: Path, roots: dict[str, Path] | None = None, **env: str) -> None:
        self.state_dir = folder / ODD
        self.port = free_port()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("CATALOGIZER_")}
        self.env |= {
            "CATALOGIZER_STATE_DIR": str(self.state_dir),
            "CATALOGIZER_GATEWAY__PORT": str(self.port),
            "CATALOGIZER_ADMIN_PASSWORD": PASSWORD,
            **env,
        }
        if roots is not None:
            specs = [
                {
                    "name": name,
                    "library": "home",
                    "path": str(path),
                    "debounce_ms": DEBOUNCE_MS,
                    "rename_window_ms": DEBOUNCE_MS,
                }
                for name, path in roots.items()
            ]
            self.env["CATALOGIZER_PRODUCER__ROOTS"] = json.dumps(specs)
        self._output = folder / "up.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start and wait until it is ready; returns the seconds it took."""
        began = time.monotonic()
        (self.state_dir / "run.json").unlink(missing_ok=True)  # of a killed one
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "up"], env=self.env, stdout=output, stderr=subprocess.STDOUT
            )
        run_file = self.state_dir / "run.json"

        def ready() -> bool:
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(f"`up` ended with {self._process.returncode}:\n{self.output[-4000:]}")
            return run_file.exists()

        wait_until(ready, READY_SECONDS, what="the platform to be ready")
        return time.monotonic() - began

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._output.read_text(errors="replace")

    @property
    def run(self) -> dict[str, Any]:
        """run.json as it is now."""
        run: dict[str, Any] = json.loads((self.state_dir / "run.json").read_text())
        return run

    @property
    def brokers(self) -> KafkaSettings:
        """How the operator connects to its broker."""
        run = self.run
        access = Access(Path(run["kafka_secret_file"]).parent).settings(OPERATOR)
        return KafkaSettings(bootstrap_servers=run["bootstrap_servers"]).model_copy(update=access)

    @property
    def pid(self) -> int:
        """Of the supervisor."""
        assert self._process is not None
        return self._process.pid

    def kill(self, component: str) -> int:
        """kill -9 one component; returns the pid it had."""
        pid: int = self.run["pids"][component]
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_again(self, component: str, killed: int, seconds: float = 30) -> None:
        """Until a killed component runs again; the gateway: until it answers."""
        wait_until(
            lambda: self.run["pids"].get(component) not in (None, killed), seconds, what=f"{component} again"
        )
        if component == "serve":
            wait_until(self._answers, seconds, what="the gateway to answer")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.run['url']}/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to end; the exit code and the seconds it took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(number)
        code = self._process.wait(30)
        return code, time.monotonic() - began

    def end(self) -> None:
        """Kill it, if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    def client(self) -> httpx.Client:
        """An HTTP client that has signed in."""
        client = httpx.Client(base_url=self.run["url"], timeout=10)
        answer = client.post("/api/v1/auth/login", json={"username": "admin", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['session_token']}"
        return client

    def token(self) -> str:
        """A session token."""
        client = self.client()
        client.close()
        return client.headers["Authorization"].removeprefix("Bearer ")
