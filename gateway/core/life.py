"""The life of one accepted connection, from accept to close, as one table.

    FRESH      nothing has come yet
    HEAD       the head of a request is arriving
    BODY       its body is arriving; the application hears nothing of it before it is whole
    ANSWERING  the request is whole and not answered; what comes meanwhile waits, so one is in work at a time
    IDLE       answered; the next request may come
    HANDSHAKE  a WebSocket's handshake is whole and not answered; nothing may come before the answer
    FRAMES     an open WebSocket
    CLOSING    the last word is written; nothing is heard any more

Whatever waits for the client ends by time (`ENDS`). Who does not take what is written ends by `core.pulse`.
Knows no socket; times are seconds on any monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from math import inf

REQUEST_SECONDS = 10.0
"""A request arrives within so long from its first byte; the first byte, within so long from the accept."""

IDLE_SECONDS = 5.0
LINGER_SECONDS = 2.0
"""After a refusal, so long is left to read it: an earlier close would reset the connection and lose the answer."""


class Stage(Enum):
    """One of the above."""

    FRESH = auto()
    HEAD = auto()
    BODY = auto()
    ANSWERING = auto()
    IDLE = auto()
    HANDSHAKE = auto()
    FRAMES = auto()
    CLOSING = auto()


class Step(Enum):
    """What happens in a life."""

    BEGAN = auto()
    """The first byte of a request."""
    HEADED = auto()
    """Its head is whole."""
    WHOLE = auto()
    """The request is whole."""
    ANSWERED = auto()
    """Its answer is written."""
    ASKED_FOR_FRAMES = auto()
    """It was a handshake."""
    OPENED = auto()
    """The handshake was accepted."""
    LAST_WORD = auto()
    """A refusal, a close frame, or an answer after which the connection ends is written."""


_NEXT: dict[Stage, dict[Step, Stage]] = {
    Stage.FRESH: {Step.BEGAN: Stage.HEAD},
    Stage.HEAD: {Step.HEADED: Stage.BODY, Step.ASKED_FOR_FRAMES: Stage.HANDSHAKE},
    Stage.BODY: {Step.WHOLE: Stage.ANSWERING},
    Stage.ANSWERING: {Step.ANSWERED: Stage.IDLE},
    Stage.IDLE: {Step.BEGAN: Stage.HEAD},
    Stage.HANDSHAKE: {Step.OPENED: Stage.FRAMES},
    Stage.FRAMES: {},
    Stage.CLOSING: dict.fromkeys(Step, Stage.CLOSING),
}
"""LAST_WORD leads to CLOSING from everywhere. What is in no row cannot happen."""

_SECONDS: dict[Stage, float] = {
    Stage.FRESH: REQUEST_SECONDS,
    Stage.HEAD: REQUEST_SECONDS,
    Stage.IDLE: IDLE_SECONDS,
    Stage.CLOSING: LINGER_SECONDS,
}
"""How long a stage may last, from its beginning."""

_GOES_ON = frozenset((Stage.BODY,))
"""Stages in which the clock of the one before goes on: head and body have one time together."""

BEFORE_WORK = frozenset((Stage.FRESH, Stage.IDLE, Stage.HEAD, Stage.BODY))
"""Stages in which nothing of the application works for the connection."""

TIMED_OUT = frozenset((Stage.HEAD, Stage.BODY))
"""Stages whose end by time is answered with 408; the others end without a word."""


@dataclass(slots=True)
class Life:
    """Where a connection is in its life, and when that ends by time (`inf`: not by time)."""

    ends: float
    stage: Stage = Stage.FRESH

    def happened(self, step: Step, now: float) -> None:
        """Take the step. Raises KeyError for what cannot happen."""
        before = self.stage
        self.stage = Stage.CLOSING if step is Step.LAST_WORD else _NEXT[before][step]
        if self.stage not in _GOES_ON and self.stage is not before:
            self.ends = now + _SECONDS.get(self.stage, inf)


def begin(now: float) -> Life:
    """The life of a connection that was just accepted."""
    return Life(now + _SECONDS[Stage.FRESH])
