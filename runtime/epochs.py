"""Topic epochs: they distinguish a topic from a later one that was created under the same name.

The provisioner writes an epoch record for each topic that it creates, with Kafka's own id of the topic. Other tools write no
record when they recreate a topic: then the id differs from the recorded one, and the id itself is the epoch. So every
process determines the same epoch whatever tool was used, and the record that the provisioner writes later does not change
it.

While `catalogizer move-log` copies a log to other brokers, the only record there has the key COPYING: no topic has an epoch
then, so no process uses the incomplete copy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer

from runtime.kafka import Kafka
from runtime.log_reading import reader, whole
from runtime.topic_ids import SeenTopic, look
from schemas.admin import TopicEpoch
from schemas.codec import Codec
from schemas.log_record import LogRecord
from schemas.topics import META

COPYING = "copying"
"""Key of the record of an incomplete copy. Its `epoch` is that of the change log that is copied."""

_codec: Codec[TopicEpoch] = Codec(TopicEpoch)


@dataclass(frozen=True, slots=True)
class TopicLife:
    """A topic now. `declared`: how many partitions it was created with; `partitions`: how many it has now; `anew`: it was
    recreated by other means than our provisioner."""

    epoch: str
    declared: int
    partitions: int
    anew: bool = False


def life_of(record: TopicEpoch, seen: SeenTopic | None) -> TopicLife:
    """A topic's present life: its newest epoch record compared with Kafka's metadata (None: not known)."""
    if seen is None:
        return TopicLife(record.epoch, record.partitions, record.partitions)
    anew = bool(record.topic_id and seen.id and record.topic_id != seen.id)
    return TopicLife(seen.id if anew else record.epoch, record.partitions, seen.partitions, anew)


async def read_epochs(kafka: Kafka) -> dict[str, TopicLife]:
    """The life of each topic that was provisioned and still exists, by its declared name. Raises NotProvisioned, KafkaError,
    TimeoutError."""
    async with reader(kafka) as consumer:
        return await lives_by(consumer, kafka)


async def lives_by(consumer: AIOKafkaConsumer, kafka: Kafka) -> dict[str, TopicLife]:
    """The same, with an existing consumer."""
    records = _newest(await whole(consumer, kafka.name(META)))
    records.pop(COPYING, None)
    seen = (await look(consumer._client, map(kafka.settings.topic_prefix.__add__, records))).topics
    lives = {}
    for name, record in records.items():
        on_installation = kafka.settings.topic_prefix + name
        there = seen.get(on_installation)
        if there is not None or on_installation not in seen:
            lives[name] = life_of(record, there)
    return lives


async def recorded_epochs(kafka: Kafka) -> dict[str, TopicEpoch]:
    """The newest epoch record of each topic, by its declared name, and that of an incomplete copy (COPYING), without a look
    at Kafka's metadata. Raises NotProvisioned, KafkaError, TimeoutError."""
    async with reader(kafka) as consumer:
        return _newest(await whole(consumer, kafka.name(META)))


def _newest(records: Iterable[LogRecord]) -> dict[str, TopicEpoch]:
    found: dict[str, TopicEpoch] = {}
    for record in records:
        if record.value is None:  # withdrawn: the topic was deleted
            found.pop((record.key or b"").decode(errors="replace"), None)
            continue
        epoch = _codec.decode(record.value)
        found[epoch.topic] = epoch
    return found
