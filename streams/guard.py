"""The guard around every agent's body. Without it, Faust would move past an event whatever its outcome.

An event is left only when its outputs are confirmed, or when it is in its topic's dead letter queue. How often it is tried
depends on the error's class (`RETRIES`): without limit while Kafka is unavailable (`streams.watch` notices that),
because the event is not at fault; a few times, within a few seconds, for errors that may be temporary; not again for
any other error. If not even the dead letter can be written, the process ends.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Any, Protocol, Self

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from runtime import log
from runtime.lifecycle import end_hard
from runtime.log_fields import processing
from runtime.rights import REFUSED
from runtime.waits import EVENT
from streams.confirmed import NotConfirmed

_log = log.get(__name__)


class Fault(Enum):
    """Classes of errors."""

    AWAY = auto()
    """Kafka does not answer, or denies a permission: NotConfirmed that is retryable or `refused`, Kafka's own errors
    that are retriable or about permissions, a time-out."""
    PASSING = auto()
    """One of ours that is `retryable`."""
    LASTING = auto()
    """Anything else: an invalid record, a permanent rejection by Kafka, a bug in the program."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often an event is tried. `seconds`: from the beginning of the first attempt that failed so; no attempt begins
    after that."""

    attempts: int
    seconds: float


RETRIES: Mapping[Fault, Retry | None] = {
    Fault.AWAY: None,
    Fault.PASSING: Retry(attempts=4, seconds=3.0),
    Fault.LASTING: Retry(attempts=1, seconds=0.0),
}
"""None: without limit. So a poison record delays the next good one by less than 5 s, if an attempt takes less than 2
s."""


@dataclass(frozen=True, slots=True)
class Received:
    """A record as it was read, its bytes unchanged. `timestamp`: append time, ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def received(message: Any) -> Received:
    """A Faust message as a record."""
    headers = message.headers.items() if isinstance(message.headers, dict) else message.headers or ()
    return Received(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp=round(message.timestamp * 1000),
        key=message.key,
        value=message.value,
        headers=tuple(headers),
    )


def received_plain(record: ConsumerRecord) -> Received:
    """A record from a consumer of our own."""
    return Received(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value,
        tuple(record.headers),
    )  # fmt: skip


class Letters(Protocol):
    """The destination of events that cannot be processed (`runtime.dead_letters`)."""

    async def put(self, record: Received, error: Exception, attempt: int = 1) -> None:
        """Write a dead letter; returns only when it is written."""
        ...


class Guard:
    """Runs bodies so that each ends with confirmed outputs or with a dead letter. `pause_seconds`: before the second
    attempt; `times`: the append time of the record that was left last, by partition, ms."""

    def __init__(
        self,
        letters: Letters,
        *,
        pause_seconds: float = EVENT.first,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._letters = letters
        self._pause_seconds = pause_seconds
        self._clock = clock
        self.times: dict[TopicPartition, int] = {}

    async def run(self, record: Received, body: Callable[[], Awaitable[None]]) -> None:
        """Returns when the event may be left. Raises nothing but cancellation."""
        with processing(record):
            await self._run(record, body)
        self.times[TopicPartition(record.topic, record.partition)] = record.timestamp

    async def _run(self, record: Received, body: Callable[[], Awaitable[None]]) -> None:
        attempt, pause, first = 1, self._pause_seconds, None
        while True:
            began = self._clock()
            try:
                await body()
                return
            except Exception as error:  # noqa: BLE001 - an agent's outermost loop: anything else loses the event
                retry = RETRIES[fault_of(error)]
                if retry is not None:
                    if first is None:
                        first, pause = began, self._pause_seconds
                    if attempt >= retry.attempts or self._clock() + pause > first + retry.seconds:
                        await self._letters.put(record, error, attempt)
                        return
                _log.warning("trying again", error=repr(error))
            attempt += retry is not None
            await asyncio.sleep(pause)
            pause = min(2 * pause, EVENT.longest)


def fault_of(error: Exception) -> Fault:
    """The class of an error."""
    match error:
        case TimeoutError():
            return Fault.AWAY
        case NotConfirmed():
            return Fault.AWAY if error.retryable or error.refused else Fault.LASTING
        case KafkaError():
            return Fault.AWAY if error.retriable or isinstance(error, REFUSED) else Fault.LASTING
    return Fault.PASSING if getattr(error, "retryable", False) else Fault.LASTING


class Window:
    """Limits how many events are in work at once. They are left strictly in the order in which they came, because Faust
    commits past anything unfinished below the highest one left. Leaving the context cancels what is in work: those
    events are delivered again."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._inside: deque[tuple[asyncio.Task[None], Callable[[], object]]] = deque()
        self._room = asyncio.Event()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        tasks = [task for task, _ in self._inside]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def admit(self, work: Coroutine[Any, Any, None], leave: Callable[[], object]) -> None:
        """Wait for room and start the work of an event. `leave` is called when this event and all before it are done.
        `work` must not raise."""
        task = asyncio.create_task(work)
        self._inside.append((task, leave))
        task.add_done_callback(self._done)
        while len(self._inside) >= self._size:
            self._room.clear()
            await self._room.wait()

    def _done(self, task: asyncio.Task[None]) -> None:
        if self._closed:
            return
        if task.cancelled():  # from elsewhere: this event is not done, so none after it may be left
            self._closed = True
            return
        if (error := task.exception()) is not None:
            end_hard(f"an agent's body raised: {error!r}")
        while self._inside and self._inside[0][0].done():
            self._inside.popleft()[1]()
        self._room.set()
