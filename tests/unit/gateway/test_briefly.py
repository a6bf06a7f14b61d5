"""An answer is made once for all concurrent requests, and kept for a while; a failure is not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.log.briefly import Briefly
from gateway.log.reader import LogUnavailable


class Maker:
    """Counts how often an answer is made; it waits for `gate`, and may fail."""

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


def test_concurrent_requests_share_an_answer_even_if_the_first_is_cancelled() -> None:
    async def main() -> None:
        made, answers = Maker(), Briefly[int](60.0)
        requests = [asyncio.create_task(answers.get("a", made.maker())) for _ in range(5)]
        await asyncio.sleep(0)
        requests[0].cancel()
        made.gate.set()
        assert await asyncio.gather(*requests[1:]) == [1] * 4
        assert await answers.get("a", made.maker()) == 1
        answers.forget()
        assert await answers.get("a", made.maker()) == 2

    asyncio.run(main())


def test_what_is_old_or_failed_is_made_again() -> None:
    async def main() -> None:
        made, answers = Maker(), Briefly[int](-1.0)
        made.gate.set()
        made.fault = LogUnavailable("away")
        with pytest.raises(LogUnavailable):
            await answers.get("a", made.maker())
        made.fault = None
        assert [await answers.get("a", made.maker()) for _ in range(2)] == [2, 3]

    asyncio.run(main())


def test_more_than_may_be_made_at_once_is_refused() -> None:
    async def main() -> None:
        made, answers = Maker(), Briefly[int](60.0, at_once=1, wait_seconds=0.01)
        first = asyncio.create_task(answers.get("a", made.maker()))
        await made.begun.wait()
        with pytest.raises(LogUnavailable):
            await answers.get("b", made.maker())
        made.gate.set()
        assert await first == 1

    asyncio.run(main())
