"""Work in a process of its own leaves what it had sent, whatever becomes of it, and no process behind."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from streams.analysis.probe.books.forked import MAX_BYTES, Outcome, Send, run


def whole(send: Send) -> None:
    send(b"one")
    send(b"")
    send(b"x" * 100_000)


def crashing(send: Send) -> None:
    send(b"one")
    os.kill(os.getpid(), signal.SIGKILL)


def raising(send: Send) -> None:
    send(b"one")
    raise MemoryError


def hanging(send: Send) -> None:
    send(b"one")
    signal.pause()


def working(send: Send) -> None:
    send(b"one")
    while True:
        pass


def flooding(send: Send) -> None:
    while True:
        send(b"x" * MAX_BYTES)


@pytest.mark.parametrize(("work", "outcome"), [
    (whole, Outcome([b"one", b"", b"x" * 100_000], "whole")), (crashing, Outcome([b"one"], "early")),
    (raising, Outcome([b"one"], "early")), (hanging, Outcome([b"one"], "late")), (flooding, Outcome([], "late")),
])  # fmt: skip
def test_what_was_sent_before_the_end_stays(work: object, outcome: Outcome) -> None:
    assert callable(work)
    before = psutil.Process().children()  # servers that other tests have started
    assert run(work, processor_seconds=9, seconds=0.3) == outcome
    assert psutil.Process().children() == before


class Waiting:
    """Garbage, and when it is collected in a fork it waits for what only its process had, as a decoder for its threads."""

    def __init__(self) -> None:
        self.itself = self
        self.pid = os.getpid()

    def __del__(self) -> None:
        if os.getpid() != self.pid:
            signal.pause()


def allocating(send: Send) -> None:
    kept = [[n] for n in range(100_000)]
    send(b"%d" % len(kept))


def test_what_is_garbage_in_its_process_does_not_hold_it_up() -> None:
    Waiting()
    assert run(allocating, processor_seconds=9, seconds=5) == Outcome([b"100000"], "whole")


def test_it_ends_when_it_takes_too_long() -> None:
    began = time.monotonic()
    run(hanging, processor_seconds=9, seconds=0.1)
    assert time.monotonic() - began < 2


def test_it_ends_when_it_needs_too_much_of_the_processor_however_long_that_takes() -> None:
    before = psutil.Process().cpu_times().children_user
    assert run(working, processor_seconds=0, seconds=60) == Outcome([b"one"], "late")
    assert psutil.Process().cpu_times().children_user - before > 0.5
