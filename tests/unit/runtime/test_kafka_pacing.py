"""Requests that fail at once are paused between, and those that do not are never delayed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import NodeNotReadyError
from aiokafka.structs import PartitionMetadata

from runtime.chunked_records import deliver_chunks
from runtime.kafka_pacing import (
    FAST_FETCH_SECONDS,
    FREE_ANSWERS,
    FREE_REQUESTS,
    LONGEST_PAUSE_SECONDS,
    paced_fetch,
    paced_metadata,
    pause_seconds,
)


def test_the_first_requests_have_no_pause_and_later_ones_double_up_to_the_longest() -> None:
    pauses = [pause_seconds(number) for number in range(FREE_REQUESTS + 6)]
    assert pauses == [0.0] * FREE_REQUESTS + [0.05, 0.1, 0.2, 0.4, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    assert pause_seconds(10**9) == LONGEST_PAUSE_SECONDS


async def requests_within(seconds: float, request: Callable[..., Awaitable[Any]], *arguments: Any) -> int:
    """How many are sent by a caller that sends the next one at once."""
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        await request(*arguments)
        count += 1
    return count


def test_metadata_that_never_helps_is_requested_some_times_a_second() -> None:
    async def request(*_: Any) -> bool:
        return False

    assert (
        asyncio.run(requests_within(1.5, paced_metadata(request), ClusterMetadata(), ["t"])) <= FREE_REQUESTS + 7
    )


@pytest.mark.parametrize("leader", [-1, None])
def test_metadata_without_a_leader_or_a_topic_does_not_help_either(leader: int | None) -> None:
    async def request(metadata: ClusterMetadata, _: Any) -> bool:
        metadata._partitions = (
            {} if leader is None else {"t": {0: PartitionMetadata("t", 0, leader, [], [], None)}}
        )
        return True

    assert (
        asyncio.run(requests_within(1.5, paced_metadata(request), ClusterMetadata(), ["t"])) <= FREE_REQUESTS + 7
    )


def test_who_looks_at_many_topics_does_not_wait_and_who_never_ends_does() -> None:
    async def request(metadata: ClusterMetadata, topics: list[str]) -> bool:
        metadata._partitions = {topic: {0: PartitionMetadata(topic, 0, 1, [1], [1], None)} for topic in topics}
        return True

    async def main() -> float:
        paced, metadata, began = paced_metadata(request), ClusterMetadata(), time.monotonic()
        for number in range(FREE_ANSWERS):
            await paced(metadata, [f"t{number}"])
        seconds = time.monotonic() - began
        assert await requests_within(1.5, paced, metadata, ["t"]) <= FREE_REQUESTS + 8
        return seconds

    assert asyncio.run(main()) < pause_seconds(FREE_REQUESTS)


@pytest.mark.parametrize(("fetched", "seconds"), [(True, 0.0), (False, FAST_FETCH_SECONDS)])
def test_fetches_that_return_records_or_were_held_by_the_broker_are_not_delayed(
    fetched: bool, seconds: float
) -> None:
    async def fetch(*_: Any) -> bool:
        await asyncio.sleep(seconds)
        return fetched

    count = 3 * FREE_REQUESTS
    paced = paced_fetch(fetch)

    async def all_of_them() -> float:
        began = time.monotonic()
        for _ in range(count):
            assert await paced(None, 1, None) is fetched
        return time.monotonic() - began - count * seconds

    assert asyncio.run(all_of_them()) < count * pause_seconds(FREE_REQUESTS)


def test_fetches_that_fail_at_once_are_paused_for_each_node_by_itself() -> None:
    nodes: list[int] = []

    async def fetch(_assignment: Any, node: int, _request: Any) -> bool:
        nodes.append(node)
        return False

    paced = paced_fetch(fetch)

    async def main() -> None:
        await requests_within(1.0, paced, None, 1, None)
        for _ in range(FREE_REQUESTS - 1):
            began = time.monotonic()
            await paced(None, 2, None)
            assert time.monotonic() - began < pause_seconds(FREE_REQUESTS)

    asyncio.run(main())
    assert nodes.count(1) <= FREE_REQUESTS + 6


def test_a_consumer_whose_batches_are_handed_over_is_paced_too() -> None:
    class Unreachable:
        async def send(self, *_: Any) -> None:
            raise NodeNotReadyError

    # what a fetch that fails at once needs of a fetcher, and nothing that runs by itself
    fetcher = Fetcher.__new__(Fetcher)
    fetcher._client, fetcher._retry_backoff, fetcher._preferred_read_replica = Unreachable(), 0, {}
    deliver_chunks(SimpleNamespace(_fetcher=fetcher), lambda _place, _batch: iter(()))
    request = SimpleNamespace(topics=[])
    count = asyncio.run(requests_within(1.0, fetcher._proc_fetch_request, None, 1, request))
    assert count <= FREE_REQUESTS + 6


def test_a_pause_ends_with_its_consumer() -> None:
    async def fetch(*_: Any) -> bool:
        return False

    async def main() -> bool:
        paced = paced_fetch(fetch)
        for _ in range(FREE_REQUESTS + 9):
            task = asyncio.ensure_future(paced(None, 1, None))
            await asyncio.sleep(0)
            task.cancel()
        return await task

    began = time.monotonic()
    assert asyncio.run(main()) is False
    assert time.monotonic() - began < LONGEST_PAUSE_SECONDS
