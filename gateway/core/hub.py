"""Who gets what next: rings of recent frames, audiences of live clients, and clients that are behind.

Live clients that follow the same channels form an audience and get the same joined bytes, one write each; an
audience stands where the rings end, so nothing is counted per client. A client that cannot keep up, or that
replays, leaves its audience with one next offset per partition, and joins it again in the step in which every
partition is level. Every method is one step: it returns what is to be written and nothing happens between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core import answers
from gateway.core.replay import Chunk, Level, Miss, Position
from gateway.core.ring import Ring, Taken
from gateway.core.session import AudienceKey, Place, Session, Subscription, Write
from schemas.cursor import Cursor

POSITION_EVENTS = 1_000
POSITION_MS = 10_000
"""A told subscriber hears its position after so many events or so much time, whichever is first."""

BEFORE_ALL = -1
"""The offset of a frame that stands before every record."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What the tail read of one partition: (offset, append time in ms, frame) in order, and where it stands."""

    place: Place
    records: Sequence[tuple[int, int, bytes]]
    hi: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """The same bytes for each of `writes`: one write per client."""

    data: bytes
    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True)
class Pumped:
    """What to write to one client, which reads of the log it needs (place, next offset), and whether more is
    due at once."""

    data: bytes = b""
    needs: tuple[tuple[Place, int], ...] = ()
    more: bool = False


NOTHING = Pumped()


@dataclass(slots=True)
class _Audience:
    members: dict[Session, Write] = field(default_factory=dict)
    untold: int = 0
    told_at: int = 0


class Hub:
    """The state of one gateway process. Times are milliseconds."""

    def __init__(self, everybody: Iterable[str], ring_bytes: int) -> None:
        """`everybody`: channels delivered to every client; `ring_bytes`: bound of each partition's ring."""
        self.rings: dict[Place, Ring] = {}
        self.behind: dict[Session, None] = {}
        self._epochs: dict[str, str] = {}
        self._partitions: dict[str, list[int]] = {}
        self._everybody = frozenset(everybody)
        self._ring_bytes = ring_bytes
        self._audiences: dict[AudienceKey, _Audience] = {}

    # The log's side.

    def open(self, channel: str, epoch: str, starts: Mapping[int, int]) -> None:
        """Begin to follow a channel's topic: per partition the offset at which its reader starts."""
        self._epochs[channel] = epoch
        self._partitions[channel] = sorted(starts)
        for partition, start in starts.items():
            self.rings[Place(channel, partition)] = Ring(start, self._ring_bytes)

    def reopen(self, channel: str, epoch: str, starts: Mapping[int, int], now: int) -> list[Delivery]:
        """The topic is another one now: everybody who follows it is told and goes on at `starts`."""
        gaps = {
            p: answers.gap(channel, p, hi, None, "epoch_changed", now) for p, hi in self.heads(channel).items()
        }
        self.open(channel, epoch, starts)
        for session in self.behind:
            for place in [place for place in session.positions if place.channel == channel]:
                start = starts.get(place.partition, 0)
                before = session.positions[place]
                until = None if before.until is None else start
                told = Chunk(deque([(BEFORE_ALL, gaps[place.partition])]), start)
                session.positions[place] = Position(start, until, told, since=before.since)
        data = b"".join(gaps.values())
        audiences = [a for key, a in self._audiences.items() if channel in key.channels]
        return [Delivery(data, tuple(audience.members.values())) for audience in audiences]

    def publish(self, batches: Sequence[Batch], now: int) -> list[Delivery]:
        """Take what was read and return the live writes: one per audience member, of all that is due."""
        fresh: dict[str, list[bytes]] = {}
        for batch in batches:
            ring = self.rings[batch.place]
            frames = fresh.setdefault(batch.place.channel, [])
            for offset, at, frame in batch.records:
                if offset >= ring.hi:
                    ring.append(offset, at, frame)
                    frames.append(frame)
            ring.advance(batch.hi)
        joined = {channel: b"".join(frames) for channel, frames in fresh.items() if frames}
        if not joined:
            return []
        counts = {channel: len(fresh[channel]) for channel in joined}
        return [
            Delivery(data, tuple(audience.members.values()))
            for key, audience in self._audiences.items()
            if audience.members and (data := self._due(key, audience, joined, counts, now))
        ]

    def evict(self, older_than: int) -> None:
        """Drop frames appended before `older_than` from all rings."""
        for ring in self.rings.values():
            ring.evict(older_than)

    def heads(self, channel: str) -> dict[int, int]:
        """Per partition where the reader stands."""
        return {p: self.rings[Place(channel, p)].hi for p in self._partitions.get(channel, ())}

    def floors(self, channel: str) -> dict[int, int]:
        """Per partition the lowest offset in memory."""
        return {p: self.rings[Place(channel, p)].lo for p in self._partitions.get(channel, ())}

    def epoch(self, channel: str) -> str:
        """The epoch of the channel's topic; empty for a channel without one."""
        return self._epochs.get(channel, "")

    # The clients' side.

    def join(self, write: Write) -> Session:
        """A new client, held: it gets nothing until it is released."""
        session = Session(write)
        for channel in self._everybody:
            self._place(session, channel, self.heads(channel), {})
        self.behind[session] = None
        return session

    def leave(self, session: Session) -> None:
        """The client is gone."""
        self.behind.pop(session, None)
        if session.audience is not None:
            self._quit(session)
        session.positions.clear()
        session.subscriptions.clear()
        session.ended = True

    def subscribe(
        self,
        session: Session,
        channel: str,
        starts: Mapping[int, int],
        *,
        told: bool,
        until: Mapping[int, int] | None = None,
        since: int | None = None,
    ) -> None:
        """Follow a channel from `starts` on, up to `until` if given; a second time begins anew there. `since`: what
        was appended before that time (ms) is passed over."""
        if session.ended:
            return
        self._detach(session)
        session.subscriptions[channel] = Subscription(told, until is not None, caught_up=not told)
        session.forget(channel)
        self._place(session, channel, starts, until or {}, since)

    def unsubscribe(self, session: Session, channel: str) -> bool:
        """Follow it no more; False when it was not followed."""
        if channel not in session.subscriptions:
            return False
        self._detach(session)
        self._end(session, channel)
        return True

    def pause(self, session: Session, now: int) -> bytes:
        """The client's buffer is full: it leaves its audience. Returns what to tell it."""
        session.paused = True
        if session.audience is None:
            return b""
        self._detach(session)
        slow = [name for name, subscription in session.subscriptions.items() if subscription.told]
        for name in slow:
            session.subscriptions[name].caught_up = False
        return b"".join(answers.frame("lagging", answers.Lagging(name), now) for name in slow)

    def pump(self, session: Session, budget: int, now: int) -> Pumped:
        """The next `budget` bytes due to a client that is behind (a frame more at most); it goes live in the
        step in which nothing is due any more."""
        if not session.servable:
            return NOTHING
        parts: list[bytes] = []
        needs: list[tuple[Place, int]] = []
        for place in sorted(session.positions, key=lambda p: session.positions[p].next < self.rings[p].lo):
            position = session.positions[place]
            match position.step(self.rings[place], budget):
                case Taken(frames):
                    parts += frames
                    budget -= sum(map(len, frames))
                    session.untold += len(frames)
                case Miss():
                    if not position.asked:
                        position.asked = True
                        needs.append((place, position.next))
                case Level():
                    pass
            if budget <= 0:
                break
        served = bool(parts)
        parts += self._milestones(session, now)
        self._settle(session, now)
        return Pumped(b"".join(parts), tuple(needs), served and session.audience is None)

    def supply(self, session: Session, place: Place, start: int, chunk: Chunk) -> bool:
        """Hand over what was read from the log from `start` on; False when it is not wanted any more."""
        position = session.positions.get(place)
        return position is not None and position.supply(start, chunk)

    def unask(self, session: Session, place: Place) -> None:
        """A read of the log failed: it will be asked for again."""
        if position := session.positions.get(place):
            position.asked = False

    def next_offsets(self, session: Session, channel: str) -> dict[int, int]:
        """The client's next offset per partition of a channel it follows."""
        if session.audience is not None:
            return self.heads(channel)
        return {at.partition: p.next for at, p in session.positions.items() if at.channel == channel}

    def cursor(self, session: Session, channel: str) -> str:
        """The same as a cursor."""
        return self._cursor(channel, self.next_offsets(session, channel))

    def positions(self, session: Session, now: int) -> bytes:
        """`position` of every channel whose subscriber is told (before a close by the server)."""
        told = [name for name, subscription in session.subscriptions.items() if subscription.told]
        return b"".join(answers.position(name, self.cursor(session, name), now) for name in told)

    def positions_due(self, now: int) -> list[Delivery]:
        """`position` frames that are due by time."""
        due = []
        for key, audience in self._audiences.items():
            if key.told and audience.members and now - audience.told_at >= POSITION_MS:
                audience.untold, audience.told_at = 0, now
                due.append(Delivery(self._heads_told(key, now), tuple(audience.members.values())))
        for session in self.behind:
            if session.servable and now - session.told_at >= POSITION_MS:
                session.told_at = now
                if data := self.positions(session, now):
                    due.append(Delivery(data, (session.write,)))
        return due

    # Steps of the above.

    def _due(
        self, key: AudienceKey, audience: _Audience, joined: dict[str, bytes], counts: dict[str, int], now: int
    ) -> bytes:
        parts = [data for channel, data in joined.items() if channel in key.channels]
        if key.told:
            audience.untold += sum(n for channel, n in counts.items() if channel in key.told)
            if audience.untold >= POSITION_EVENTS:
                audience.untold, audience.told_at = 0, now
                parts.append(self._heads_told(key, now))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _heads_told(self, key: AudienceKey, now: int) -> bytes:
        names = sorted(key.told)
        return b"".join(answers.position(n, self._cursor(n, self.heads(n)), now) for n in names)

    def _milestones(self, session: Session, now: int) -> list[bytes]:
        told = []
        for channel, subscription in list(session.subscriptions.items()):
            if subscription.bounded and all(position.done for position in session.of(channel)):
                body = answers.Unsubscribed(
                    channel=channel, reason="complete", cursor=self.cursor(session, channel)
                )
                told.append(answers.frame("unsubscribed", body, now))
                self._end(session, channel)
            elif not subscription.caught_up and not subscription.bounded and self._level(session, channel):
                subscription.caught_up = True
                told.append(answers.caught_up(channel, self.cursor(session, channel), now))
        if session.untold >= POSITION_EVENTS:
            session.untold, session.told_at = 0, now
            told.append(self.positions(session, now))
        return told

    def _level(self, session: Session, channel: str) -> bool:
        return all(
            position.level(self.rings[place])
            for place, position in session.positions.items()
            if place.channel == channel
        )

    def _settle(self, session: Session, now: int) -> None:
        """Go live when every partition stands exactly where its ring ends (a client whose log reader was ahead
        of the tail waits for it)."""
        for place, position in session.positions.items():
            waits = position.chunk is not None or position.until is not None or position.since is not None
            if waits or position.next != self.rings[place].hi:
                return
        key = session.key(self._everybody)
        audience = self._audiences.setdefault(key, _Audience(told_at=now))
        audience.members[session] = session.write
        session.audience = key
        session.positions.clear()
        del self.behind[session]

    def _detach(self, session: Session) -> None:
        if session.audience is None:
            return
        for channel in session.audience.channels:
            self._place(session, channel, self.heads(channel), {})
        self._quit(session)
        self.behind[session] = None

    def _quit(self, session: Session) -> None:
        assert session.audience is not None
        audience = self._audiences[session.audience]
        del audience.members[session]
        if not audience.members:
            del self._audiences[session.audience]
        session.audience = None

    def _end(self, session: Session, channel: str) -> None:
        del session.subscriptions[channel]
        session.forget(channel)
        if channel in self._everybody:
            self._place(session, channel, self.heads(channel), {})

    def _place(
        self,
        session: Session,
        channel: str,
        starts: Mapping[int, int],
        until: Mapping[int, int],
        since: int | None = None,
    ) -> None:
        for partition in self._partitions.get(channel, ()):
            position = Position(starts[partition], until.get(partition), since=since)
            session.positions[Place(channel, partition)] = position

    def _cursor(self, channel: str, offsets: dict[int, int]) -> str:
        partitions = len(self._partitions.get(channel, ()))
        return Cursor(channel, self.epoch(channel), partitions, offsets).encode()
