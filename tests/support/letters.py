"""Dead letters for tests: records published to the queues as stages do it, and a `dlq` that is killed at a point.

`python -m tests.support.letters KAFKA_JSON TOPIC POINT`: redrives all open letters of a topic's queue and sends itself
SIGKILL at the point.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from typing import Any

from aiokafka.errors import MessageSizeTooLargeError
from confluent_kafka import admin as kafka_admin

from runtime.dead_letters import DeadLetters
from runtime.dlq.redriving import RedriveRequest, redrive
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas.errors import Undecodable
from schemas.topics import BY_NAME, Topic, dlq_of
from tests.support.committed import Read
from tests.support.topic import NewRecord, read, write
from tests.support.waiting import wait_until


def bury(kafka: Kafka, *records: Read, error: str = "poison") -> list[int]:
    """Put records that stand in the log into their queues; the offsets of the letters there."""

    async def main() -> None:
        producer = kafka.producer()
        await producer.start()
        try:
            for record in records:
                await DeadLetters(kafka, producer).put(record, Undecodable(error))
        finally:
            await producer.stop()

    asyncio.run(main())
    return [letter.offset for letter in read(kafka, dlq_of(kafka.topic(records[0].topic)))][-len(records) :]


def limit(kafka: Kafka, topic: Topic, size: int) -> None:
    """Let the broker accept no larger batch than `size` bytes in a topic."""
    of: Any = kafka_admin  # its stubs export the client alone
    entry = of.ConfigEntry("max.message.bytes", str(size), incremental_operation=of.AlterConfigOpType.SET)
    resource = of.ConfigResource(of.ResourceType.TOPIC, kafka.name(topic), incremental_configs=[entry])
    client = of.AdminClient({"bootstrap.servers": kafka.settings.bootstrap_servers or ""})
    client.incremental_alter_configs([resource])[resource].result(10)


def shut(kafka: Kafka, topic: Topic) -> None:
    """Make the broker refuse every record of a topic, and wait until it does."""
    limit(kafka, topic, 1)

    def refused() -> bool:
        try:
            write(kafka, NewRecord(topic, b"probe"))
        except MessageSizeTooLargeError:
            return True
        return False

    wait_until(refused, 10, what="the topic to be shut")


def all_open(topic: Topic) -> RedriveRequest:
    """All open letters of a topic's queue, to be seen to."""
    return RedriveRequest(topic, None, execute=True, by="a test", source="urn:catalogizer:test")


def killed_redrive(kafka: Kafka, topic: Topic, point: str) -> int:
    """Redrive in a process of its own that is killed at the point; how it ended."""
    words = [kafka.settings.model_dump_json(by_alias=False), topic.name, point]
    return subprocess.run(
        [sys.executable, "-m", "tests.support.letters", *words], check=False, timeout=60
    ).returncode


def _main() -> None:
    kafka = Kafka(KafkaSettings.model_validate_json(sys.argv[1]), "dlq")

    def points(name: str) -> None:
        if name == sys.argv[3]:
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(redrive(kafka, all_open(BY_NAME[sys.argv[2]]), points))


if __name__ == "__main__":
    _main()
