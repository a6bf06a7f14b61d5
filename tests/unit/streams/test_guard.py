"""An event is left when what it caused is done, in the order of the log; what cannot be done goes to its queue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    TopicAuthorizationFailedError,
)

from runtime.waits import EVENT
from schemas.errors import Undecodable
from streams.confirmed import NotConfirmed
from streams.guard import RETRIES, Fault, Guard, Received, Window, fault_of

PASSING = RETRIES[Fault.PASSING]
assert PASSING is not None
ATTEMPTS = PASSING.attempts
RECORD = Received("catalog.analysis.jobs.v1", 0, 7, 1, b"k", b"v", ())


class Passing(Exception):
    """Goes away by itself."""

    retryable = True


class Letters:
    """The port of the dead letters, kept in memory."""

    def __init__(self) -> None:
        self.put_records: list[tuple[Received, str, int]] = []

    async def put(self, record: Received, error: Exception, attempt: int = 1) -> None:
        self.put_records.append((record, repr(error), attempt))


def guarded(body: Callable[[], Awaitable[None]]) -> list[tuple[Received, str, int]]:
    letters = Letters()
    asyncio.run(Guard(letters, pause_seconds=0).run(RECORD, body))
    return letters.put_records


def failing(errors: list[Exception]) -> Callable[[], Awaitable[None]]:
    async def body() -> None:
        if errors:
            raise errors.pop(0)

    return body


def test_what_succeeds_leaves_no_letter() -> None:
    assert guarded(failing([])) == []


def test_what_may_pass_is_tried_again() -> None:
    assert guarded(failing([Passing()] * (ATTEMPTS - 1))) == []


def test_what_does_not_pass_becomes_a_letter_after_its_attempts() -> None:
    assert guarded(failing([Passing("x")] * ATTEMPTS)) == [(RECORD, "Passing('x')", ATTEMPTS)]


@pytest.mark.parametrize("error", [KafkaConnectionError(), NodeNotReadyError(), TimeoutError()])
def test_while_kafka_is_away_an_event_waits_however_long(error: Exception) -> None:
    assert guarded(failing([error] * (3 * ATTEMPTS))) == []


def test_what_kafka_refuses_for_good_becomes_a_letter() -> None:
    assert guarded(failing([MessageSizeTooLargeError()])) == [(RECORD, "MessageSizeTooLargeError()", 1)]


def test_what_cannot_pass_becomes_a_letter_at_once() -> None:
    assert guarded(failing([ValueError("poison")])) == [(RECORD, "ValueError('poison')", 1)]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (TimeoutError(), Fault.AWAY),
        (KafkaConnectionError(), Fault.AWAY),
        (TopicAuthorizationFailedError(), Fault.AWAY),
        (NotConfirmed("t", TopicAuthorizationFailedError()), Fault.AWAY),
        (NotConfirmed("t", KafkaConnectionError()), Fault.AWAY),
        (NotConfirmed("t", TimeoutError()), Fault.AWAY),
        (NotConfirmed("t", MessageSizeTooLargeError()), Fault.LASTING),
        (Passing(), Fault.PASSING),
        (MessageSizeTooLargeError(), Fault.LASTING),
        (Undecodable("x"), Fault.LASTING),
        (ValueError(), Fault.LASTING),
    ],
)
def test_each_error_has_one_class(error: Exception, fault: Fault) -> None:
    assert fault_of(error) is fault


def test_a_record_that_never_passes_is_given_up_in_time_however_long_an_attempt_takes() -> None:
    """Each attempt takes 2 s: the second one ends 4 s after the first began, and there is no third."""
    now = 0.0

    async def body() -> None:
        nonlocal now
        now += 2.0
        raise Passing("x")

    letters = Letters()
    asyncio.run(Guard(letters, pause_seconds=0, clock=lambda: now).run(RECORD, body))
    assert (now, [attempt for *_, attempt in letters.put_records]) == (4.0, [2])


def test_no_class_that_ends_in_a_letter_delays_the_next_record_by_5_seconds() -> None:
    for retry in RETRIES.values():
        pauses = 0.0 if retry is None else sum(EVENT.first * 2**n for n in range(retry.attempts - 1))
        assert pauses <= (3.0 if retry is None else retry.seconds)


def test_a_cancelled_body_is_neither_done_nor_a_letter() -> None:
    async def main() -> None:
        letters = Letters()
        task = asyncio.create_task(Guard(letters).run(RECORD, asyncio.Event().wait))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert letters.put_records == []

    asyncio.run(main())


def test_events_are_left_in_the_order_in_which_they_came() -> None:
    left: list[int] = []

    async def main() -> None:
        gates = [asyncio.Event() for _ in range(4)]
        async with Window(5) as window:
            for number, gate in enumerate(gates):
                await window.admit(_until(gate), lambda number=number: left.append(number))  # type: ignore[misc]
            for number, expected in ((2, []), (1, []), (0, [0, 1, 2]), (3, [0, 1, 2, 3])):
                gates[number].set()
                for _ in range(5):
                    await asyncio.sleep(0)
                assert left == expected

    asyncio.run(main())


def test_no_more_than_its_size_are_in_work() -> None:
    async def main() -> None:
        gate = asyncio.Event()
        async with Window(2) as window:
            await window.admit(_until(gate), lambda: None)
            second = asyncio.create_task(window.admit(_until(gate), lambda: None))
            await asyncio.sleep(0.01)
            assert not second.done()
            gate.set()
            await second

    asyncio.run(main())


def test_what_is_in_work_when_the_window_closes_is_not_left() -> None:
    left: list[int] = []

    async def main() -> None:
        async with Window(5) as window:
            await window.admit(_until(asyncio.Event()), lambda: left.append(0))
            await window.admit(_done(), lambda: left.append(1))
            await asyncio.sleep(0.01)

    asyncio.run(main())
    assert left == []


def test_a_cancelled_event_holds_back_all_after_it() -> None:
    left: list[int] = []

    async def main() -> None:
        async with Window(5) as window:
            await window.admit(_cancelled(), lambda: left.append(0))
            await window.admit(_done(), lambda: left.append(1))
            await asyncio.sleep(0.01)

    asyncio.run(main())
    assert left == []


async def _until(gate: asyncio.Event) -> None:
    await gate.wait()


async def _done() -> None:
    return


async def _cancelled() -> None:
    raise asyncio.CancelledError
