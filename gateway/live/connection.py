"""One open socket: its identity, what is due to it by time, and how the gateway closes it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from gateway import metrics
from gateway.access.tokens import LEEWAY_SECONDS, Identity
from gateway.core import answers
from gateway.core.inheritance import Marks, OpenSocket
from gateway.core.limits import Bucket
from gateway.core.standing import Standing
from gateway.core.subscriber import Subscriber, Viewer
from gateway.live.resumption import Resumption
from gateway.live.sockets import Sink
from gateway.live.streaming import Streaming, now_ms
from schemas import close_codes
from schemas.close_codes import CloseCode
from schemas.times import iso

EXPIRY_NOTICE_SECONDS = 60
PROOF_SECONDS = 5.0
"""While events arrive, a client is pinged this often to prove that it received them: what it has not proven is sent again to
the next socket of its session."""


@dataclass(slots=True, eq=False)
class Connection:
    """One open socket; watches its sink. `deadline`: when its token ends, seconds since 1970. `pong_seconds`: how long a
    pong may be missing (a client that reads nothing sends none, and is slow, not dead). `session_id`: of the session of
    its handshake. `inbox`: received texts that are not handled yet (None: not a text), `handling` handles one; `first` ends
    its first second; `ended` when its client is gone: whether it closed on purpose."""

    sink: Sink
    identity: Identity
    streaming: Streaming
    subscriber: Subscriber
    bucket: Bucket
    deadline: int
    pinged_at: float
    pong_seconds: float
    resumption: Resumption
    heir: OpenSocket
    session_id: str
    inbox: list[str | None] = field(default_factory=list)
    handling: asyncio.Task[None] | None = None
    first: asyncio.TimerHandle | None = None
    ended: bool | None = None
    warned: bool = False
    pings: int = 0
    awaiting_pong: bool = False
    pinged: Marks | None = None
    closed_with: CloseCode | None = None

    @property
    def gone(self) -> bool:
        """True when nothing may be written any more."""
        return self.subscriber.standing is Standing.ENDED

    def paused(self) -> None:
        """The client does not keep up."""
        if self.streaming.filled(self.subscriber):
            self.close(close_codes.TOO_SLOW)

    def drained(self) -> None:
        """The socket has room again."""
        self.streaming.drained(self.subscriber)

    def ponged(self, payload: bytes) -> None:
        """The client is alive; if it answers our newest ping, everything written before that ping has arrived."""
        if payload == self.pings.to_bytes(4) and self.awaiting_pong and self.pinged is not None:
            self.resumption.proves(self.heir, self.pinged)
        self.awaiting_pong = False

    def refused(self, code: CloseCode) -> None:
        """The client exceeded a limit of the connection."""
        self.close(code)

    def closed(self) -> None:
        """Nothing may be written any more."""
        self.streaming.leave(self.subscriber)

    def close(self, code: CloseCode) -> None:
        """Close the socket, after its position if it gets status messages."""
        if self.gone:
            return
        self.streaming.send_positions(self.subscriber)
        self.closed_with = code
        metrics.CLOSED.labels(str(code.code)).inc()
        self.sink.close(code)

    def sweep(self, now: float, wall: float, ping_seconds: float) -> None:
        """What is due by time: pings, the token's end."""
        since = now - self.pinged_at
        if self.awaiting_pong:
            if since >= self.pong_seconds and not self.subscriber.standing.full:
                self.close(close_codes.NO_PONG)
                return
        elif since >= ping_seconds or (since >= PROOF_SECONDS and not self.subscriber.standing.full):
            marks = self.streaming.marks(self.subscriber)
            if since >= ping_seconds or marks != self.pinged:
                self._ping(now, marks)
        if wall >= self.deadline:
            self.close(close_codes.TOKEN_EXPIRED)
        elif (
            wall >= self.deadline - EXPIRY_NOTICE_SECONDS and not self.warned and not self.subscriber.standing.held
        ):
            self.warned = True
            ends = answers.Expiring(iso(self.deadline * 1_000))
            self.streaming.send(self.subscriber, answers.message("auth_expiring", ends, now_ms()))

    def _ping(self, now: float, marks: Marks) -> None:
        self.pinged_at, self.awaiting_pong, self.pinged = now, True, marks
        self.pings += 1
        self.sink.ping(self.pings.to_bytes(4))

    def release(self) -> None:
        """It has had its first answer, or its first second is over: events may be sent."""
        if self.first is not None:
            self.first.cancel()
            self.first = None
        self.streaming.release(self.subscriber)

    def renew(self, identity: Identity) -> None:
        """A new token of the same user arrived."""
        self.deadline, self.warned = deadline_of(identity), False
        self.see_as(identity)

    def see_as(self, identity: Identity) -> None:
        """The same user, perhaps with other rights."""
        self.identity = identity
        self.streaming.see_as(self.subscriber, viewer_of(identity))


def viewer_of(identity: Identity) -> Viewer:
    """The user of the socket, as the hub sees it."""
    return Viewer(identity.user_id, identity.role_id, identity.rights)


def deadline_of(identity: Identity) -> int:
    """When the socket must be closed: the token's end, or the end of the leeway for one accepted within it."""
    ended = identity.expires_at <= time.time()
    return identity.expires_at + LEEWAY_SECONDS if ended else identity.expires_at
