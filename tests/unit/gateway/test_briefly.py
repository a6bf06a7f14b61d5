"""An answer is made once for all who ask meanwhile, and kept for a while; a failure is not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.log.briefly import Briefly
from gateway.log.reader import LogUnavailable


class Asked:
    """Counts how often an answer is made; it waits to be let go, and may fail."""

    def __init__(self) -> None:
        self.made = 0
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.fault: Exception | None = None

    def maker(self) -> Callable[[], Awaitable[int]]:
        async def make() -> int:
            self.made += 1
            self.begun.set()
            await self.gate.wait()
            if self.fault is not None:
                raise self.fault
            return self.made

        return make


def test_who_asks_meanwhile_gets_the_same_answer_though_the_first_goes_away() -> None:
    async def main() -> None:
        asked, answers = Asked(), Briefly[int](60.0)
        askers = [asyncio.create_task(answers.get("a", asked.maker())) for _ in range(5)]
        await asyncio.sleep(0)
        askers[0].cancel()
        asked.gate.set()
        assert await asyncio.gather(*askers[1:]) == [1] * 4
        assert await answers.get("a", asked.maker()) == 1
        answers.forget()
        assert await answers.get("a", asked.maker()) == 2

    asyncio.run(main())


def test_what_is_old_or_failed_is_made_again() -> None:
    async def main() -> None:
        asked, answers = Asked(), Briefly[int](-1.0)
        asked.gate.set()
        asked.fault = LogUnavailable("away")
        with pytest.raises(LogUnavailable):
            await answers.get("a", asked.maker())
        asked.fault = None
        assert [await answers.get("a", asked.maker()) for _ in range(2)] == [2, 3]

    asyncio.run(main())


def test_more_than_may_be_made_at_once_is_refused() -> None:
    async def main() -> None:
        asked, answers = Asked(), Briefly[int](60.0, at_once=1, wait_seconds=0.01)
        first = asyncio.create_task(answers.get("a", asked.maker()))
        await asked.begun.wait()
        with pytest.raises(LogUnavailable):
            await answers.get("b", asked.maker())
        asked.gate.set()
        assert await first == 1

    asyncio.run(main())
