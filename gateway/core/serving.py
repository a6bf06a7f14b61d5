"""What a subscriber that is behind gets of the events read for it, and how much credit that uses."""

from __future__ import annotations

from gateway.core import answers, conflating
from gateway.core.columns import Taken
from gateway.core.memory import ChannelPartition
from gateway.core.subscriber import Subscriber


def served(
    subscriber: Subscriber, place: ChannelPartition, start: int, taken: Taken, now: int, *, addressed: bool
) -> list[bytes]:
    """The payloads to send of what was taken from the offset `start`. `addressed`: records of the channel may be for some
    accounts only."""
    view, subscription = subscriber.view(place.channel), subscriber.subscriptions.get(place.channel)
    shown = taken.payloads
    if addressed or not view.everything:
        shown = view.shown(taken.payloads, taken.abouts, subscriber.viewer.user_id)
    if subscription is None:
        return shown
    if subscription.conflates and len(newest := conflating.newest(shown)) < len(shown):
        skipped = len(shown) - len(newest)
        shown = [*newest, answers.conflated(place.channel, place.partition, start, taken.next, skipped, now)]
    if subscription.credit is not None:
        subscription.credit = max(0, subscription.credit - len(shown))
    subscriber.events_since_position += len(shown)
    return shown
