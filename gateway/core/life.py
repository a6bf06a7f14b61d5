"""The life of one accepted connection, from accept to close, as one table.

    FRESH      nothing has come yet
    HEAD       the head of a request is arriving
    BODY       its body is arriving; the application gets it when it is complete
    ANSWERING  the request is complete and not answered; what arrives meanwhile waits, so only one is in work at a time
    IDLE       answered; the next request may arrive
    HANDSHAKE  a WebSocket's handshake is complete and not answered; nothing may arrive before the answer
    FRAMES     an open WebSocket
    CLOSING    the final answer or close frame is written; nothing is read any more

Every stage that waits for the client has a time limit (`_SECONDS`). A client that does not take what is written is closed by
`core.pulse`. Knows no socket; times are seconds on any monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from math import inf

REQUEST_SECONDS = 10.0
"""A request must be complete this long after its first byte; the first byte must come this long after the accept."""

IDLE_SECONDS = 5.0
LINGER_SECONDS = 2.0
"""Time left to read a refusal: an earlier close would reset the connection and lose the answer."""


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
    """What happens to a connection."""

    BEGAN = auto()
    """The first byte of a request."""
    HEADED = auto()
    """Its head is complete."""
    WHOLE = auto()
    """The request is complete."""
    ANSWERED = auto()
    """Its answer is written."""
    UPGRADE_REQUESTED = auto()
    """It was a handshake."""
    OPENED = auto()
    """The handshake was accepted."""
    FINAL_WRITE = auto()
    """A refusal, a close frame, or an answer after which the connection ends is written."""


_NEXT: dict[Stage, dict[Step, Stage]] = {
    Stage.FRESH: {Step.BEGAN: Stage.HEAD},
    Stage.HEAD: {Step.HEADED: Stage.BODY, Step.UPGRADE_REQUESTED: Stage.HANDSHAKE},
    Stage.BODY: {Step.WHOLE: Stage.ANSWERING},
    Stage.ANSWERING: {Step.ANSWERED: Stage.IDLE},
    Stage.IDLE: {Step.BEGAN: Stage.HEAD},
    Stage.HANDSHAKE: {Step.OPENED: Stage.FRAMES},
    Stage.FRAMES: {},
    Stage.CLOSING: dict.fromkeys(Step, Stage.CLOSING),
}
"""FINAL_WRITE leads to CLOSING from everywhere. A step that a row does not have cannot happen."""

_SECONDS: dict[Stage, float] = {
    Stage.FRESH: REQUEST_SECONDS,
    Stage.HEAD: REQUEST_SECONDS,
    Stage.IDLE: IDLE_SECONDS,
    Stage.CLOSING: LINGER_SECONDS,
}
"""How long a stage may last, from its beginning."""

_KEEPS_CLOCK = frozenset((Stage.BODY,))
"""Stages that do not restart the clock: head and body have one time limit together."""

BEFORE_WORK = frozenset((Stage.FRESH, Stage.IDLE, Stage.HEAD, Stage.BODY))
"""Stages in which nothing of the application works for the connection."""

TIMED_OUT = frozenset((Stage.HEAD, Stage.BODY))
"""Stages that are answered with 408 when their time is over; the others end without an answer."""


@dataclass(slots=True)
class Life:
    """A connection's stage, and when the connection ends by time (`inf`: never)."""

    ends: float
    stage: Stage = Stage.FRESH

    def happened(self, step: Step, now: float) -> None:
        """Take the step. Raises KeyError if it cannot happen here."""
        before = self.stage
        self.stage = Stage.CLOSING if step is Step.FINAL_WRITE else _NEXT[before][step]
        if self.stage not in _KEEPS_CLOCK and self.stage is not before:
            self.ends = now + _SECONDS.get(self.stage, inf)


def begin(now: float) -> Life:
    """The life of a connection that was just accepted."""
    return Life(now + _SECONDS[Stage.FRESH])
