"""A command that reads to an end does not wait for ever for brokers that have gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from cli.answering import answering
from cli.errors import LogSilent


async def batches(count: int, *, ends: bool) -> AsyncGenerator[int, None]:
    for number in range(count):
        yield number
    if not ends:
        await asyncio.Event().wait()


def collected(wanted: AsyncGenerator[int, None]) -> list[int]:
    found: list[int] = []

    async def collect() -> None:
        async for number in answering(wanted, 0.01):
            found.append(number)

    try:
        asyncio.run(collect())
    except LogSilent:
        found.append(-1)
    return found


@pytest.mark.parametrize(("ends", "expected"), [(True, [0, 1]), (False, [0, 1, -1])])
def test_it_yields_what_comes_and_raises_when_nothing_comes_any_more(ends: bool, expected: list[int]) -> None:
    assert collected(batches(2, ends=ends)) == expected
