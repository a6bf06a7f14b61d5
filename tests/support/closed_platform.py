"""The platform's four processes on a broker that gives each only its own rights, as an operator runs them: a process each, a
principal each, health on a port."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx

from cli.provisioning.acls import apply_acls
from cli.provisioning.topics import apply
from cli.up import ports
from cli.up.embedded.access import Access
from cli.up.embedded.kafka import EmbeddedKafka
from runtime.kafka import Kafka
from schemas.acls import COMPONENTS, OPERATOR, Acl, Component, Operation, acls_of
from tests.support.command import ROOT
from tests.support.gateway import SECRET
from tests.support.operator import Operator
from tests.support.waiting import wait_until

START_SECONDS = 60.0


class ClosedPlatform:
    """`root`: the one root that is watched."""

    def __init__(self, folder: Path, jars: tuple[Path, ...], database_url: str) -> None:
        self.root = folder / "root"
        self.root.mkdir()
        self._folder = folder
        self._database_url = database_url
        self._broker = EmbeddedKafka(folder / "kafka", ports.free_port(), jars, Access(folder / "secrets"))
        self._ports = {component: ports.free_port() for component in COMPONENTS}
        self._processes: dict[Component, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """The broker with topics and rights, then all processes; returns when each is ready."""
        self._broker.prepare()
        self._broker.start()
        self._broker.wait_ready()
        self.operators = self.kafka(OPERATOR)
        asyncio.run(apply(self.operators))
        self.give()
        self.operator = Operator(self.operators)
        for component in COMPONENTS:
            self.launch(component)
        self.wait_well()

    def kafka(self, component: str) -> Kafka:
        """Clients that sign in as a component."""
        settings = self._broker.settings(component)
        return Kafka(settings.model_copy(update={"lanes": 1, "replication_factor": 1}), "test")

    def give(self) -> None:
        """Every right of the table."""
        asyncio.run(apply_acls(self.operators))

    def launch(self, component: Component) -> None:
        """Start a process, and do not wait."""
        settings, port = self._broker.settings(component), str(self._ports[component])
        assert settings.sasl_password is not None
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CATALOGIZER_")
        } | {
            "CATALOGIZER_STATE_DIR": str(self._folder / "state"),
            "CATALOGIZER_KAFKA__BOOTSTRAP_SERVERS": self._broker.bootstrap_servers,
            "CATALOGIZER_KAFKA__LANES": "1",
            "CATALOGIZER_KAFKA__SECURITY_PROTOCOL": settings.security_protocol,
            "CATALOGIZER_KAFKA__SASL_MECHANISM": settings.sasl_mechanism,
            "CATALOGIZER_KAFKA__SASL_USERNAME": settings.sasl_username or "",
            "CATALOGIZER_KAFKA__SASL_PASSWORD": settings.sasl_password.get_secret_value(),
            "CATALOGIZER_DATABASE__URL": self._database_url,
            "CATALOGIZER_GATEWAY__PORT": port,
            "CATALOGIZER_GATEWAY__TOKEN_SECRET": SECRET,
            "CATALOGIZER_STREAMS__HEALTH__PORT": port,
            "CATALOGIZER_STREAMS__PROJECTOR_HEALTH__PORT": port,
            "CATALOGIZER_PRODUCER__HEALTH__PORT": port,
            "CATALOGIZER_PRODUCER__ROOTS": json.dumps([{"name": "r", "library": "home", "path": str(self.root)}]),
        }
        with self._log(component).open("ab") as log:
            self._processes[component] = subprocess.Popen(
                [sys.executable, "-m", "cli.main", component], env=environment, cwd=ROOT, stdout=log, stderr=log
            )

    def unready(self, component: Component) -> dict[str, str] | None:
        """Why a process reports that it is not ready; None while it does not answer."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self._ports[component]}/health/ready", timeout=5)
        except httpx.TransportError:
            return None
        problems: dict[str, str] = answer.json()["problems"]
        return problems

    def problems(self, component: Component) -> str:
        """Everything that a process reports as wrong, warnings included; empty while it does not answer."""
        if component != "serve":
            return " ".join((self.unready(component) or {}).values())
        try:
            return str(
                httpx.get(f"http://127.0.0.1:{self._ports[component]}/health", timeout=5).json()["problems"]
            )
        except httpx.TransportError:
            return ""

    def ended(self, component: Component) -> int | None:
        """Its exit code."""
        return self._processes[component].poll()

    def lines(self, component: Component) -> list[str]:
        """What it has logged so far."""
        return self._log(component).read_text().splitlines()

    def wait_well(self) -> None:
        """Until each process is ready."""
        wait_until(
            lambda: all(self.unready(component) == {} for component in COMPONENTS), START_SECONDS,
            what="all processes to be ready",
        )  # fmt: skip

    def end(self) -> None:
        """Kill everything."""
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._broker.kill()

    def _log(self, component: Component) -> Path:
        return self._folder / f"{component}.log"


def right(component: Component, operation: Operation, name: str) -> Acl:
    """The right of a component to do this with what is named so."""
    (found,) = (acl for acl in acls_of(component) if (acl.operation, acl.name) == (operation, name))
    return found
