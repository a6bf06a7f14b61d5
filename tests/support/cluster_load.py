"""Everything between a change and a browser, working on a cluster while something happens to that: a producer, two workers
of the fold, a projector, a gateway and one who listens to it; and the verdict.

Each process that ends is started again, as its supervisor would. How long the listener received nothing is what the fault
cost.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from runtime.kafka import Kafka
from schemas.topics import MEDIA_UPDATES, RAW
from tests.support import projector_run
from tests.support.committed import read_all
from tests.support.fold_run import Feeder, Worker, Workers, drained, verdict, wait_live
from tests.support.gateway import Gateway, gateway
from tests.support.projector_tables import dump
from tests.support.waiting import wait_until

CHANNEL = "media_updates"
PAUSE_SECONDS = 0.4
"""Between each ten changes."""
LOOK_SECONDS = 0.2
BACK_SECONDS = 60.0
ARRIVED_SECONDS = 60.0


class Silence(NamedTuple):
    """In seconds: how long, and how long after the first moment it began."""

    seconds: float
    after: float


class Listener:
    """One socket, which comes back where it stood. `received`: when each event came, and of which partition and offset."""

    def __init__(self, server: Gateway) -> None:
        self._server = server
        self._token = server.sign_in()
        self._ended = threading.Event()
        self.received: list[tuple[float, int, int]] = []
        self.sockets = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Go away."""
        self._ended.set()
        self._thread.join(10)

    def silence(self, begin: float, end: float) -> Silence:
        """The longest time between two of these moments in which nothing was received."""
        at = [begin, *(when for when, _, _ in list(self.received) if begin < when < end), end]
        return max(Silence(later - earlier, earlier - begin) for earlier, later in itertools.pairwise(at))

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                self._receive()
            except InvalidStatus as refused:  # a gateway that has too much to do asks to come back
                if refused.response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                    raise
            except (ConnectionClosed, OSError):  # it comes back
                pass
            self._ended.wait(LOOK_SECONDS)

    def _receive(self) -> None:
        offsets = {str(partition): offset + 1 for _, partition, offset in self.received}
        from_: object = {"offsets": offsets} if offsets else "earliest"
        with connect(f"{self._server.ws_url}?token={self._token}", close_timeout=1, compression=None) as socket:
            self.sockets += 1
            socket.send(json.dumps({"type": "subscribe", "channel": CHANNEL, "from": from_}))
            while not self._ended.is_set():
                with suppress(TimeoutError):
                    frame = json.loads(socket.recv(timeout=LOOK_SECONDS))
                    if "offset" in frame and frame.get("channel") == CHANNEL and frame["type"] == "media_update":
                        self.received.append((time.monotonic(), frame["partition"], frame["offset"]))


class Load:
    """`kafka`: topics that nobody else uses, with the right to everything."""

    def __init__(self, kafka: Kafka, database_url: str, folder: Path, seed: int) -> None:
        self._kafka = kafka
        self._url = database_url
        self._workers = Workers(kafka, folder)
        self._running: dict[str, Worker] = {}
        self._projector: projector_run.Process | None = None
        self._server = gateway(kafka, database_url, folder)
        self._feeder = Feeder(kafka, seed)
        self._enough = threading.Event()
        self._failure: BaseException | None = None
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._feed, self._supervise)]
        self.restarts = 0

    def start(self) -> None:
        """All of it; returns when events arrive."""
        self._running = {name: self._workers(name) for name in ("a", "b")}
        self._projector = projector_run.Process(self._kafka, self._url)
        self._server.launch()
        wait_until(self._server.ready, BACK_SECONDS, what="the gateway to be ready")
        wait_live(list(self._running.values()), self._kafka.lanes)
        self.listener = Listener(self._server)
        for thread in self._threads:
            thread.start()
        self.flowing()

    def flowing(self, seconds: float = 3.0) -> None:
        """Until events have come for so long, never a second apart."""

        def flows() -> bool:
            if self._failure is not None:
                raise self._failure
            now = time.monotonic()
            return self.listener.silence(now - seconds, now).seconds < 1.0

        wait_until(flows, BACK_SECONDS, what="events to flow")

    def stop(self) -> int:
        """Write no more, wait until all has arrived everywhere; how many outputs there are. Raises AssertionError where
        something is lost, twice, or out of order."""
        self._enough.set()
        for thread in self._threads:
            thread.join(BACK_SECONDS)
        assert not any(thread.is_alive() for thread in self._threads), (
            "the producer or its supervisor does not end"
        )
        if self._failure is not None:
            raise self._failure
        settings = self._kafka.settings
        drained(self._kafka, settings, list(self._running.values()))
        asyncio.run(projector_run.caught_up(self._kafka, self._url, ARRIVED_SECONDS))
        outputs = verdict(self._kafka, settings)
        self._written_once()
        assert dump(self._url) == asyncio.run(projector_run.expected(self._kafka)), "the database differs"
        self._check_received()
        return outputs

    def end(self) -> None:
        """Kill everything."""
        self._enough.set()
        if hasattr(self, "listener"):
            self.listener.end()
        if self._projector is not None and self._projector.died is None:
            self._projector.end()
        self._workers.end()
        self._server.kill()

    def _feed(self) -> None:
        self._kept(
            lambda: asyncio.run(self._feeder.run(0, pause_seconds=PAUSE_SECONDS, until=self._enough.is_set))
        )

    def _supervise(self) -> None:
        def work() -> None:
            while not self._enough.wait(LOOK_SECONDS):
                self._revive()

        self._kept(work)

    def _revive(self) -> None:
        for name, worker in list(self._running.items()):
            if worker.died is not None:
                self._running[name] = self._workers(name)
                self.restarts += 1
        if self._projector is not None and self._projector.died is not None:
            self._projector = projector_run.Process(self._kafka, self._url)
            self.restarts += 1
        if self._server.process is not None and self._server.process.poll() is not None:
            self._server.launch()
            self.restarts += 1

    def _kept(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  raised again in the thread that waits
            self._failure = error

    def _written_once(self) -> None:
        """What the producer numbered stands in the log once, and all of it."""
        found: dict[str, list[int]] = {}
        for lane in range(self._kafka.lanes):
            for read in read_all(self._kafka.settings, self._kafka.name(RAW), lane):
                record = json.loads(read.value or b"{}")
                if "seq" in record:
                    found.setdefault(record["root"], []).append(record["seq"])
        for root, numbers in found.items():
            assert numbers == list(range(1, len(numbers) + 1)), (
                f"{root}: lost, twice or out of order in the change log"
            )
        assert sum(map(len, found.values())) > 0

    def _check_received(self) -> None:
        name = self._kafka.name(MEDIA_UPDATES)
        for lane in range(self._kafka.lanes):
            wanted = [read.offset for read in read_all(self._kafka.settings, name, lane)]
            wait_until(
                lambda lane=lane, wanted=wanted: len(self._received(lane)) >= len(wanted),  # type: ignore[misc]
                ARRIVED_SECONDS, what="the listener to receive the rest",
            )  # fmt: skip
            assert self._received(lane) == wanted, f"the listener received something else of lane {lane}"

    def _received(self, lane: int) -> list[int]:
        return [offset for _, partition, offset in list(self.listener.received) if partition == lane]
