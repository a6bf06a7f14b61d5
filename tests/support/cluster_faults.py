"""Injects faults of real installations into a cluster of three brokers while everything works on it, and gives the verdict.

`python -m tests.support.cluster_faults [FAULT …] [--seed N] [--request-timeout-ms N]`: all of them if none is named; a full
disk and a cut network want root.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import AdminClient

from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from cli.up import ports
from cli.up.embedded.postgres import EmbeddedPostgres
from gateway.access.account_admin import ensure_admin
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas.acls import OPERATOR
from schemas.topics import RAW
from tests.support.cable import Cable, laid
from tests.support.cluster import NODES, Cluster
from tests.support.cluster_load import Load, Silence
from tests.support.committed import connection
from tests.support.gateway import PASSWORD
from tests.support.servers import fresh_database, server_jars
from tests.support.waiting import wait_until

BACK_SECONDS = 15.0
"""The longest time for which the listener may receive nothing."""
CALM_SECONDS = 5.0
CUT_SECONDS = 30.0
WHOLE_SECONDS = 120.0
SMALL_MB = 200
SESSION_MS = 6_000
REQUEST_MS = 6_000
"""How long a client waits for a broker that does not answer; by default 30 s, and a cut connection is unnoticed for as
long."""
DISK = 2
"""The node whose disk is small."""


@dataclass(frozen=True, slots=True)
class World:
    """What faults are done to."""

    cluster: Cluster
    kafka: Kafka
    load: Load
    cable: Cable | None = None


def leader(world: World) -> None:
    """The node that leads a lane of the change log is killed."""
    number = _leader(world)
    world.cluster.kill(number)
    world.load.flowing()
    world.cluster.launch(number)


def rolling(world: World) -> None:
    """All nodes are stopped and started, one after the other."""
    for number in NODES:
        world.cluster.stop(number)
        world.cluster.launch(number)
        wait_whole(world)


def disk(world: World) -> None:
    """The disk of a node's log is full."""
    node = next(node for node in world.cluster.nodes if node.id == DISK)
    filler = node.data.parent / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], capture_output=True, check=False)
    wait_until(lambda: not world.cluster.alive(DISK), WHOLE_SECONDS, what="the node with the full disk to end")
    world.load.flowing()
    filler.unlink()
    world.cluster.launch(DISK)


def cut(world: World) -> None:
    """A node's network is cut, for its clients and for the other nodes, without notice; then it is restored."""
    assert world.cable is not None
    world.cable.pull()
    time.sleep(CUT_SECONDS)
    world.cable.plug()


FAULTS: dict[str, Callable[[World], None]] = {"leader": leader, "rolling": rolling, "disk": disk, "cut": cut}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The longest silence of the five seconds before the fault, and from it on."""

    before: Silence
    silent: Silence

    @property
    def late(self) -> bool:
        """Events did not flow again soon enough."""
        return self.silent.seconds > BACK_SECONDS


def befall(world: World, fault: Callable[[World], None]) -> Outcome:
    """Do it, and wait until the cluster is whole and events flow."""
    time.sleep(CALM_SECONDS)
    began = time.monotonic()
    before = world.load.listener.silence(began - CALM_SECONDS, began)
    fault(world)
    wait_whole(world)
    world.load.flowing()
    return Outcome(before, world.load.listener.silence(began, time.monotonic()))


def wait_whole(world: World) -> None:
    """Until every partition is on all nodes."""
    admin = AdminClient({**connection(world.kafka.settings), "log_level": 0})

    def whole() -> bool:
        found = admin.list_topics(timeout=5)
        if len(found.brokers) < len(NODES):
            return False
        partitions = [partition for topic in found.topics.values() for partition in topic.partitions.values()]
        return all(len(partition.isrs) == len(NODES) for partition in partitions)

    wait_until(whole, WHOLE_SECONDS, what="all replicas to be in sync", every=0.5)


def _leader(world: World) -> int:
    admin = AdminClient({**connection(world.kafka.settings), "log_level": 0})
    name = world.kafka.name(RAW)
    return int(admin.list_topics(name, timeout=10).topics[name].partitions[0].leader)


def clients(cluster: Cluster, request_ms: int = REQUEST_MS) -> Kafka:
    """The operator's, on topics of their own, which are made."""
    settings = KafkaSettings(
        topic_prefix=f"t{secrets.token_hex(5)}.", session_timeout_ms=SESSION_MS, request_timeout_ms=request_ms
    )
    own = {name: getattr(settings, name) for name in ("topic_prefix", "session_timeout_ms", "request_timeout_ms")}
    kafka = cluster.kafka(OPERATOR, **own)
    asyncio.run(apply(kafka))
    return kafka


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """An empty one with its tables and the administrator."""
    server = EmbeddedPostgres(folder / "postgres", ports.free_port(), fsync=False)
    server.prepare()
    server.start()
    try:
        server.wait_ready()
        with fresh_database(server) as url:
            apply_migrations(url)
            asyncio.run(ensure_admin(url, PASSWORD))
            yield url
    finally:
        server.kill()


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    place = folder / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_MB}m", "small", str(place)], check=True)
    try:
        yield place / "data"
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def main() -> int:
    """0 where nothing was lost, twice or late."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.cluster_faults", description=__doc__)
    parser.add_argument("faults", nargs="*", help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--request-timeout-ms", type=int, default=REQUEST_MS)
    given = parser.parse_args()
    faults = given.faults or list(FAULTS)
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="cluster-faults-")))
        folder.chmod(0o755)  # the database server runs as another user
        cable = None
        if "cut" in faults:
            cable = laid()
            held.callback(cable.remove)
        data = {DISK: held.enter_context(_small_disk(folder))} if "disk" in faults else {}
        url = held.enter_context(database(folder))
        cluster = Cluster(folder / "kafka", server_jars(), data=data, cable=cable)
        held.callback(cluster.end)
        cluster.prepare()
        cluster.start()
        kafka = clients(cluster, given.request_timeout_ms)
        (folder / "load").mkdir()
        load = Load(kafka, url, folder / "load", given.seed)
        held.callback(load.end)
        load.start()
        world = World(cluster, kafka, load, cable)
        late = []
        for name in faults:
            outcome = befall(world, FAULTS[name])
            late += [name] * outcome.late
            print(
                f"{name}: silent for {outcome.silent.seconds:.1f} s at most, {outcome.silent.after:.1f} s after it began"
                f" ({outcome.before.seconds:.1f} s before); {load.restarts} processes started again so far;"
                f" load average {os.getloadavg()[0]:.0f}",
                flush=True,
            )
        outputs = load.stop()
        received, sockets = len(load.listener.received), load.listener.sockets
        print(
            f"{outputs:,} outputs, {received:,} events received by {sockets} sockets: nothing lost, nothing twice"
        )
    if late:
        print(f"later than {BACK_SECONDS:g} s: {', '.join(late)}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
