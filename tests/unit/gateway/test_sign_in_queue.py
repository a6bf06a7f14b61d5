"""SignInQueue: a flood from one address delays only that address, all is bounded, a cancelled sign-in leaves nothing."""

from __future__ import annotations

import asyncio

import pytest

from gateway.access.sign_in_queue import SignInQueue, TooManySignIns


async def hold(queue: SignInQueue, address: str, done: list[str], name: str) -> None:
    async with queue.of(address):
        await asyncio.sleep(0)
        done.append(name)


def test_the_lines_of_addresses_are_served_in_turn() -> None:
    async def main() -> list[str]:
        queue, done = SignInQueue(1, 100), list[str]()
        flood = [asyncio.create_task(hold(queue, "flood", done, f"f{n}")) for n in range(20)]
        await asyncio.sleep(0)
        others = [asyncio.create_task(hold(queue, f"other {n}", done, f"o{n}")) for n in range(3)]
        await asyncio.gather(*flood, *others)
        return done

    done = asyncio.run(main())
    assert sorted(done.index(f"o{n}") for n in range(3)) < [10, 10, 10]
    assert [name for name in done if name[0] == "f"] == [f"f{n}" for n in range(20)]


def test_no_more_than_so_many_have_a_turn_at_once() -> None:
    async def main() -> int:
        queue, inside, most = SignInQueue(2, 100), 0, 0

        async def work(n: int) -> None:
            nonlocal inside, most
            async with queue.of(str(n % 3)):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(work(n) for n in range(30)))
        return most

    assert asyncio.run(main()) == 2


def test_where_all_are_full_the_longest_line_loses_its_newest() -> None:
    async def main() -> tuple[list[str], list[bool]]:
        queue, done = SignInQueue(1, 4), list[str]()
        async with queue.of("first"):
            flood = [asyncio.create_task(hold(queue, "flood", done, f"f{n}")) for n in range(8)]
            await asyncio.sleep(0)
            other = asyncio.create_task(hold(queue, "other", done, "o"))
            await asyncio.sleep(0)
        ends = await asyncio.gather(*flood, return_exceptions=True)
        await other
        return done, [isinstance(end, TooManySignIns) for end in ends]

    done, refused = asyncio.run(main())
    assert "o" in done
    assert refused == [False] * 3 + [True] * 5


@pytest.mark.parametrize("when", ["waiting", "just granted"])
def test_whoever_goes_away_leaves_the_turn_to_others(when: str) -> None:
    async def main() -> list[str]:
        queue, done = SignInQueue(1, 10), list[str]()
        async with queue.of("a"):
            gone = asyncio.create_task(hold(queue, "b", done, "gone"))
            stays = asyncio.create_task(hold(queue, "c", done, "stays"))
            await asyncio.sleep(0)
            if when == "waiting":
                gone.cancel()
                await asyncio.sleep(0)
        if when == "just granted":
            gone.cancel()
        await asyncio.wait_for(stays, 1)
        await asyncio.wait_for(hold(queue, "d", done, "later"), 1)
        return done

    assert asyncio.run(main()) == ["stays", "later"]


def test_who_goes_away_as_it_loses_its_place_leaves_no_turn() -> None:
    async def main() -> int:
        queue, inside, most = SignInQueue(1, 2), 0, 0

        async def work(n: int) -> None:
            nonlocal inside, most
            async with queue.of(str(n)):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

        async with queue.of("first"):
            flood = [asyncio.create_task(hold(queue, "flood", [], "f")) for _ in range(2)]
            await asyncio.sleep(0)
            other = asyncio.create_task(hold(queue, "other", [], "o"))  # the flood's newest loses its place
            await asyncio.sleep(0)
            flood[1].cancel()
            await asyncio.gather(flood[1], return_exceptions=True)
        await asyncio.gather(flood[0], other)
        await asyncio.gather(work(0), work(1), return_exceptions=True)
        return most

    assert asyncio.run(main()) == 1
