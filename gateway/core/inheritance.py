"""What sessions are owed whose clients keep no position: a new socket begins where the sockets before it had surely received
everything. At least once, and nothing lost.

A position belongs to a socket and moves only to what the answer to a ping proves to have arrived. When the socket ends, it
is left to its session for a time. A new socket begins in each channel at the lowest of: one position that was left there,
the furthest back (it is taken by that, so that as many sockets as ended find theirs), what the session's open sockets have
proven, here and at other gateways, and the head. Of a gateway that was killed nothing is known but how far all its sockets
were: that is nobody's to take, and holds until it is too old. Pure; times are milliseconds.
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
"""A page opens sockets and closes them again at once: what a clean close leaves is with the socket that came then."""

MAX_SESSIONS = 50_000
"""That something is left to; beyond, those that ended first are forgotten."""

Marks = Mapping[str, Mark]


@dataclass(slots=True, eq=False)
class OpenSocket:
    """A socket as its session knows it. `proven`: by channel what it has surely received; `began`: when and where it
    began in a channel; `takes`: in which it began where another left off, and the offset of the record that says so."""

    session: str
    proven: dict[str, Mark] = field(default_factory=dict)
    began: dict[str, tuple[int, Mark]] = field(default_factory=dict)
    takes: dict[str, int] = field(default_factory=dict)

    def leaves(self, channel: str) -> None:
        """It follows the channel no more, or keeps its position there itself."""
        self.proven.pop(channel, None)
        self.began.pop(channel, None)


@dataclass(slots=True, eq=False)
class _Left:
    """`offset`: of the record that says so; None: it has not come back yet."""

    at: int
    marks: dict[str, Mark]
    offset: int | None


@dataclass(slots=True)
class _Gateway:
    """Another one. `at`: when it last said how far all its sockets are."""

    at: int = 0
    floors: Marks = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)


class Inheritance:
    """Of one gateway, `name`; what it has to tell the others is returned."""

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
        owed = [*self._take(socket, channel, now), *self._elsewhere(session, channel, now)]
        proven = (other.proven[channel] for other in self._open[session] if channel in other.proven)
        start = lowest(head, [*owed, *proven])
        socket.proven[channel] = start
        socket.began[channel] = (now, start)
        return start

    def proves(self, socket: OpenSocket, marks: Marks) -> list[ResumeRecord]:
        """It has surely received all before these. Of channels in which it has begun anew since they were taken they say
        nothing."""
        told: list[ResumeRecord] = []
        for channel, mark in marks.items():
            before = socket.proven.get(channel)
            if before is None or not _at_or_before(before, mark):
                continue
            socket.proven[channel] = mark
            if (offset := socket.takes.pop(channel, None)) is not None:
                told.append(
                    PositionTaken(gateway=self.name, session=socket.session, channel=channel, offset=offset)
                )
        return told

    def ended(self, socket: OpenSocket, now: int, *, clean: bool, revoked: bool = False) -> list[ResumeRecord]:
        """The socket is gone. `clean`: its client closed it; `revoked`: its session has ended with it."""
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
        """What all open sockets have surely received: the head in channels that none follows."""
        # those that are live share their marks: there are few different ones
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
        """That have sockets here."""
        return list(self._open)

    # The topic.

    def hear(self, record: ResumeRecord, offset: int, at: int) -> None:
        """What a gateway says, this one too; `offset` and append time of the record."""
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
        """What nobody can be owed any more."""
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
    """The lowest by partition, of those in the same topic."""
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
    """Whether another socket of the session that came just now began in the channel at or before it."""
    for other in others:
        if channel in other.began:
            at, began = other.began[channel]
            if now - at < BURST_MS and began.epoch == mark.epoch and _at_or_before(began, mark):
                return True
    return False
