"""Reading dead letter queues, without changing anything and without anybody noticing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing
from dataclasses import replace

from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.errors import LogSilent
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import bounds, partitions_of, reader, stretch
from schemas.dead_letters import Letter, Mark, closed, parse
from schemas.places import Offset
from schemas.topics import GUARDED, Topic, dlq_of

GLANCE = 5_000
"""So many offsets of a queue are read to say that there is something in it."""
SILENCE_SECONDS = 30.0


def place_of(kafka: Kafka, topic: Topic) -> TopicPartition:
    """The one partition of a topic's queue."""
    return TopicPartition(kafka.name(dlq_of(topic)), 0)


async def queue(consumer: AIOKafkaConsumer, place: TopicPartition, end: Offset | None = None) -> list[Letter]:
    """All letters of a queue without their values, in their order. `end`: up to where; else as it is now. Raises
    NotProvisioned, KafkaError, LogSilent."""
    await partitions_of(consumer, place.topic)
    within = await bounds(consumer, [place])
    return await _letters(consumer, place, within.earliest[place], end or within.end[place])


async def _letters(consumer: AIOKafkaConsumer, place: TopicPartition, begin: Offset, end: Offset) -> list[Letter]:
    letters: list[Letter] = []
    marks: list[Mark] = []
    async for found in _parsed(consumer, place, begin, end):
        if isinstance(found, Mark):
            marks.append(found)
        else:
            letters.append(replace(found, value=None))
    return closed(letters, marks)


async def whole(
    consumer: AIOKafkaConsumer, place: TopicPartition, wanted: Collection[Letter]
) -> AsyncIterator[Letter]:
    """These letters again, with their values, one after another in their order."""
    marks = {letter.offset: letter.closed for letter in wanted}
    if not marks:
        return
    async for found in _parsed(consumer, place, Offset(min(marks)), Offset(max(marks) + 1)):
        if found.offset in marks and isinstance(found, Letter):
            yield replace(found, closed=marks[found.offset])


async def _parsed(
    consumer: AIOKafkaConsumer, place: TopicPartition, begin: Offset, end: Offset
) -> AsyncIterator[Letter | Mark]:
    """A stretch of a queue. A transaction that is open below `end` is waited for; its time-out ends it."""
    async with aclosing(stretch(consumer, {place: begin}, {place: end})) as batches:
        while True:
            try:
                records = await asyncio.wait_for(anext(batches, None), SILENCE_SECONDS)
            except TimeoutError:
                raise LogSilent(SILENCE_SECONDS) from None
            if records is None:
                return
            for record in records:
                yield parse(record)


async def queues(kafka: Kafka, topics: Collection[Topic] = GUARDED) -> dict[Topic, list[Letter]]:
    """The letters of the queues that are there. Raises KafkaError, LogSilent."""
    found: dict[Topic, list[Letter]] = {}
    async with reader(kafka) as consumer:
        there = await consumer.topics()
        for topic in topics:
            place = place_of(kafka, topic)
            if place.topic in there:
                found[topic] = await queue(consumer, place)
    return found


async def letters_of(kafka: Kafka, topic: Topic) -> list[Letter]:
    """The letters of one queue. Raises NotProvisioned, KafkaError, LogSilent."""
    found = await queues(kafka, (topic,))
    if topic not in found:
        raise NotProvisioned(place_of(kafka, topic).topic)
    return found[topic]


async def letter_at(kafka: Kafka, topic: Topic, offset: int) -> Letter | None:
    """One letter with its value. Raises NotProvisioned, KafkaError, LogSilent."""
    async with reader(kafka) as consumer:
        place = place_of(kafka, topic)
        wanted = [letter for letter in await queue(consumer, place) if letter.offset == offset]
        async for letter in whole(consumer, place, wanted):
            return letter
    return None


async def glance(kafka: Kafka) -> dict[str, int]:
    """How many open letters the newest part of each queue has, by topic; only of those that have some. An empty queue, as
    all should be, costs one question for all of them."""
    found: dict[str, int] = {}
    async with reader(kafka) as consumer:
        there = await consumer.topics()
        places = {topic.name: place_of(kafka, topic) for topic in GUARDED}
        for name, place in places.items():
            if place.topic not in there:
                continue
            await partitions_of(consumer, place.topic)
            within = await bounds(consumer, [place])
            begin = Offset(max(within.earliest[place], within.end[place] - GLANCE))
            letters = await _letters(consumer, place, begin, within.end[place])
            if count := sum(letter.closed is None for letter in letters):
                found[name] = count
    return found
