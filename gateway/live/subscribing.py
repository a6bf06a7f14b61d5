"""Answers `subscribe`, `unsubscribe` and `credit`: asks the log what it must, then takes the step.

Between the resolved start and the answer nothing is awaited, so what `subscribed` says is pinned. Live starts
and resumes from memory never touch the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from msgspec import UNSET

from gateway.core import answers, resolve
from gateway.core.about import About
from gateway.core.memory import ChannelPartition
from gateway.core.options import credit_of, options_of
from gateway.core.resolve import End, Resolved
from gateway.core.starts import (
    BadOption,
    OnGap,
    Resume,
    Start,
    Until,
    on_gap_of,
    start_of,
    until_of,
)
from gateway.core.subscriber import Options, Subscriber
from gateway.core.view import view_of
from gateway.live.resumption import Resumption
from gateway.live.streaming import Streaming, now_ms
from gateway.log.reader import LogReader, LogUnavailable
from schemas.channels import CHANNELS, Channel
from schemas.envelope import ErrorCode, Message
from schemas.errors import BadCursor
from schemas.places import AtEach, AtTime, Bounds, Earliest, Head, Last, offsets


class Subscribing:
    """These messages, for all connections."""

    def __init__(self, streaming: Streaming, log_reader: LogReader, resumption: Resumption) -> None:
        self._streaming = streaming
        self._memory = streaming.memory
        self._log = log_reader
        self._resumption = resumption

    async def subscribe(self, subscriber: Subscriber, message: Message) -> bool:
        """Do what the message asks and answer it; False when it asked to fail on a gap and there is one."""
        channel = self._channel(subscriber, message)
        if channel is None:
            return True
        try:
            options = options_of(message)
            start, until = start_of(message.from_, channel.name), until_of(message.until)
            on_gap = on_gap_of(message.on_gap)
            if message.plain and channel.name in subscriber.subscriptions:
                self._say_again(subscriber, channel, message)
                return True
            resolved, end = await self._places(subscriber, channel, start, until, on_gap, options)
        except BadOption as error:
            self._refuse(subscriber, message, "bad_request", error.reason)
        except BadCursor as error:
            self._refuse(subscriber, message, "bad_cursor", f"cursor: {error.reason}")
        except LogUnavailable:
            text = "the log does not answer; try again"
            self._refuse(subscriber, message, "unavailable", text)
        else:
            self._enter(subscriber, channel, message, resolved, end, options)
            return resolved.recovered or on_gap != "fail"
        return True

    def unsubscribe(self, subscriber: Subscriber, message: Message) -> None:
        """Do what the message asks and answer it."""
        channel = self._channel(subscriber, message)
        if channel is None:
            return
        if not self._streaming.unsubscribe(subscriber, channel.name):
            text = f"not subscribed to {channel.name}"
            self._refuse(subscriber, message, "not_subscribed", text)
            return
        if subscriber.heir is not None and not channel.everybody:
            subscriber.heir.leaves(channel.name)
        body = answers.Unsubscribed(channel=channel.name)
        self._streaming.tell(subscriber, answers.message("unsubscribed", body, now_ms(), message.ref))

    def credit(self, subscriber: Subscriber, message: Message) -> None:
        """Let so many more events be sent; answered only where that cannot be."""
        channel = self._channel(subscriber, message)
        if channel is None:
            return
        try:
            events = credit_of(message.credit)
        except BadOption as error:
            self._refuse(subscriber, message, "bad_request", error.reason)
            return
        if not self._streaming.give_credit(subscriber, channel.name, events):
            text = f"not subscribed to {channel.name} with credit"
            self._refuse(subscriber, message, "not_subscribed", text)

    def _channel(self, subscriber: Subscriber, message: Message) -> Channel | None:
        """The channel meant; None after an error was sent. A forbidden one looks like one that is not there."""
        rights = subscriber.viewer.rights
        known = {name: channel for name, channel in CHANNELS.items() if rights.may_follow(name)}
        channel = known.get(message.channel) if isinstance(message.channel, str) else None
        if channel is None:
            text = f"channels are {', '.join(known)}"
            self._refuse(subscriber, message, "unknown_channel", text)
        return channel

    def _refuse(self, subscriber: Subscriber, message: Message, code: ErrorCode, text: str) -> None:
        self._streaming.tell(subscriber, answers.error(code, text, now_ms(), message.ref))

    def _enter(
        self,
        subscriber: Subscriber,
        channel: Channel,
        message: Message,
        resolved: Resolved,
        end: End,
        options: Options,
    ) -> None:
        """The one step: nothing can be published between the answer's offsets and the client's positions."""
        if options.told and subscriber.heir is not None:
            subscriber.heir.leaves(channel.name)  # it keeps its position itself
        self._streaming.subscribe(
            subscriber,
            channel.name,
            resolved.start,
            options,
            until=end.until,
            since=resolved.since,
            ends_at=end.at,
        )
        self._confirm(subscriber, channel, message, resolved)

    def _say_again(self, subscriber: Subscriber, channel: Channel, message: Message) -> None:
        self._confirm(
            subscriber, channel, message, Resolved(self._streaming.next_offsets(subscriber, channel.name))
        )

    def _confirm(self, subscriber: Subscriber, channel: Channel, message: Message, resolved: Resolved) -> None:
        name, heads = channel.name, self._memory.heads(channel.name)
        epoch, floors = self._memory.epoch(name), self._memory.floors(name)
        body = answers.Subscribed(
            channel=name,
            start=dict(resolved.start),
            head=heads,
            epoch=epoch,
            mode=resolve.mode(resolved.start, floors, heads),
            recovered=resolved.recovered,
            cursor=self._memory.cursor(name, dict(resolved.start)),
            reason=UNSET if resolved.reason is None else resolved.reason,
            missed=resolved.missed or UNSET,
        )
        self._streaming.tell(subscriber, answers.message("subscribed", body, now_ms(), message.ref))

    async def _places(
        self,
        subscriber: Subscriber,
        channel: Channel,
        start: Start,
        until: Until,
        on_gap: OnGap,
        options: Options,
    ) -> tuple[Resolved, End]:
        """Both ends, of one and the same topic: it may become another one while the log is asked."""
        while True:
            epoch, partitions = self._memory.epoch(channel.name), self._partitions(channel.name)
            resolved = await self._start(subscriber, channel, start, on_gap, options)
            end = await self._until(channel, until, resolved)
            if (epoch, partitions) == (self._memory.epoch(channel.name), self._partitions(channel.name)):
                return resolved, end

    async def _start(
        self, subscriber: Subscriber, channel: Channel, start: Start, on_gap: OnGap, options: Options
    ) -> Resolved:
        name = channel.name
        match start:
            case Head() if not options.told and subscriber.heir is not None and not channel.everybody:
                return Resolved(self._resumption.start(subscriber.heir, name))
            case Head():
                return Resolved(self._streaming.live_start(subscriber, name))
            case AtEach(wanted):
                return await self._resume(name, wanted, on_gap, named=start)
            case Resume(cursor):
                same = cursor.epoch == self._memory.epoch(name)
                return await self._resume(name, cursor.next_offsets, on_gap, same_epoch=same)
            case Earliest():
                return Resolved((await self._bounds(name)).earliest)
            case AtTime(at):
                since = at if at > now_ms() else None
                return Resolved(await self._log.since(name, self._partitions(name), at), since=since)
            case Last(count):
                return Resolved(await self._newest(subscriber, name, count, options))
            case _:
                assert_never(start)

    async def _resume(
        self,
        name: str,
        wanted: Mapping[int, int],
        on_gap: OnGap,
        *,
        same_epoch: bool = True,
        named: AtEach | None = None,
    ) -> Resolved:
        """`named`: by the client itself, number by number, and not by a cursor of ours."""
        if same_epoch and resolve.fits(wanted, self._memory.floors(name), self._memory.heads(name)):
            return Resolved(wanted)
        bounds = await self._bounds(name)
        if named is not None:
            resolve.refuse(named, bounds, "from.offsets")
        return resolve.resume(wanted, bounds, on_gap, same_epoch=same_epoch)

    async def _newest(self, subscriber: Subscriber, name: str, count: int, options: Options) -> dict[int, int]:
        viewer = subscriber.viewer
        view = view_of(viewer.rights, viewer.role_id, options.filter)

        def shows(about: About | None) -> bool:
            return view.shows(about, viewer.user_id)

        bounds: Bounds[int] | None = None
        tails = {}
        for p, floor in self._memory.floors(name).items():
            tails[p] = self._memory.newest(ChannelPartition(name, p), count, shows)
            if len(tails[p]) < count and floor > 0:
                bounds = bounds or await self._bounds(name)
                if floor > bounds.earliest[p]:
                    tails[p] = await self._log.newest(ChannelPartition(name, p), bounds, count, shows)
        heads = self._memory.heads(name) if bounds is None else bounds.end
        return resolve.newest(tails, heads, count)

    async def _until(self, channel: Channel, until: Until, resolved: Resolved) -> End:
        match until:
            case None:
                return End()
            case Head():
                ends: Mapping[int, int] = (await self._bounds(channel.name)).end
            case AtTime(at) if at > now_ms():
                return End(at=at)
            case AtTime(at):
                ends = await self._log.since(channel.name, self._partitions(channel.name), at)
            case AtEach(named):
                here = Bounds(
                    offsets(self._memory.floors(channel.name)), offsets(self._memory.heads(channel.name))
                )
                resolve.refuse(until, here, "until.offsets", beyond=False)
                ends = named
            case _:
                assert_never(until)
        return End({p: ends.get(p, start) for p, start in resolved.start.items()})

    async def _bounds(self, name: str) -> Bounds[int]:
        partitions = self._partitions(name)
        return await self._log.bounds(name, partitions) if partitions else Bounds({}, {})

    def _partitions(self, name: str) -> tuple[int, ...]:
        return tuple(self._memory.heads(name))
