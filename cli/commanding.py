"""Sends commands for a root: the command is written to the control topic, and its result is read from the reports of the
producer that watches the root."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from cli.root_table import report_of
from runtime.kafka import Kafka, stop_client
from runtime.log_reading import Offsets, bounds, partitions_of, reader, stretch
from schemas.admin import Control
from schemas.codec import encode
from schemas.headers import Headers, event_headers
from schemas.system import COMMAND, COMMAND_DONE, RootReport, ScanReport
from schemas.topics import CONTROL, REPORTS

SOURCE = "urn:catalogizer:cli"


def drawn_id() -> str:
    """A random id for a command."""
    return secrets.token_hex(8)


def caller_name() -> str:
    """The system user and the machine, shown to people as who requested something."""
    return f"{os.environ.get('USER') or os.getuid()}@{socket.gethostname()}"


async def send_and_wait(
    kafka: Kafka, command: Control, wait_seconds: float, scanned: Callable[[ScanReport], None] = lambda _: None
) -> RootReport | None:
    """Write the command and wait for its completion; returns the newest report about it, None if there was none in that
    time. `scanned`: called with the progress of the root's scans meanwhile. Raises KafkaError, NotProvisioned."""
    async with reader(kafka) as consumer:
        ends = dict((await bounds(consumer, await partitions_of(consumer, kafka.name(REPORTS)))).end)
        await send(kafka, command)
        newest: list[RootReport] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await _collect(consumer, ends, command, newest, scanned)
        return newest[-1] if newest else None


async def _collect(
    consumer: AIOKafkaConsumer, starts: Offsets, command: Control, newest: list[RootReport],
    scanned: Callable[[ScanReport], None],
) -> None:  # fmt: skip
    async with aclosing(stretch(consumer, starts, None)) as stretches:
        async for records in stretches:
            for report in map(report_of, records):
                if report is None or report.root != command.root:
                    continue
                if isinstance(report, ScanReport):
                    scanned(report)
                elif report.details.get(COMMAND) == command.id:
                    newest.append(report)
                    if report.details.get(COMMAND_DONE):
                        return


async def send(kafka: Kafka, command: Control) -> None:
    """Write the command. Raises KafkaError."""
    async with writer(kafka) as producer:
        await producer.send_and_wait(
            kafka.name(CONTROL),
            encode(command),
            key=command.root.encode(),
            partition=0,
            headers=headers_of(command),
        )


def headers_of(command: Control) -> Headers:
    """The headers of a command's record."""
    return event_headers(
        id=command.id, type=str(command.__struct_config__.tag), source=SOURCE, time=command.at,
        subject=command.root,
    )  # fmt: skip


@asynccontextmanager
async def writer(kafka: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    """A Kafka producer for the block. Raises KafkaError."""
    producer = kafka.producer()
    try:
        await producer.start()
        yield producer
    finally:
        await stop_client(producer)
