"""Groups of which nobody reads some partition, although their members subscribe to its topic.

A static member that restarts within its session gets its former assignment, and nobody looks at the topics (KIP-345). Where
a topic was missing when that assignment was made, because it was deleted and created again, its partitions would be read by
nobody until the next rebalance. So a worker looks once it has joined its groups, and has such a group assign anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import KafkaError

from runtime import log
from runtime.kafka import Kafka

STABLE = "Stable"

_log = log.get(__name__)


async def cover(kafka: Kafka, groups: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
    """Look once; `groups`: how to join each of them again. Raises nothing."""
    try:
        lacking = await uncovered(kafka, groups)
        for group in lacking:
            _log.warning("partitions that nobody reads: the group assigns anew", group=group)
            await groups[group]()
    except (KafkaError, OSError, TimeoutError) as error:
        _log.warning("groups not looked at", error=repr(error))


async def uncovered(kafka: Kafka, groups: Iterable[str]) -> list[str]:
    """Those of the groups. One that rebalances is not among them: it is about to assign anew. Raises KafkaError."""
    admin = kafka.admin()
    await admin.start()
    try:
        topics = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics()}
        # one at a time: aiokafka 0.14 cannot read an answer about several
        answers = [answer for group in groups for answer in await admin.describe_consumer_groups([group])]
    finally:
        await admin.close()
    return [
        group
        for answer in answers
        for _, group, state, _, _, members, *_ in answer.groups
        if state == STABLE and _lacks(members, topics)
    ]


def _lacks(members: Iterable[tuple[Any, ...]], topics: Mapping[str, int]) -> bool:
    wanted: set[tuple[str, int]] = set()
    for _, _, _, metadata, assignment in members:
        if metadata and assignment:
            subscribed = ConsumerProtocol.METADATA.decode(metadata).subscription
            wanted |= {(topic, partition) for topic in subscribed for partition in range(topics.get(topic, 0))}
    for *_, assignment in members:
        if assignment:
            wanted -= {tuple(place) for place in ConsumerProtocol.ASSIGNMENT.decode(assignment).partitions()}
    return bool(wanted)
