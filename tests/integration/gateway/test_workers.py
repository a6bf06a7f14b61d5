"""Several workers on one port are one gateway for clients: all accept sockets, one that is killed costs its own clients a
reconnect and nothing else, their counts are added up, and all end together."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from cli.up import ports
from runtime.kafka import Kafka
from tests.support.events import films
from tests.support.gateway import START_SECONDS, Client, Gateway, gateway
from tests.support.topic import write
from tests.support.waiting import wait_until

SOCKETS = 16
"""All sockets at one worker happens once in 2^15 runs."""

OPEN = re.compile(r"^catalogizer_gateway_sockets (\d+)", re.MULTILINE)


class Workers:
    """A gateway of two workers, and its operators' page."""

    def __init__(self, server: Gateway, health_port: int) -> None:
        self.server = server
        self.operators = f"http://127.0.0.1:{health_port}"

    def pids(self) -> list[int]:
        """The pids of the running workers."""
        assert self.server.process is not None
        family = psutil.Process(self.server.process.pid).children()
        return [one.pid for one in family if "serve-worker" in " ".join(one.cmdline())]

    def ready(self) -> bool:
        """Whether the parent reports that."""
        try:
            return httpx.get(self.operators + "/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def counts(self, sockets: int, token: str | None = None) -> None:
        """Wait until the metrics show it: the operators' page, or (`token`) a worker. They are updated once a second."""
        url, headers = self.operators, {}
        if token is not None:
            url, headers = self.server.url, {"Authorization": f"Bearer {token}"}

        def counted() -> bool:
            found = OPEN.search(httpx.get(url + "/metrics", headers=headers).text)
            return found is not None and int(found.group(1)) == sockets

        wait_until(counted, 5, what=f"{sockets} sockets in the metrics of {url}", every=0.2)


@pytest.fixture(scope="module")
def workers(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    health_port = ports.free_port()
    server = gateway(
        log, tables, tmp_path_factory.mktemp("gateway"), {"WORKERS": "2", "HEALTH__PORT": str(health_port)}
    )
    server.environment["TMPDIR"] = str(tmp_path_factory.mktemp("tmp"))
    both = Workers(server, health_port)
    server.launch()
    wait_until(both.ready, START_SECONDS, what="both ready")
    yield both
    server.kill()


def holder(client: Client, pids: list[int]) -> int:
    """The worker that has the other end of a client's connection."""
    port = client.socket.socket.getsockname()[1]
    found = [
        pid
        for pid in pids
        for one in psutil.Process(pid).net_connections("tcp")
        if one.raddr and one.raddr.port == port
    ]
    assert len(found) == 1
    return found[0]


def seen(client: Client, number: int) -> list[int]:
    """The films it gets, up to this one."""
    frames = client.receive_until(
        lambda frame: frame["type"] == "media_update" and frame["data"]["media_id"] == number
    )
    return [frame["data"]["media_id"] for frame in frames if frame["type"] == "media_update"]


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_port_that_is_taken_is_one_line(
    workers: Workers, log: Kafka, tables: str, tmp_path: Path, count: str
) -> None:
    other = gateway(log, tables, tmp_path, {"WORKERS": count})
    other.environment["CATALOGIZER_GATEWAY__PORT"] = str(workers.server.port)
    other.launch()
    assert other.process is not None
    assert other.process.wait(START_SECONDS) == 2
    address = f"127.0.0.1:{workers.server.port}"
    assert [line for line in other.log.read_text().splitlines() if not line.startswith("{")] == [
        f"error: gateway.port (CATALOGIZER_GATEWAY__PORT): cannot listen on {address}: Address already in use"
    ]


def test_a_killed_worker_costs_its_clients_a_reconnect_and_the_end_is_reported_to_all(
    workers: Workers, log: Kafka
) -> None:
    server, before = workers.server, workers.pids()
    token = server.sign_in()
    with ExitStack() as opened:
        clients = [opened.enter_context(server.client(token)) for _ in range(SOCKETS)]
        cursors = [client.subscribe("media_updates", from_="live")["cursor"] for client in clients]
        of = {index: holder(client, before) for index, client in enumerate(clients)}
        assert set(of.values()) == set(before), "both take sockets"
        workers.counts(SOCKETS, token)
        workers.counts(SOCKETS)

        write(log, *films(2))
        assert all(seen(client, 1) == [0, 1] for client in clients)
        os.kill(before[0], signal.SIGKILL)
        lost = [index for index, pid in of.items() if pid == before[0]]
        assert {clients[index].close_code() for index in lost} == {1006}
        write(log, *films(2, first=2))
        back = opened.enter_context(server.client(token))
        back.subscribe("media_updates", from_={"cursor": cursors[lost[0]]})
        assert seen(back, 3) == [0, 1, 2, 3]
        stayed = [clients[index] for index in of if index not in lost]
        assert all(seen(client, 3) == [2, 3] for client in stayed), "the other goes on"

        wait_until(
            lambda: workers.ready() and len(workers.pids()) == 2, START_SECONDS, what="the dead one is back"
        )
        assert before[0] not in workers.pids()
        workers.counts(len(stayed) + 1)  # without what the dead one had open
        again = [opened.enter_context(server.client(token)) for _ in range(SOCKETS - len(stayed) - 1)]
        last = workers.pids()
        assert {holder(client, last) for client in (*stayed, back, *again)} <= set(last)

        assert server.stop() == 0
        assert {client.close_code() for client in (*stayed, back, *again)} == {1012}
    assert not any(map(psutil.pid_exists, last))
    assert not list(Path(server.environment["TMPDIR"]).iterdir())
