"""The gateway process: listen, follow the log, and end in a way that lets every client reconnect."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from socket import socket

import uvicorn

from gateway.access.proxies import Proxies, networks
from gateway.access.tokens import configured_secret
from gateway.app import Gateway, compose
from gateway.core.admission import Admission, Room, files_wanted, room
from gateway.live.doors import Doors
from gateway.live.requests import RequestProtocol
from gateway.live.tcp import raise_open_files
from gateway.ports import bound, start_operators
from gateway.settings import GatewaySettings
from gateway.tables.connecting import connections
from gateway.tables.database import DatabaseCheck
from gateway.workers import Worker
from runtime import log
from runtime.certificates import Certificates, files_of_kafka
from runtime.database import Address, address_now, files_of_certificates
from runtime.health import HealthServer
from runtime.kafka import Kafka
from runtime.lifecycle import Stop, announce_ready, freeze_objects
from schemas.close_codes import RESTART

MAX_MESSAGE_BYTES = 65_536
DRAIN_SECONDS = 2
BACKLOG = 2_048
LEFT_TO_OTHERS_SECONDS = 10.0
"""A worker that accepts no sockets yet leaves connections to the others. But not for longer than this, because health checks
must be answered even if none of them can work."""

_log = log.get(__name__)


class _Server(uvicorn.Server):
    """Signals are handled by the process (`runtime.lifecycle`)."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Do not handle them here."""
        yield


async def serve(
    kafka: Kafka, database: Address, settings: GatewaySettings, stop: Stop, worker: Worker | None = None
) -> None:
    """Run until requested to stop, as all of the gateway or as one of its workers. Raises SettingsError if it cannot begin
    (port taken, weak secret)."""
    if worker is not None:
        settings = worker.share(settings)
    secret = configured_secret(settings)
    pool = connections(database)
    fits = find_room(settings)
    proxies = Proxies(networks(settings.trusted_proxies))
    admission = Admission(fits, exempt=proxies.trusts)
    doors = Doors(admission, settings.max_header_bytes, settings.slow_seconds, RequestProtocol)
    settings = settings.model_copy(update={"max_sockets": fits.sockets})
    gateway = compose(kafka, pool, DatabaseCheck(database, pool.drain), settings=settings, secret=secret)
    gateway.health.measures.append(_certificates(kafka, database, settings).show)
    listening = bound(settings, shared=worker is not None)
    operators = HealthServer(settings.health, gateway.health)
    await start_operators(operators, settings)
    await pool.open(wait=False)
    try:
        await _run(gateway, doors, listening, stop, worker)
    finally:
        await operators.stop()
        await gateway.streaming.stop()
        await gateway.log_reader.stop()
        await gateway.oidc.close()
        gateway.accounts.close()
        await pool.close(timeout=DRAIN_SECONDS)


async def _run(gateway: Gateway, doors: Doors, listening: socket, stop: Stop, worker: Worker | None) -> None:
    server = _server(gateway, doors)
    turn = asyncio.Event()
    works: list[Coroutine[None, None, None]] = [
        server.serve(sockets=[listening]) if worker is None else _serve_from(turn, server, listening),
        gateway.tail.run(stop),
        gateway.streaming.tick(),
        gateway.connections.sweep(),
        doors.sweep(),
        gateway.publishing.run(stop),
        gateway.auditing.run(stop),
        gateway.open_letters.run(stop),
        gateway.resumption.run(stop, gateway.tail.ready),
        gateway.following.run(),
        gateway.database.run(stop),
    ]
    if worker is not None:
        works.append(worker.report(gateway.health))
    tasks = [asyncio.create_task(work) for work in works]
    stopping = asyncio.create_task(stop.wait())
    opening = asyncio.create_task(_open(gateway, listening, turn))
    try:
        await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done() and not stop.requested:
                task.result()
                raise RuntimeError("a part of the gateway ended by itself")
    finally:
        turn.set()
        await _drain(gateway, server, tasks, [stopping, opening])


async def _serve_from(turn: asyncio.Event, server: _Server, listening: socket) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(turn.wait(), LEFT_TO_OTHERS_SECONDS)
    await server.serve(sockets=[listening])


async def _open(gateway: Gateway, listening: socket, turn: asyncio.Event) -> None:
    """Accept sockets once the log is followed (before, there is nothing to send and no exact offset) and once the ended
    sessions have been read. The gateway is ready when the database can be used as well: without it nobody can sign in."""
    await gateway.tail.ready.wait()
    await gateway.following.ended.known.wait()
    await gateway.resumption.known.wait()
    freeze_objects()
    gateway.connections.accepting = True
    listening.listen(BACKLOG)  # from here on a worker gets its part of the connections
    turn.set()
    await gateway.database.used.wait()
    announce_ready()


async def _drain(
    gateway: Gateway, server: _Server, tasks: list[asyncio.Task[None]], others: Sequence[asyncio.Task[object]]
) -> None:
    gateway.connections.accepting = False
    gateway.connections.close_all(RESTART)
    server.should_exit = True
    for task in others:
        task.cancel()
    await asyncio.wait(tasks[:1], timeout=2 * DRAIN_SECONDS)
    await gateway.resumption.leave()
    for task in tasks:
        task.cancel()
    for failure in await asyncio.gather(*tasks, *others, return_exceptions=True):
        if isinstance(failure, Exception):
            _log.error("ended with an error", error=f"{type(failure).__name__}: {failure}")


def _certificates(kafka: Kafka, database: Address, settings: GatewaySettings) -> Certificates:
    """The certificates of all peers. The gateway's own belongs to its proxy: it serves no TLS itself."""
    providers = (provider.ca_file for provider in settings.oidc if provider.ca_file is not None)
    return Certificates(
        (*files_of_kafka(kafka.settings), *files_of_certificates(address_now(database)), *providers)
    )


def find_room(settings: GatewaySettings) -> Room:
    """How many connections fit below the limit on open files, which is raised to what the settings need."""
    wanted = files_wanted(settings.max_sockets)
    files = raise_open_files(wanted)
    fits = room(settings.max_sockets, settings.max_connections_per_address, files)
    limits = {"sockets": fits.sockets, "connections": fits.connections, "of_one_address": fits.of_address}
    if fits.sockets < settings.max_sockets:
        help_ = f"raise the limit on open files (ulimit -n, LimitNOFILE) to {wanted}"
        _log.warning("fewer sockets than max_sockets fit", **limits, open_files=files, help=help_)
    else:
        _log.info("room for connections", **limits)
    return fits


def _server(gateway: Gateway, doors: Doors) -> _Server:
    # uvicorn logs a socket's path with its query, the token in it, at INFO even without access logs.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        gateway.app,
        http=doors.protocol(),
        ws="websockets-sansio",  # replaced by the door's own
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return _Server(config)
