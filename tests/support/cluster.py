"""A cluster as companies run Kafka, on one machine: three nodes, each broker and controller, every record on three of them
and acknowledged by two, clients by password, certificate or token, and rights for each.

From the jars of the embedded broker; 256 MB a node.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError
from pydantic import SecretStr

from cli.up import ports
from cli.up.embedded import kafka_config
from cli.up.embedded.java import ENVIRONMENT, java
from cli.up.supervision.process import Process
from cli.up.supervision.program import HERE, Program, environment_for, tie
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas.acls import COMPONENTS, OPERATOR, user_of
from tests.support import cluster_config
from tests.support.cable import Cable
from tests.support.cluster_config import BROKER, CONTROLLER, LISTENERS, Listener, Node
from tests.support.tls import Authority
from tests.support.token_endpoint import TokenEndpoint
from tests.support.waiting import wait_until

NODES = (1, 2, 3)
FAR = 3
"""The node that may have a network of its own."""
HEAP_MB = 256
READY_SECONDS = 90.0
STOP_SECONDS = 20.0
"""A node hands its partitions over before it ends."""
SCOPE = "kafka"


class Cluster:
    """`prepare` and `start` it, `end` it. Each component and the operator has a password, a certificate and a client of the
    token endpoint, all by the name that the table of rights has for it. `data`: where a node's log is, where that is not
    beside the others. `cable`: node 3 runs at its far end."""

    def __init__(
        self,
        folder: Path,
        jars: tuple[Path, ...],
        *,
        data: Mapping[int, Path] | None = None,
        cable: Cable | None = None,
        token_seconds: int = 300,
    ) -> None:
        self.folder = folder
        self._jars = jars
        near = ports.LOOPBACK if cable is None else cable.near
        hosts = dict.fromkeys(NODES, near) | ({} if cable is None else {FAR: cable.address})
        self._inside = {} if cable is None else {FAR: cable.inside}
        users = [user_of(component) for component in (OPERATOR, *COMPONENTS)]
        self.passwords = {user: secrets.token_urlsafe(18) for user in users}
        clients = {user: secrets.token_urlsafe(18) for user in users}
        self.endpoint = TokenEndpoint(clients, token_seconds, near, ports.free_port())
        (folder / "tls").mkdir(parents=True)
        self.authority = Authority(folder / "tls")
        certificate = self.authority.member(BROKER, *sorted(set(hosts.values())))
        self.certificates = {user: self.authority.client(user) for user in users}
        self.nodes = tuple(
            Node(
                number,
                hosts[number],
                {name: ports.free_port() for name in (*LISTENERS, CONTROLLER)},
                certificate,
                (data or {}).get(number, folder / str(number) / "data"),
            )
            for number in NODES
        )
        self._processes = {node.id: Process(folder / str(node.id) / "out.log") for node in self.nodes}

    def prepare(self) -> None:
        """Write the configurations and format the logs, with the passwords in them."""
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        begun = [self._format(node, cluster) for node in self.nodes]
        for process in begun:
            _, output = process.communicate(timeout=120)
            assert process.returncode == 0, output.decode()

    def start(self) -> None:
        """All nodes; returns when the cluster answers and coordinates groups."""
        self.endpoint.start()
        for node in self.nodes:
            self.launch(node.id)
        asyncio.run(self._ready())

    def launch(self, number: int) -> None:
        """Start a node, and do not wait."""
        self._processes[number].start(self._program(self._node(number)))

    def wait_back(self, number: int, seconds: float = READY_SECONDS) -> None:
        """Until a node takes connections again."""
        node = self._node(number)
        wait_until(lambda: _listening(node), seconds, what=f"node {number} to listen")

    def stop(self, number: int) -> int | None:
        """SIGTERM and wait; its exit code."""
        return self._processes[number].stop(signal.SIGTERM, STOP_SECONDS)

    def kill(self, number: int) -> None:
        """SIGKILL."""
        self._processes[number].kill()

    def alive(self, number: int) -> bool:
        """Whether a node runs."""
        return self._processes[number].alive

    def end(self) -> None:
        """Kill everything."""
        for process in self._processes.values():
            process.kill()
        self.endpoint.stop()

    def servers(self, listener: Listener = "SCRAM") -> str:
        """All nodes' addresses of a listener, for clients' settings."""
        return ",".join(f"{node.host}:{node.ports[listener]}" for node in self.nodes)

    def settings(self, component: str, listener: Listener = "SCRAM", **change: object) -> KafkaSettings:
        """How a component connects to a listener, but for what is changed."""
        user = user_of(component)
        values: dict[str, Any] = {
            "bootstrap_servers": self.servers(listener),
            "ssl_cafile": self.authority.file,
            "lanes": 2,
            "replication_factor": 3,
        }
        match listener:
            case "SCRAM":
                values |= {
                    "security_protocol": "SASL_SSL",
                    "sasl_mechanism": "SCRAM-SHA-512",
                    "sasl_username": user,
                    "sasl_password": SecretStr(self.passwords[user]),
                }
            case "MTLS":
                certificate, key = self.certificates[user]
                values |= {"security_protocol": "SSL", "ssl_certfile": certificate, "ssl_keyfile": key}
                values |= {"principal": user}
            case "OAUTH":
                values |= {
                    "security_protocol": "SASL_SSL",
                    "sasl_mechanism": "OAUTHBEARER",
                    "sasl_oauthbearer_token_endpoint_url": self.endpoint.url,
                    "sasl_oauthbearer_client_id": user,
                    "sasl_oauthbearer_client_secret": SecretStr(self.endpoint.clients[user]),
                    "sasl_oauthbearer_scope": SCOPE,
                }
        return KafkaSettings().model_copy(update=values | change)

    def kafka(self, component: str, listener: Listener = "SCRAM", **change: object) -> Kafka:
        """Clients that sign in as a component."""
        return Kafka(self.settings(component, listener, **change), "test")

    def log_of(self, number: int) -> str:
        """What a node has logged."""
        return (self.folder / str(number) / "log" / "server.log").read_text(errors="replace")

    def _node(self, number: int) -> Node:
        return next(node for node in self.nodes if node.id == number)

    def _format(self, node: Node, cluster: str) -> subprocess.Popen[bytes]:
        folder = self.folder / str(node.id)
        (folder / "log").mkdir(parents=True, exist_ok=True)
        (folder / "log4j2.yaml").write_text(kafka_config.log4j2())
        text = cluster_config.properties(
            node,
            self.nodes,
            authority=self.authority.file,
            keys_url=self.endpoint.keys_url,
            issuer=self.endpoint.issuer,
        )
        (folder / "server.properties").write_text(text)
        words = ["format", f"--cluster-id={cluster}", "-c", "server.properties"]
        for user, password in self.passwords.items():
            words += ["--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]"]
        return subprocess.Popen(
            (*self._java(folder), "kafka.tools.StorageTool", *words),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment_for(ENVIRONMENT),
            preexec_fn=tie(os.getpid()),
        )

    def _program(self, node: Node) -> Program:
        folder = self.folder / str(node.id)
        urls = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.endpoint.keys_url}"
        inside = self._inside.get(node.id, ())
        argv = (*inside, *self._java(folder, f"-Xmx{HEAP_MB}m", urls), "kafka.Kafka", "server.properties")
        return Program(name=f"kafka-{node.id}", argv=argv, directory=folder, environment=ENVIRONMENT)

    def _java(self, folder: Path, *options: str) -> tuple[str, ...]:
        return java(self._jars, *options, f"-Dlog4j2.configurationFile={HERE}/log4j2.yaml", link=folder / "jars")

    async def _ready(self) -> None:
        admin = self.kafka(OPERATOR).admin()
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not await self._answers(admin):
                    gone = [node.id for node in self.nodes if not self.alive(node.id)]
                    assert not gone, [self._processes[number].output_tail() for number in gone]
                    await asyncio.sleep(0.1)
        finally:
            await admin.close()

    async def _answers(self, admin: Any) -> bool:
        if not all(map(_listening, self.nodes)):
            return False
        try:
            await admin.start()
            described = await admin.describe_cluster()
            await admin.find_coordinator("catalogizer")
        except (KafkaError, OSError):
            return False
        return len(described["brokers"]) == len(self.nodes)


def _listening(node: Node) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((node.host, node.ports["SCRAM"])) == 0
