"""System updates in the log: first in the topic of updates, then as the newest state of their component.

In this order a worker that dies in between publishes the update again, with the same id; in the other order it would be
lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.kafka import Kafka
from runtime.log_reading import read_whole
from schemas.codec import Codec, encode
from schemas.headers import X_SOURCE, event_headers, find
from schemas.ids import event_id
from schemas.system import SystemUpdate
from schemas.times import iso
from schemas.topics import SYSTEM_STATE, SYSTEM_UPDATES, Topic
from streams.confirmed import Confirmed
from streams.guard import Received

_codec: Codec[SystemUpdate] = Codec(SystemUpdate)
GAPS_SUFFIX = "/gaps"
"""The state of a root's gaps is kept beside the state of the root, under a key of its own."""


@dataclass(frozen=True, slots=True)
class LatestUpdate:
    """The update published last with a key. `at`: when, ms; `source`: partition and offset of the record that caused
    it, -1 if unknown."""

    key: str
    update: SystemUpdate
    at: int
    source: tuple[int, int]


class UpdatePublisher:
    """Writes updates caused by records of one topic."""

    def __init__(self, kafka: Kafka, confirmed: Confirmed, topic: Topic) -> None:
        self._kafka = kafka
        self._confirmed = confirmed
        self._topic = topic

    async def publish(self, cause: Received, index: int, update: SystemUpdate, *, key: str) -> None:
        """Write the `index`-th update that a record causes. `key`: the key of its state. Raises NotConfirmed."""
        source = f"{self._topic.name}:{cause.partition}:{cause.offset}"
        headers = event_headers(
            id=event_id(self._topic.name, cause.partition, cause.offset, index),
            type="system_update",
            source="urn:catalogizer:status",
            time=iso(cause.timestamp),
            subject=update.component,
            extra=[(X_SOURCE, source.encode())],
        )
        value = encode(update)
        component = update.component.encode()
        await self._confirmed.put(SYSTEM_UPDATES, value, key=component, partition=0, headers=headers)
        await self._confirmed.put(SYSTEM_STATE, value, key=key.encode(), partition=0, headers=headers)


async def read_states(kafka: Kafka) -> dict[str, LatestUpdate]:
    """The updates published last, by key. Raises NotProvisioned, KafkaError, TimeoutError."""
    states: dict[str, LatestUpdate] = {}
    for record in await read_whole(kafka, SYSTEM_STATE):
        if record.value is None:
            continue
        source = (find(record.headers, X_SOURCE) or b"").decode("ascii", "replace")
        key = (record.key or b"").decode("utf-8", "replace")
        states[key] = LatestUpdate(key, _codec.decode(record.value), record.timestamp, _position(source))
    return states


def _position(source: str) -> tuple[int, int]:
    _, _, rest = source.partition(":")
    partition, _, offset = rest.partition(":")
    return (int(partition), int(offset)) if partition.isdecimal() and offset.isdecimal() else (-1, -1)
