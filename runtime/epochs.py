"""Topic epochs: a random id for each creation of a topic, which distinguishes it from a later topic of the same name."""

from __future__ import annotations

from runtime.kafka import Kafka
from runtime.log_reading import read_whole
from schemas.admin import TopicEpoch
from schemas.codec import Codec
from schemas.topics import META

_codec: Codec[TopicEpoch] = Codec(TopicEpoch)


async def read_epochs(kafka: Kafka) -> dict[str, TopicEpoch]:
    """The newest epoch record of each topic, by the topic's declared name. Raises NotProvisioned, KafkaError,
    TimeoutError."""
    found: dict[str, TopicEpoch] = {}
    for record in await read_whole(kafka, META):
        if record.value is None:  # withdrawn: the topic was deleted
            found.pop((record.key or b"").decode(errors="replace"), None)
            continue
        epoch = _codec.decode(record.value)
        found[epoch.topic] = epoch
    return found
