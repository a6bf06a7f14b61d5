"""Kafka clients that leave brokers alone for a moment when these answer at once that they cannot serve.

aiokafka 0.14 requests metadata again as soon as an answer names no leader for a partition that it reads or writes, and
fetches again as soon as a broker answers that it is not the leader (its issue 1155): while a partition has no leader, its
topic was deleted or no broker can be reached, each consumer keeps a processor busy and sends the brokers as many requests
as the network carries. Kafka's own clients pause between such requests (`retry.backoff.ms`, 100 ms, to
`retry.backoff.max.ms`, 1 s).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata

FREE_REQUESTS = 5
"""Requests without a pause: a client that starts or changes its topics sends some, and so does one whose leader moves."""
FREE_ANSWERS = 100
"""The same if they are answered and nothing is missing: whoever looks at many topics sends one for each."""
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.5
CALM_SECONDS = 1.0
"""After such a time without a request for metadata, the next one does not belong to those before."""
FAST_FETCH_SECONDS = 0.1
"""A broker holds a fetch for `fetch.max.wait.ms` (500 ms) if there is nothing to return. One that returns nothing in less
time has failed, or has returned only transaction markers, which a few fetches in a row may."""


def pause_seconds(requests: int) -> float:
    """The pause before the next request after so many in a row: none at first, then doubled up to the longest."""
    doublings = requests - FREE_REQUESTS
    if doublings < 0:
        return 0.0
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(doublings, 10))


class PacedConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """A consumer that pauses between failing requests."""

    def __init__(self, *topics: str, **options: Any) -> None:
        super().__init__(*topics, **options)
        pace_metadata(self._client)

    async def start(self) -> None:
        """Connect, and begin to fetch."""
        await super().start()
        if self._fetcher is not None:
            self._fetcher._proc_fetch_request = paced_fetch(self._fetcher._proc_fetch_request)


class PacedProducer(AIOKafkaProducer):  # type: ignore[misc]
    """A producer that pauses between failing requests for metadata. aiokafka itself pauses between attempts to produce."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        pace_metadata(self.client)


def pace_metadata(client: AIOKafkaClient) -> None:
    """Pause between requests for metadata that fail and follow each other within CALM_SECONDS."""
    client._metadata_update = paced_metadata(client._metadata_update)


def paced_metadata(
    request: Callable[[ClusterMetadata, Any], Awaitable[bool]],
) -> Callable[[ClusterMetadata, Any], Awaitable[bool]]:
    """The same request, with pauses."""
    in_a_row, failed, ended = 0, 0, float("-inf")

    async def paced(metadata: ClusterMetadata, topics: Collection[str] | None) -> bool:
        nonlocal in_a_row, failed, ended
        if time.monotonic() - ended >= CALM_SECONDS:
            in_a_row = failed = 0
        await asyncio.sleep(pause_seconds(max(failed, in_a_row - FREE_ANSWERS)))
        in_a_row, failed = in_a_row + 1, failed + 1
        try:
            if (updated := await request(metadata, topics)) and not _lacks(metadata, topics or ()):
                failed = 0
            return updated
        finally:
            ended = time.monotonic()

    return paced


def _lacks(metadata: ClusterMetadata, topics: Collection[str]) -> bool:
    """Whether a topic is missing, or a partition has no leader."""
    return any(
        not (partitions := metadata.partitions_for_topic(topic))
        or len(partitions) > len(metadata.available_partitions_for_topic(topic) or ())
        for topic in topics
    )


def paced_fetch(
    fetch: Callable[[Any, int, Any], Awaitable[bool]],
) -> Callable[[Any, int, Any], Awaitable[bool]]:
    """The same fetch, which returns whether there are records; its end is delayed after several in a row that returned
    none at once. The next fetch from a node begins when the one before has ended."""
    in_a_row: dict[int, int] = {}

    async def paced(assignment: Any, node: int, request: Any) -> bool:
        began = time.monotonic()
        fetched = await fetch(assignment, node, request)
        if fetched or time.monotonic() - began >= FAST_FETCH_SECONDS:
            in_a_row[node] = 0
        else:
            in_a_row[node] = in_a_row.get(node, 0) + 1
            # cancelled at the end of the consumer or of its assignment, where aiokafka's own function returns, too
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(pause_seconds(in_a_row[node]))
        return fetched

    return paced
