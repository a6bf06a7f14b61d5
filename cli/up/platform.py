"""What the settings mean for one run: which servers are embedded, and each child's environment.

Children receive the settings in their environment, so a service runs under `up` exactly as it does alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.settings import Settings
from cli.up.component import Plan, service
from cli.up.kafka import EmbeddedKafka
from cli.up.postgres import EmbeddedPostgres
from cli.up.program import STATE_MARK, Program
from cli.up.run_file import RunFile
from cli.up.state import State
from producer.settings import RootSpec
from runtime.lifecycle import READY_FILE
from runtime.settings import PREFIX, KafkaSettings
from schemas.topics import EMBEDDED_LANES

SERVICES = ("watch", "stream", "project", "serve")
ADMIN = "admin"
CHECKOUT = Path(__file__).parents[2]
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform about to run. `settings`: as configured; `kafka` and `postgres`: embedded, or None."""

    settings: Settings
    state: State
    kafka: EmbeddedKafka | None
    postgres: EmbeddedPostgres | None
    roots: tuple[RootSpec, ...]

    @property
    def database_url(self) -> str:
        """URL of the database in use, including its password."""
        return self.postgres.url() if self.postgres else self.settings.database.dsn()

    @property
    def kafka_settings(self) -> KafkaSettings:
        """Settings of the broker in use; what is not set has the values of an embedded one."""
        configured = self.settings.kafka
        if self.kafka is None:
            return configured
        return configured.model_copy(
            update={
                "bootstrap_servers": self.kafka.bootstrap_servers,
                "lanes": configured.lanes or EMBEDDED_LANES,
                "replication_factor": configured.replication_factor or 1,
            }
        )

    def run_file(self, pids: Mapping[str, int]) -> RunFile:
        """The contents of `run.json`."""
        host = self.settings.gateway.host
        address = f"{_EVERYWHERE.get(host, host)}:{self.settings.gateway.port}"
        return RunFile(
            url=f"http://{address}",
            ws_url=f"ws://{address}/ws",
            admin_user=ADMIN,
            admin_password_file=str(self.state.admin_password),
            bootstrap_servers=str(self.kafka_settings.bootstrap_servers),
            database_url=self.database_url,
            library={root.name: str(root.path) for root in self.roots},
            pids=dict(pids),
        )

    def servers(self) -> list[Plan]:
        """Plans of the embedded servers."""
        plans = []
        for name, server in (("kafka", self.kafka), ("postgres", self.postgres)):
            if server is not None:
                plans.append(server_plan(name, server, self._mark()))
        return plans

    def services(self) -> list[Plan]:
        """Plans of our own processes."""
        plans = []
        for name in SERVICES:
            ready_file = self.state.ready_file(name)
            environment = {**self.environment(), READY_FILE: str(ready_file)}
            plans.append(service(name, python(name, ("-m", "cli.main", name), environment), ready_file))
        return plans

    def chore(self) -> Program:
        """Makes Java's class cache."""
        return python("class-cache", ("-m", "cli.up.class_cache"), self._mark())

    def environment(self) -> dict[str, str]:
        """The environment of each service, without the name of its ready file."""
        kafka = self.kafka_settings
        told = {
            "STATE_DIR": str(self.state.folder),
            "KAFKA__BOOTSTRAP_SERVERS": str(kafka.bootstrap_servers),
            "DATABASE__URL": self.database_url,
            "PRODUCER__ROOTS": json.dumps([root.model_dump(mode="json") for root in self.roots]),
            "STREAMS__ANALYSIS__ROOTS": json.dumps(self._analysed_roots()),
        }
        if kafka.lanes is not None:
            told["KAFKA__LANES"] = str(kafka.lanes)
        if kafka.replication_factor is not None:
            told["KAFKA__REPLICATION_FACTOR"] = str(kafka.replication_factor)
        return {PREFIX + name: value for name, value in told.items()} | self._mark()

    def _mark(self) -> dict[str, str]:
        return {STATE_MARK: str(self.state.folder)}

    def _analysed_roots(self) -> dict[str, str]:
        here = {root.name: str(root.path) for root in self.roots if root.site == self.settings.streams.site}
        return here | {name: str(path) for name, path in self.settings.streams.analysis.roots.items()}


def python(name: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Program:
    """A Python program of ours. It imports from this installation, never from the folder in which it is started."""
    told = {**environment, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}
    return Program(name=name, argv=(sys.executable, "-P", *arguments), directory=Path.cwd(), environment=told)


def server_plan(name: str, server: EmbeddedKafka | EmbeddedPostgres, mark: Mapping[str, str]) -> Plan:
    """The plan of an embedded server, which is prepared before every start, whatever its last run left."""

    async def program() -> Program:
        await asyncio.to_thread(server.prepare)
        return server.program(mark)

    return Plan(name, program, server.ready, ours=False)
