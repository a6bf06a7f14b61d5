"""`catalogizer project` as a process of its own, with its health page and its log."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from cli.up import ports
from runtime.configuration import PREFIX
from runtime.kafka import Kafka
from tests.support import prepared
from tests.support.command import environment


@dataclass(frozen=True, slots=True)
class ProjectorProcess:
    """One that runs. `log`: its file."""

    process: prepared.Forked
    port: int
    log: Path

    def unready(self) -> dict[str, str] | None:
        """Why it reports that it is not ready, by check; None while it does not answer."""
        try:
            found: dict[str, str] = httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=2).json()[
                "problems"
            ]
        except httpx.TransportError:
            return None
        return found

    def ready(self) -> bool:
        """True if it reports that it is ready."""
        return self.unready() == {}

    def lines(self, words: str) -> list[str]:
        """Those of its log with these words."""
        return [line for line in self.log.read_text().splitlines() if words in line]


@contextmanager
def projector(kafka: Kafka, url: str, folder: Path, settings: Mapping[str, str]) -> Iterator[ProjectorProcess]:
    """Started for the block; stopped afterwards. `settings`: further ones, without the prefix. Raises AssertionError where
    it does not end well."""
    port = ports.free_port()
    given = environment(kafka, url) | {
        PREFIX + name: value
        for name, value in {
            "STATE_DIR": str(folder / "projector"), "STREAMS__PROJECTOR_HEALTH__PORT": str(port),
            "KAFKA__SESSION_TIMEOUT_MS": "3000", "LOG__FORMAT": "json", **settings,
        }.items()
    }  # fmt: skip
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    log = folder / "projector.log"
    with log.open("ab") as output:
        process = prepared.start(
            "cli.main",
            "project",
            env=clean | given,
            stdout=output,
            stderr=output,
            also=("streams.projector.main",),
        )
    try:
        yield ProjectorProcess(process, port, log)
        process.terminate()
        assert process.wait(20) == 0, log.read_text()[-2_000:]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
