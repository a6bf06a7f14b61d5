"""Redrives and discards letters: chooses them, carries out the action for each, and returns the outcomes."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaConsumer
from msgspec import Struct

from runtime.dlq.actions import Action, NoAction, RequestScan, WriteBack, action_of, already_closed, settled
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
    """The outcome for a letter. `does`: write_back, rescan, discard, or nothing (`why` gives the reason); `to`: its target;
    `done`: carried out, not only planned; `settled`: the letter needs no further action."""

    letter: int
    does: str
    to: str
    why: str
    done: bool
    settled: bool


@dataclass(frozen=True, slots=True)
class RedriveRequest:
    """Which letters to handle, and for whom. `offsets` None: all open letters. `execute`: carry it out; else only plan.
    `by`: who requests it, shown to people; `source`: the requesting program, as in event headers (`urn:catalogizer:…`)."""

    topic: Topic
    offsets: tuple[int, ...] | None
    execute: bool
    by: str
    source: str


async def redrive(kafka: Kafka, request: RedriveRequest, points: Points = nowhere) -> list[Outcome]:
    """Write records back and request scans. Raises NoLetter for an offset without a letter, NotProvisioned,
    LedgerTaken, QueueSilent, KafkaError; what was committed before the error stays, and a retry does not repeat it."""
    async with _view(kafka, request, points) as view:
        chosen = _chosen(view.letters, request, kafka)
        actions: list[Action] = []
        origins: dict[Origin, int] = {}
        async for one in _actions(kafka, request.topic, view.consumer, chosen):
            one = _once(one, origins)
            if isinstance(one, WriteBack) and view.ledger is not None:
                await _write_back(view.ledger, one)
            actions.append(_light(one))
        if view.ledger is not None:
            await _request_scans(
                kafka, view.ledger, request, [one for one in actions if isinstance(one, RequestScan)]
            )
        return [_outcome(one, request.execute) for one in sorted(actions, key=lambda one: one.letter.offset)]


async def discard(kafka: Kafka, request: RedriveRequest, reason: str, points: Points = nowhere) -> list[Outcome]:
    """Close letters without doing anything about their records. Raises as `redrive`."""
    async with _view(kafka, request, points) as view:
        outcomes = []
        for letter in _chosen(view.letters, request, kafka):
            if letter.closed is not None:
                outcomes.append(_outcome(already_closed(letter), request.execute))
                continue
            if view.ledger is not None:
                await view.ledger.close([letter], "discarded", reason)
            outcomes.append(
                Outcome(letter.offset, "discard", "", "", done=request.execute, settled=request.execute)
            )
        return outcomes


@dataclass(frozen=True, slots=True)
class _View:
    """A queue's letters. `ledger`: only if the request is to be carried out."""

    consumer: AIOKafkaConsumer
    letters: list[Letter]
    ledger: Ledger | None


@asynccontextmanager
async def _view(kafka: Kafka, request: RedriveRequest, points: Points) -> AsyncIterator[_View]:
    if request.execute:
        async with opened(kafka, request.topic, request.by, points) as ledger:
            yield _View(ledger.consumer, ledger.letters, ledger)
    else:
        async with reader(kafka) as consumer:
            yield _View(consumer, await queue(consumer, place_of(kafka, request.topic)), None)


def _chosen(letters: Sequence[Letter], request: RedriveRequest, kafka: Kafka) -> list[Letter]:
    if request.offsets is None:
        return [letter for letter in letters if letter.closed is None]
    found = {letter.offset: letter for letter in letters}
    for offset in request.offsets:
        if offset not in found:
            raise NoLetter(kafka.name(dlq_of(request.topic)), offset)
    return [found[offset] for offset in sorted(set(request.offsets))]


async def _actions(
    kafka: Kafka, topic: Topic, consumer: AIOKafkaConsumer, chosen: Sequence[Letter]
) -> AsyncIterator[Action]:
    name = kafka.name(topic)
    partitions = len(await partitions_of(consumer, name))
    open_ = []
    for letter in chosen:
        if (done := settled(letter)) is not None:
            yield done
        else:
            open_.append(letter)
    async for letter in whole(consumer, place_of(kafka, topic), open_):
        yield action_of(letter, topic, name, partitions)


def _once(one: Action, origins: dict[Origin, int]) -> Action:
    """A record with two letters, because two stages could not process it, is written back once."""
    origin = one.letter.origin
    if not isinstance(one, WriteBack) or origin is None:
        return one
    first = origins.setdefault(origin, one.letter.offset)
    if first == one.letter.offset:
        return one
    return NoAction(one.letter, f"the same record as letter {first}", is_settled=True)


def _light(one: Action) -> Action:
    return replace(one, letter=replace(one.letter, value=None))


async def _write_back(ledger: Ledger, one: WriteBack) -> None:
    letter = one.letter
    record = Deliverable(one.origin.topic, one.origin.partition, letter.key, letter.value, letter.headers)
    await ledger.close([letter], "redriven", "", [record])


async def _request_scans(
    kafka: Kafka, ledger: Ledger, request: RedriveRequest, scans: Sequence[RequestScan]
) -> None:
    """Request one scan for all letters of a root. It publishes everything again, not only differences from the producer's
    index: those would not include what the fold has lost."""
    together: dict[str, list[Letter]] = {}
    for scan in scans:
        together.setdefault(scan.root, []).append(scan.letter)
    for root, letters in together.items():
        many = f"{len(letters)} dead letters" if len(letters) > 1 else f"dead letter {letters[0].offset}"
        command = RescanRoot(
            id=secrets.token_hex(8),
            root=root,
            by=request.by,
            at=now_iso(),
            reason=f"redrive of {many}",
            again=True,
        )
        headers = event_headers(
            id=command.id,
            type=str(command.__struct_config__.tag),
            source=request.source,
            time=command.at,
            subject=root,
        )
        record = Deliverable(kafka.name(CONTROL), 0, root.encode(), encode(command), headers)
        await ledger.close(letters, "rescan_asked", f"scan {command.id}", [record])


def _outcome(one: Action, executed: bool) -> Outcome:
    offset = one.letter.offset
    match one:
        case WriteBack(_, origin):
            to = f"{origin.topic}:{origin.partition}"
            return Outcome(offset, "write_back", to, "", done=executed, settled=executed)
        case RequestScan(_, root):
            return Outcome(offset, "rescan", root, "", done=executed, settled=executed)
        case NoAction(_, why, is_settled):
            return Outcome(offset, "nothing", "", why, done=False, settled=is_settled)
