"""Channels: what a browser may subscribe to, and which topic feeds each."""

from __future__ import annotations

from dataclasses import dataclass

from schemas import topics
from schemas.media import AnalysisComplete, MediaUpdateWire
from schemas.system import Notification, SystemUpdate
from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class Channel:
    """`event` is the `type` of its frames; `topic` None: subscriptions are accepted, but nothing is published yet.
    `everybody`: delivered to every socket without a subscription. `data`: the type that any reader must accept."""

    name: str
    topic: Topic | None
    event: str
    data: object
    everybody: bool = False


MEDIA_UPDATES = Channel("media_updates", topics.MEDIA_UPDATES, "media_update", MediaUpdateWire)
SYSTEM_UPDATES = Channel("system_updates", topics.SYSTEM_UPDATES, "system_update", SystemUpdate)
ANALYSIS_UPDATES = Channel("analysis_updates", topics.ANALYSIS_UPDATES, "analysis_complete", AnalysisComplete)
ASSET_UPDATES = Channel("asset_updates", None, "asset_update", dict)
NOTIFICATIONS = Channel("notifications", topics.NOTIFICATIONS, "notification", Notification, everybody=True)

CHANNELS: dict[str, Channel] = {
    channel.name: channel
    for channel in (MEDIA_UPDATES, SYSTEM_UPDATES, ANALYSIS_UPDATES, ASSET_UPDATES, NOTIFICATIONS)
}
