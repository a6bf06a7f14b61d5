"""Apache Kafka itself as a child process: KRaft, one node, loopback, on the Java of a wheel, heap bounded.

The data folder is renamed into place after it was formatted, so it is complete or absent. Ready means that the broker
answers a client's request about the cluster and coordinates groups, not only that a port is open. It runs in its folder and
is configured with file names relative to it, so that the folder may have any name (`kafka_config`).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from cli.up import ports
from cli.up.embedded import kafka_config
from cli.up.embedded.access import Access
from cli.up.embedded.java import ENVIRONMENT, java
from cli.up.errors import BrokenState, NotReady
from cli.up.secret_file import keep
from cli.up.supervision.process import Process
from cli.up.supervision.program import HERE, Program, environment_for, tie
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas.acls import OPERATOR

HEAP_MB = 512
STOP_SECONDS = 6.0
READY_SECONDS = 60.0
"""After a kill a node took 11.5 s until it answered again (measured), on a busy machine longer."""
_POLL_SECONDS = 0.1
_FORMAT_SECONDS = 60
_REQUEST_MS = 5_000
_FENCE_SECONDS = 20.0
_FENCED_AT_MOST_SECONDS = 2.0
"""After the controller has started; measured 0.4."""
_FENCE_POLL_SECONDS = 0.05
_STARTED, _FENCED = "Kafka Server started", f"Fencing broker {kafka_config.NODE_ID}"
"""As Kafka logs them."""


class EmbeddedKafka:
    """One broker in a folder. `prepare` and `program` serve the supervisor; `start`, `wait_ready`, `stop` and
    `kill` run it by hand. `jars`: of the `server` set, all in one folder. `access`: who may use it; None: anybody on
    this machine (for tests). `still`: it removes nothing from the log, neither by retention nor by compaction."""

    def __init__(
        self,
        folder: Path,
        port: int,
        jars: tuple[Path, ...],
        access: Access | None = None,
        *,
        java_options: tuple[str, ...] = (),
        still: bool = False,
    ) -> None:
        self.folder = folder.absolute()
        self.port = port
        self.jars = jars
        self.access = access
        self._java_options = java_options
        self._still = still
        self._process = Process(self.folder / "out.log")

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return f"{ports.LOOPBACK}:{self.port}"

    def settings(self, component: str) -> KafkaSettings:
        """How a component connects, its credentials included. Raises OSError."""
        credentials = {} if self.access is None else self.access.settings(component)
        return KafkaSettings(bootstrap_servers=self.bootstrap_servers).model_copy(update=credentials)

    def prepare(self) -> None:
        """Write the configuration, format the data folder the first time. Raises BrokenState, OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "log").mkdir(exist_ok=True)
        (self.folder / "log4j2.yaml").write_text(kafka_config.log4j2())
        self._configure(self._data)
        if not self._data.exists():
            self._format()
        self._check_data()
        self._end_former_session()

    def program(self, environment: Mapping[str, str] | None = None) -> Program:
        """The broker, with a controller port that is free now."""
        self._configure(self._data)
        return self._program(self._java_options, environment)

    async def ready(self, seconds: float = READY_SECONDS, alive: Callable[[], bool] = lambda: True) -> None:
        """Return when the broker answers. Raises NotReady if it does not in time, or if `alive` returns False."""
        admin = Kafka(self.settings(OPERATOR).model_copy(update={"request_timeout_ms": _REQUEST_MS}), "up").admin()
        try:
            async with asyncio.timeout(seconds):
                while not (_listening(self.port) and await _answers(admin)):  # a client asked early logs errors
                    if not alive():
                        raise NotReady("kafka", self._output_tail(), self.folder / "log" / "server.log")
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise NotReady("kafka", f"no answer within {seconds:g} s", self.folder / "log") from error
        finally:
            await admin.close()

    def start(self) -> None:
        """Start it by hand (prepared before)."""
        self._end_former_session()
        self._process.start(self.program())

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return when a broker started by hand answers. Raises NotReady."""
        asyncio.run(self.ready(seconds, alive=lambda: self._process.alive))

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End a broker started by hand, cleanly where it does so in time."""
        self._process.stop(signal.SIGTERM, seconds)

    def kill(self) -> None:
        """kill -9 a broker started by hand."""
        self._process.kill()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _configure(self, data: Path, *, fencing: bool = False) -> None:
        access = self.access
        text = kafka_config.server_properties(
            data.name,
            self.port,
            ports.free_port(),
            secrets={} if access is None else access.secrets(),
            super_users=() if access is None else access.super_users,
            still=self._still,
            fencing=fencing,
        )
        keep(self._properties, text)  # the principals' secrets are in it

    def _end_former_session(self) -> None:
        """After a kill: have the controller alone fence the broker of the former life, so that the next one starts without
        leaders. Otherwise its coordinator begins to complete transactions that were decided while the partitions still have
        the former broker as leader, drops their markers when that is fenced, and their records stay invisible for ever
        (KAFKA-20734). It costs less time than the next broker would wait for that session to end. If it fails, the broker
        starts as it would have, and says why in its log."""
        if (self._data / ".kafka_cleanshutdown").exists() or not (self._data / "__cluster_metadata-0").is_dir():
            return
        self._configure(self._data, fencing=True)
        log = _Tail(self.folder / "log" / "server.log")
        controller = Process(self._process.output)
        try:
            controller.start(self._program())
            _wait_fenced(log, lambda: controller.alive)
        finally:
            controller.stop(signal.SIGTERM, STOP_SECONDS)
            self._configure(self._data)

    def _program(
        self, java_options: tuple[str, ...] = (), environment: Mapping[str, str] | None = None
    ) -> Program:
        """Kafka as it is configured now."""
        return Program(
            name="kafka",
            argv=(*self._java(f"-Xmx{HEAP_MB}m", *java_options), "kafka.Kafka", self._properties.name),
            directory=self.folder,
            environment={**(environment or {}), **ENVIRONMENT},
        )

    def _java(self, *options: str) -> tuple[str, ...]:
        logging = f"-Dlog4j2.configurationFile={HERE}/log4j2.yaml"
        return java(self.jars, *options, logging, link=self.folder / "jars")

    def _format(self) -> None:
        fresh = self.folder / "data.new"
        if fresh.exists():
            shutil.rmtree(fresh)  # of a start that was killed while it formatted
        self._configure(fresh)
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # `=` and not a word of its own: one id in 64 begins with a dash
        words = ("format", f"--cluster-id={cluster}", "-c", self._properties.name)
        argv = (*self._java(), "kafka.tools.StorageTool", *words)
        try:
            done = subprocess.run(
                argv,
                capture_output=True,
                text=True,
                timeout=_FORMAT_SECONDS,
                cwd=self.folder,
                env=environment_for(ENVIRONMENT),
                preexec_fn=tie(os.getpid()),
            )
        except subprocess.TimeoutExpired as error:
            raise NotReady("kafka", f"{fresh} was not formatted within {_FORMAT_SECONDS} s") from error
        if done.returncode != 0:
            raise BrokenState(fresh, f"cannot be formatted: {(done.stderr or done.stdout).strip()[-300:]}")
        fresh.rename(self._data)
        self._configure(self._data)

    def _check_data(self) -> None:
        meta = self._data / "meta.properties"
        lines = meta.read_text().splitlines() if meta.is_file() else []
        if f"node.id={kafka_config.NODE_ID}" not in lines:
            raise BrokenState(self._data, "not the data of our broker; move it away, and a new log is begun")

    def _output_tail(self) -> str:
        return self._process.output_tail() or "it ended at once"


class _Tail:
    """What is appended to a file from now on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._begin = file.stat().st_size if file.exists() else 0

    def text(self) -> str:
        """All of it so far; of a file that was rolled meanwhile, all that is there."""
        if not self._file.exists():
            return ""
        with self._file.open("rb") as file:
            file.seek(self._begin if self._begin <= self._file.stat().st_size else 0)
            return file.read().decode(errors="replace")


def _wait_fenced(log: _Tail, alive: Callable[[], bool]) -> None:
    """Until the controller has fenced the broker; a little longer than that takes if there is nothing to fence."""
    deadline, started = time.monotonic() + _FENCE_SECONDS, None
    while alive() and time.monotonic() < deadline:
        text = log.text()
        if _FENCED in text or (started is not None and time.monotonic() - started > _FENCED_AT_MOST_SECONDS):
            return
        if started is None and _STARTED in text:
            started = time.monotonic()
        time.sleep(_FENCE_POLL_SECONDS)


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((ports.LOOPBACK, port)) == 0


async def _answers(admin: AIOKafkaAdminClient) -> bool:
    try:
        await admin.start()
        described = await admin.describe_cluster()
        await admin.find_coordinator("catalogizer")  # any group: at the first start this makes the offsets topic
    except (KafkaError, OSError):
        return False
    return len(described["brokers"]) > 0
