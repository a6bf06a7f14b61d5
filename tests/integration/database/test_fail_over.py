"""The database fails over and is taken back: the projector stops and reports why, the gateway keeps streaming and reads or
answers 503, and when there is a server to write to again every row is exact, whichever server it is and whatever that one
lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from cli.provisioning.tables import apply_migrations
from gateway.access.account_admin import ensure_admin
from runtime.kafka import Kafka
from schemas import topics
from schemas.channels import MEDIA_UPDATES
from tests.support.gateway import PASSWORD, Client, Gateway, gateway
from tests.support.projector_log import Logged
from tests.support.projector_process import ProjectorProcess, projector
from tests.support.projector_run import Writer, caught_up, expected, history
from tests.support.projector_tables import derived, dump
from tests.support.replicated import Replicated, either, replicated
from tests.support.waiting import wait_until

READ_ONLY = "it is read-only"


@dataclass(frozen=True, slots=True)
class Running:
    """The processes, and a browser."""

    kafka: Kafka
    server: Gateway
    projector: ProjectorProcess
    browser: Client

    def write(self, records: list[Logged]) -> None:
        """Write to the log; the browser receives everything that it follows, whatever the database does."""
        asyncio.run(Writer(self.kafka).write(records))
        updates = sum(record.of == topics.MEDIA_UPDATES for record in records)
        assert updates
        for _ in range(updates):
            self.browser.receive_type("media_update")

    def projected(self, into: Replicated) -> None:
        """All that was written is there, and nothing else."""
        asyncio.run(caught_up(self.kafka, into.url()))
        assert dump(into.url()) == asyncio.run(expected(self.kafka))
        derived(into.url())

    def well(self) -> bool:
        """Both processes report it."""
        return self.server.ready() and self.projector.ready()

    def reported(self, words: str) -> None:
        """Wait until both report these words about the database."""
        for say, who in ((self.server.unready, "the gateway"), (self.projector.unready, "the projector")):
            wait_until(partial(_told, say, words), 20, what=f"{who} to say it")


def _told(say: Callable[[], dict[str, str] | None], words: str) -> bool:
    return words in (say() or {}).get("database", "")


@pytest.fixture
def servers() -> Iterator[tuple[Replicated, Replicated]]:
    """One with tables and an administrator, and one that follows it."""
    with replicated() as first:
        apply_migrations(first.url())
        asyncio.run(ensure_admin(first.url(), PASSWORD))
        second = first.follower(first.folder.parent / "second")
        try:
            yield first, second
        finally:
            second.kill()


def test_rows_are_exact_whichever_server_takes_over_and_whatever_it_lacks(
    kafka: Kafka, servers: tuple[Replicated, Replicated], tmp_path: Path
) -> None:
    first, second = servers
    url = either(first, second)
    records = history(51, 160).records
    parts = [records[i * len(records) // 4 : (i + 1) * len(records) // 4] for i in range(4)]
    server = gateway(kafka, url, tmp_path)
    server.launch()
    try:
        with projector(kafka, url, tmp_path, {}) as process:
            wait_until(lambda: server.ready() and process.ready(), 40, what="both to be ready")
            token = server.sign_in()
            with server.client(token, ping_interval=None) as browser, server.http(token) as http:
                browser.subscribe(MEDIA_UPDATES.name, from_="live")
                run = Running(kafka, server, process, browser)
                run.write(parts[0])
                run.projected(first)
                second.caught_up_with(first)
                second.cut_off()
                run.write(parts[1])
                run.projected(first)

                first.kill()
                run.reported(READ_ONLY)
                assert second.follows()
                wait_until(
                    lambda: http.get("/api/v1/media/stats").status_code == 200, 15, what="reads of the follower"
                )
                body = {"username": "admin", "password": PASSWORD}
                refused = http.post("/api/v1/auth/login", json=body)
                assert (refused.status_code, refused.json()["error"]) == (503, "unavailable")
                run.write(parts[2])

                second.promote()
                wait_until(run.well, 30, what="both to be well with the follower")
                run.projected(second)  # what was written to the first alone is written again
                server.sign_in()

                second.kill()
                first.start()  # an older copy: it lacks what came after its end
                wait_until(run.well, 30, what="both to be well with the older one")
                run.projected(first)
                run.write(parts[3])
                run.projected(first)
        reported = process.lines("database unavailable")
        assert len([line for line in reported if READ_ONLY in line]) <= 2, reported
        assert len(reported) <= 8, reported
    finally:
        server.kill()
