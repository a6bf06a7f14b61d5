"""Answers `subscribe`, `unsubscribe` and `credit`: looks up in the log what is needed, then takes the step.

Between the resolved start and the answer nothing is awaited, so the offsets in `subscribed` are exact. Live starts and
resumes from memory never read the log.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET, UnsetType

from gateway.core import answers
from gateway.core.options import credit_of, options_of
from gateway.core.resolve import End, Resolved, subscribed
from gateway.core.starts import BadOption, on_gap_of, start_of, until_of
from gateway.core.subscriber import Options, Subscriber
from gateway.live.resumption import Resumption
from gateway.live.streaming import Streaming, now_ms
from gateway.log.finding import Finding, Wanted
from gateway.log.reader import LogUnavailable
from schemas.channels import CHANNELS, Channel
from schemas.envelope import ErrorCode, Json, Message
from schemas.errors import BadCursor


class Subscribing:
    """These messages, for all connections."""

    def __init__(self, streaming: Streaming, finding: Finding, resumption: Resumption) -> None:
        self._streaming = streaming
        self._finding = finding
        self._resumption = resumption

    async def subscribe(self, subscriber: Subscriber, message: Message) -> bool:
        """Do what the message requests and answer it; False if it requested to fail on a gap and there is one."""
        channel = self._channel(subscriber, message)
        if channel is None:
            return True
        try:
            options = options_of(message)
            start, until = start_of(message.from_, channel.name), until_of(message.until)
            on_gap = on_gap_of(message.on_gap)
            if message.plain and channel.name in subscriber.subscriptions:
                self._repeat_answer(subscriber, channel, message)
                return True
            wanted = Wanted(
                channel.name, start, lambda: self._now(subscriber, channel, options), until, on_gap,
                subscriber.viewer, options.filter,
            )  # fmt: skip
            resolved, end = await self._finding.find(wanted)
        except BadOption as error:
            self._refuse(subscriber, message, "bad_request", error.reason)
        except BadCursor as error:
            self._refuse(subscriber, message, "bad_cursor", f"cursor: {error.reason}")
        except LogUnavailable:
            text = "the log does not answer; try again"
            self._refuse(subscriber, message, "unavailable", text)
        else:
            self.enter(subscriber, channel, resolved, end, options, message.ref)
            return resolved.recovered or on_gap != "fail"
        return True

    def enter(
        self,
        subscriber: Subscriber,
        channel: Channel,
        resolved: Resolved,
        end: End,
        options: Options,
        ref: Json | UnsetType = UNSET,
    ) -> None:
        """Follow a channel and answer, in one step: nothing can be published between the answer's offsets and the client's
        positions."""
        if options.status_messages and subscriber.heir is not None:
            subscriber.heir.leaves(channel.name)  # the client keeps its position itself
        self._streaming.subscribe(
            subscriber,
            channel.name,
            resolved.start,
            options,
            until=end.until,
            since=resolved.since,
            ends_at=end.at,
        )
        self._confirm(subscriber, channel, resolved, ref)

    def unsubscribe(self, subscriber: Subscriber, message: Message) -> None:
        """Do what the message requests and answer it."""
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
        self._streaming.send(subscriber, answers.message("unsubscribed", body, now_ms(), message.ref))

    def credit(self, subscriber: Subscriber, message: Message) -> None:
        """Allow so many more events to be sent; answered only if that is not possible."""
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
        """The message's channel; None after an error was sent. A forbidden one looks like one that does not exist."""
        rights = subscriber.viewer.rights
        known = {name: channel for name, channel in CHANNELS.items() if rights.may_follow(name)}
        channel = known.get(message.channel) if isinstance(message.channel, str) else None
        if channel is None:
            text = f"channels are {', '.join(known)}"
            self._refuse(subscriber, message, "unknown_channel", text)
        return channel

    def _refuse(self, subscriber: Subscriber, message: Message, code: ErrorCode, text: str) -> None:
        self._streaming.send(subscriber, answers.error(code, text, now_ms(), message.ref))

    def _repeat_answer(self, subscriber: Subscriber, channel: Channel, message: Message) -> None:
        now = Resolved(self._streaming.next_offsets(subscriber, channel.name))
        self._confirm(subscriber, channel, now, message.ref)

    def _confirm(
        self, subscriber: Subscriber, channel: Channel, resolved: Resolved, ref: Json | UnsetType
    ) -> None:
        body = subscribed(self._streaming.memory, channel.name, resolved)
        self._streaming.send(subscriber, answers.message("subscribed", body, now_ms(), ref))

    def _now(self, subscriber: Subscriber, channel: Channel, options: Options) -> Mapping[int, int]:
        """Where "now" is; if its session has a position left, that position."""
        if not options.status_messages and subscriber.heir is not None and not channel.everybody:
            return self._resumption.start(subscriber.heir, channel.name)
        return self._streaming.live_start(subscriber, channel.name)
