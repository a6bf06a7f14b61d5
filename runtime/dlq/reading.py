"""Reads dead letter queues without a consumer group and without changing anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing
from dataclasses import replace

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.dlq.errors import QueueSilent
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import bounds, partitions_of, reader, stretch
from schemas.dead_letters import Letter, Mark, closed, parse
from schemas.places import Offset
from schemas.topics import GUARDED, Topic, dlq_of

GLANCE = 5_000
"""How many of the newest offsets of a queue `glance` reads."""
SILENCE_SECONDS = 30.0


def place_of(kafka: Kafka, topic: Topic) -> TopicPartition:
    """The one partition of a topic's queue."""
    return TopicPartition(kafka.name(dlq_of(topic)), 0)


async def queue(consumer: AIOKafkaConsumer, place: TopicPartition, end: Offset | None = None) -> list[Letter]:
    """All letters of a queue without their values, in order. `end`: where to stop; default: the present end. Raises
    NotProvisioned, KafkaError, QueueSilent."""
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
    """Read these letters again with their values, in order."""
    marks = {letter.offset: letter.closed for letter in wanted}
    if not marks:
        return
    async for found in _parsed(consumer, place, Offset(min(marks)), Offset(max(marks) + 1)):
        if found.offset in marks and isinstance(found, Letter):
            yield replace(found, closed=marks[found.offset])


async def _parsed(
    consumer: AIOKafkaConsumer, place: TopicPartition, begin: Offset, end: Offset
) -> AsyncIterator[Letter | Mark]:
    """The parsed records of a range of a queue. Waits for a transaction that is open below `end`; its time-out ends it."""
    async with aclosing(stretch(consumer, {place: begin}, {place: end})) as batches:
        while True:
            try:
                records = await asyncio.wait_for(anext(batches, None), SILENCE_SECONDS)
            except TimeoutError:
                raise QueueSilent(place.topic, SILENCE_SECONDS) from None
            if records is None:
                return
            for record in records:
                yield parse(record)


async def queues(
    kafka: Kafka, topics: Collection[Topic] = GUARDED, reach: int | None = None
) -> dict[Topic, list[Letter]]:
    """The letters of the queues that exist. `reach`: read only this many of the newest offsets of each; None: all. If the
    mark that closes a letter lies outside that range, the letter is returned as open. Raises KafkaError, QueueSilent."""
    found: dict[Topic, list[Letter]] = {}
    async with reader(kafka) as consumer:
        there = await consumer.topics()
        for topic in topics:
            place = place_of(kafka, topic)
            if place.topic not in there:
                continue
            await partitions_of(consumer, place.topic)
            within = await bounds(consumer, [place])
            begin, end = within.earliest[place], within.end[place]
            if reach is not None:
                begin = Offset(max(begin, end - reach))
            found[topic] = await _letters(consumer, place, begin, end)
    return found


async def letters_of(kafka: Kafka, topic: Topic) -> list[Letter]:
    """The letters of one queue. Raises NotProvisioned, KafkaError, QueueSilent."""
    found = await queues(kafka, (topic,))
    if topic not in found:
        raise NotProvisioned(place_of(kafka, topic).topic)
    return found[topic]


async def letter_at(kafka: Kafka, topic: Topic, offset: int) -> Letter | None:
    """One letter with its value. Raises NotProvisioned, KafkaError, QueueSilent."""
    async with reader(kafka) as consumer:
        place = place_of(kafka, topic)
        wanted = [letter for letter in await queue(consumer, place) if letter.offset == offset]
        async for letter in whole(consumer, place, wanted):
            return letter
    return None


async def glance(kafka: Kafka) -> dict[str, int]:
    """How many open letters the newest part of each queue has, by topic; topics without any are left out."""
    found = {
        topic.name: sum(letter.closed is None for letter in letters)
        for topic, letters in (await queues(kafka, reach=GLANCE)).items()
    }
    return {name: count for name, count in found.items() if count}
