"""Where a new socket begins whose session's clients keep no position: where the sockets before it had certainly received
everything. At least once, and nothing is lost.

A position belongs to a socket and advances only to what a pong proves to have arrived. When the socket ends, its position
is left to its session for a time. A new socket begins in each channel at the lowest of: one of the positions left there,
the one furthest back (it is consumed, so that as many new sockets as old ones ended find one each), what the session's open
sockets have proven, at this gateway and at others, and the head. Of a gateway that was killed only the floor of all its
sockets is known: nobody consumes that, and it is valid until it is too old. Pure; times are milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from schemas.resuming import (
    LEFT_SECONDS,
    GatewayFloor,
    Mark,
    PositionTaken,
    ResumeRecord,
    SocketEnded,
    SocketOpened,
)

LEFT_MS = LEFT_SECONDS * 1_000
BURST_MS = 2_000
"""A page may open sockets and close them at once: the position left by a clean close goes to the socket just opened."""

MAX_SESSIONS = 50_000
"""Sessions with positions left to them; beyond that, those that ended first are forgotten."""

Marks = Mapping[str, Mark]


@dataclass(slots=True, eq=False)
class OpenSocket:
    """A socket as its session sees it. `proven`: what it has certainly received, by channel; `began`: when and where it
    began in a channel; `takes`: channels in which it consumed a position left, with the offset of the record of that."""

    session: str
    proven: dict[str, Mark] = field(default_factory=dict)
    began: dict[str, tuple[int, Mark]] = field(default_factory=dict)
    takes: dict[str, int] = field(default_factory=dict)

    def leaves(self, channel: str) -> None:
        """It no longer follows the channel, or its client keeps the position itself."""
        self.proven.pop(channel, None)
        self.began.pop(channel, None)


@dataclass(slots=True, eq=False)
class _Left:
    """A position left. `offset`: of its record; None: the record has not been read back yet."""

    at: int
    marks: dict[str, Mark]
    offset: int | None


@dataclass(slots=True)
class _Gateway:
    """Another gateway. `at`: when it last published the floor of all its sockets."""

    at: int = 0
    floors: Marks = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)


class Inheritance:
    """Of one gateway, `name`. Returns the records that it must publish for the others."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._open: dict[str, list[OpenSocket]] = {}
        self._left: dict[str, list[_Left]] = {}
        self._others: dict[str, _Gateway] = {}

    # Here.

    def opened(self, session: str) -> tuple[OpenSocket, list[ResumeRecord]]:
        """A socket was accepted."""
        socket = OpenSocket(session)
        sockets = self._open.setdefault(session, [])
        sockets.append(socket)
        return socket, [SocketOpened(gateway=self.name, session=session)] if len(sockets) == 1 else []

    def start(self, socket: OpenSocket, channel: str, head: Mark, now: int) -> Mark:
        """Where the socket begins in a channel."""
        session = socket.session
        left = [*self._take(socket, channel, now), *self._elsewhere(session, channel, now)]
        proven = (other.proven[channel] for other in self._open[session] if channel in other.proven)
        start = lowest(head, [*left, *proven])
        socket.proven[channel] = start
        socket.began[channel] = (now, start)
        return start

    def proves(self, socket: OpenSocket, marks: Marks) -> list[ResumeRecord]:
        """It has certainly received everything before these. In a channel in which it has begun anew since they were taken,
        they are ignored."""
        records: list[ResumeRecord] = []
        for channel, mark in marks.items():
            before = socket.proven.get(channel)
            if before is None or not _at_or_before(before, mark):
                continue
            socket.proven[channel] = mark
            if (offset := socket.takes.pop(channel, None)) is not None:
                records.append(
                    PositionTaken(gateway=self.name, session=socket.session, channel=channel, offset=offset)
                )
        return records

    def ended(self, socket: OpenSocket, now: int, *, clean: bool, revoked: bool = False) -> list[ResumeRecord]:
        """The socket is gone. `clean`: its client closed it; `revoked`: its session ended too."""
        session = socket.session
        others = self._open[session]
        others.remove(socket)
        if not others:
            del self._open[session]
        left = (
            {}
            if revoked
            else {c: m for c, m in socket.proven.items() if not (clean and _covered(c, m, others, now))}
        )
        if left:
            self._leave(session, _Left(now, dict(left), None))
        return [SocketEnded(gateway=self.name, session=session, left=left, others=bool(others))]

    def floor(self, heads: Marks) -> GatewayFloor:
        """What all open sockets have certainly received: the head in channels that none follows."""
        # live sockets share their marks: there are few different ones
        distinct = {
            (channel, id(mark)): mark
            for sockets in self._open.values()
            for socket in sockets
            for channel, mark in socket.proven.items()
        }
        floors = dict(heads)
        for (channel, _), mark in distinct.items():
            if channel in floors:
                floors[channel] = lowest(floors[channel], [mark])
        return GatewayFloor(gateway=self.name, floors=floors)

    def sessions(self) -> list[str]:
        """The sessions that have sockets here."""
        return list(self._open)

    # The topic.

    def receive(self, record: ResumeRecord, offset: int, at: int) -> None:
        """A record of any gateway, this one included, with its offset and append time."""
        match record:
            case SocketEnded(session=session, left=left, others=others):
                if record.gateway == self.name:
                    self._came_back(session, offset)
                elif left:
                    self._leave(session, _Left(at, dict(left), offset))
                if not others:
                    self._of(record.gateway).sessions.discard(session)
            case PositionTaken(session=session, channel=channel, offset=taken):
                for one in self._left.get(session, ()):
                    if one.offset == taken:
                        one.marks.pop(channel, None)
            case SocketOpened(session=session):
                self._of(record.gateway).sessions.add(session)
            case GatewayFloor(floors=floors, sessions=sessions):
                other = self._of(record.gateway)
                other.at, other.floors = at, floors
                other.sessions.update(sessions)

    def forget(self, now: int) -> None:
        """Drop what is too old for any session."""
        """The lowest offset of each partition, of those marks that are in the same topic."""
        for session, left in list(self._left.items()):
            self._left[session] = [one for one in left if one.marks and now - one.at < LEFT_MS]
            if not self._left[session]:
                del self._left[session]
        self._others = {name: other for name, other in self._others.items() if now - other.at < LEFT_MS}

    # Steps of the above.

    def _of(self, gateway: str) -> _Gateway:
        return self._others.setdefault(gateway, _Gateway())

    def _leave(self, session: str, left: _Left) -> None:
        self._left.setdefault(session, []).append(left)
        if len(self._left) > MAX_SESSIONS:
            del self._left[next(iter(self._left))]

    def _came_back(self, session: str, offset: int) -> None:
        for one in self._left.get(session, ()):
            if one.offset is None:
                one.offset = offset
                return

    def _take(self, socket: OpenSocket, channel: str, now: int) -> Iterator[Mark]:
        left = [
            one for one in self._left.get(socket.session, ()) if channel in one.marks and now - one.at < LEFT_MS
        ]
        if left:
            furthest = min(left, key=lambda one: sum(one.marks[channel].next.values()))
            if furthest.offset is not None:
                socket.takes[channel] = furthest.offset
            yield furthest.marks.pop(channel)

    def _elsewhere(self, session: str, channel: str, now: int) -> Iterator[Mark]:
        for name, other in self._others.items():
            current = name != self.name and now - other.at < LEFT_MS
            if current and session in other.sessions and channel in other.floors:
                yield other.floors[channel]


def lowest(head: Mark, marks: Iterable[Mark]) -> Mark:
    """The lowest offset of each partition, of those marks that are in the same topic."""
    next_ = dict(head.next)
    for mark in marks:
        if mark.epoch == head.epoch:
            for partition, offset in mark.next.items():
                if partition in next_:
                    next_[partition] = min(next_[partition], offset)
    return head if next_ == head.next else Mark(head.epoch, next_)


def _at_or_before(one: Mark, other: Mark) -> bool:
    return one.epoch != other.epoch or all(one.next.get(p, 0) <= offset for p, offset in other.next.items())


def _covered(channel: str, mark: Mark, others: Iterable[OpenSocket], now: int) -> bool:
    """Whether another, just opened socket of the session began in the channel at or before the mark."""
    for other in others:
        if channel in other.began:
            at, began = other.began[channel]
            if now - at < BURST_MS and began.epoch == mark.epoch and _at_or_before(began, mark):
                return True
    return False
