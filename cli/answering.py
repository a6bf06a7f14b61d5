"""Reading with a time-out: Kafka clients silently wait forever for brokers that are gone, which is right for services and
wrong for a command that must end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from cli.errors import LogSilent

T = TypeVar("T")

SILENT_SECONDS = 30.0
"""Longer than a broker takes to answer, or than a fail-over to another one takes."""


async def answering(batches: AsyncGenerator[T, None], seconds: float = SILENT_SECONDS) -> AsyncGenerator[T, None]:
    """The same batches, of a range that has an end. Raises LogSilent if neither the next batch nor the end comes within
    `seconds`."""
    async with aclosing(batches):
        while True:
            try:
                async with asyncio.timeout(seconds):
                    batch = await anext(batches)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise LogSilent(seconds) from error
            yield batch
