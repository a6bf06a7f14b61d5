"""Reading that ends with an error where the log falls silent: clients wait for brokers that have gone, for ever and without
a word, which is right for services and wrong for a command that has an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from cli.errors import LogSilent

T = TypeVar("T")

SILENT_SECONDS = 30.0
"""Longer than a broker takes to answer, or another one to take its place."""


async def answering(batches: AsyncGenerator[T, None], seconds: float = SILENT_SECONDS) -> AsyncGenerator[T, None]:
    """The same batches, of a stretch that has an end. Raises LogSilent where the next one, or the end, does not come for so
    long."""
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
