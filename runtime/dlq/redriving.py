"""Redriving and discarding letters: which, what is done about each, and what became of it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaConsumer
from msgspec import Struct

from runtime.dlq.deeds import AskScan, Deed, NoDeed, WriteBack, deed, settled, settled_word
from runtime.dlq.errors import NoLetter
from runtime.dlq.ledger import Deliverable, Ledger, Points, nowhere, opened
from runtime.dlq.reading import place_of, queue, whole
from runtime.kafka import Kafka
from runtime.log_reading import partitions_of, reader
from runtime.reports import now_iso
from schemas.admin import RescanRoot
from schemas.codec import encode
from schemas.dead_letters import Letter, Origin
from schemas.headers import event_headers
from schemas.topics import CONTROL, Topic, dlq_of


class Outcome(Struct, frozen=True):
    """What is done about a letter. `does`: write_back, rescan, discard, or nothing, then `why`; `to`: where it goes;
    `done`: it is done, not only planned; `settled`: the letter needs nothing any more."""

    letter: int
    does: str
    to: str
    why: str
    done: bool
    settled: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """Which letters, and by whom. `offsets` None: all open letters. `execute`: do it; else only tell. `by`: who asks, for
    people; `source`: the program that does it, as events name it (`urn:catalogizer:…`)."""

    topic: Topic
    offsets: tuple[int, ...] | None
    execute: bool
    by: str
    source: str


async def redrive(kafka: Kafka, asked: Asked, points: Points = nowhere) -> list[Outcome]:
    """Give records back, ask for scans. Raises NoLetter for an offset at which none is, NotProvisioned,
    LedgerTaken, QueueSilent, KafkaError; what was done before is done, and is not repeated when asked again."""
    async with _view(kafka, asked, points) as view:
        chosen = _chosen(view.letters, asked, kafka)
        deeds: list[Deed] = []
        origins: dict[Origin, int] = {}
        async for one in _deeds(kafka, asked.topic, view.consumer, chosen):
            one = _once(one, origins)
            if isinstance(one, WriteBack) and view.ledger is not None:
                await _write_back(view.ledger, one)
            deeds.append(_light(one))
        if view.ledger is not None:
            await _ask_scans(kafka, view.ledger, asked, [one for one in deeds if isinstance(one, AskScan)])
        return [_outcome(one, asked.execute) for one in sorted(deeds, key=lambda one: one.letter.offset)]


async def discard(kafka: Kafka, asked: Asked, reason: str, points: Points = nowhere) -> list[Outcome]:
    """Close letters without doing anything about their records. Raises as `redrive`."""
    async with _view(kafka, asked, points) as view:
        outcomes = []
        for letter in _chosen(view.letters, asked, kafka):
            if letter.closed is not None:
                outcomes.append(_outcome(settled_word(letter), asked.execute))
                continue
            if view.ledger is not None:
                await view.ledger.close([letter], "discarded", reason)
            outcomes.append(Outcome(letter.offset, "discard", "", "", done=asked.execute, settled=asked.execute))
        return outcomes


@dataclass(frozen=True, slots=True)
class _View:
    """`ledger`: only where something is to be done."""

    consumer: AIOKafkaConsumer
    letters: list[Letter]
    ledger: Ledger | None


@asynccontextmanager
async def _view(kafka: Kafka, asked: Asked, points: Points) -> AsyncIterator[_View]:
    if asked.execute:
        async with opened(kafka, asked.topic, asked.by, points) as ledger:
            yield _View(ledger.consumer, ledger.letters, ledger)
    else:
        async with reader(kafka) as consumer:
            yield _View(consumer, await queue(consumer, place_of(kafka, asked.topic)), None)


def _chosen(letters: Sequence[Letter], asked: Asked, kafka: Kafka) -> list[Letter]:
    if asked.offsets is None:
        return [letter for letter in letters if letter.closed is None]
    found = {letter.offset: letter for letter in letters}
    for offset in asked.offsets:
        if offset not in found:
            raise NoLetter(kafka.name(dlq_of(asked.topic)), offset)
    return [found[offset] for offset in sorted(set(asked.offsets))]


async def _deeds(
    kafka: Kafka, topic: Topic, consumer: AIOKafkaConsumer, chosen: Sequence[Letter]
) -> AsyncIterator[Deed]:
    name = kafka.name(topic)
    partitions = len(await partitions_of(consumer, name))
    open_ = []
    for letter in chosen:
        if (done := settled(letter)) is not None:
            yield done
        else:
            open_.append(letter)
    async for letter in whole(consumer, place_of(kafka, topic), open_):
        yield deed(letter, topic, name, partitions)


def _once(one: Deed, origins: dict[Origin, int]) -> Deed:
    """A record that has two letters, for two stages could not process it, goes back once."""
    origin = one.letter.origin
    if not isinstance(one, WriteBack) or origin is None:
        return one
    first = origins.setdefault(origin, one.letter.offset)
    if first == one.letter.offset:
        return one
    return NoDeed(one.letter, f"the same record as letter {first}", is_settled=True)


def _light(one: Deed) -> Deed:
    return replace(one, letter=replace(one.letter, value=None))


async def _write_back(ledger: Ledger, one: WriteBack) -> None:
    letter = one.letter
    record = Deliverable(one.origin.topic, one.origin.partition, letter.key, letter.value, letter.headers)
    await ledger.close([letter], "redriven", "", [record])


async def _ask_scans(kafka: Kafka, ledger: Ledger, asked: Asked, scans: Sequence[AskScan]) -> None:
    """One scan for all letters of a root. It tells everything again: what differs from what the producer has told is not
    what the fold has lost."""
    together: dict[str, list[Letter]] = {}
    for scan in scans:
        together.setdefault(scan.root, []).append(scan.letter)
    for root, letters in together.items():
        many = f"{len(letters)} dead letters" if len(letters) > 1 else f"dead letter {letters[0].offset}"
        command = RescanRoot(
            id=secrets.token_hex(8), root=root, by=asked.by, at=now_iso(), reason=f"redrive of {many}", again=True
        )
        headers = event_headers(
            id=command.id,
            type=str(command.__struct_config__.tag),
            source=asked.source,
            time=command.at,
            subject=root,
        )
        record = Deliverable(kafka.name(CONTROL), 0, root.encode(), encode(command), headers)
        await ledger.close(letters, "rescan_asked", f"scan {command.id}", [record])


def _outcome(one: Deed, executed: bool) -> Outcome:
    offset = one.letter.offset
    match one:
        case WriteBack(_, origin):
            to = f"{origin.topic}:{origin.partition}"
            return Outcome(offset, "write_back", to, "", done=executed, settled=executed)
        case AskScan(_, root):
            return Outcome(offset, "rescan", root, "", done=executed, settled=executed)
        case NoDeed(_, why, is_settled):
            return Outcome(offset, "nothing", "", why, done=False, settled=is_settled)
