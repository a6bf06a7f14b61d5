"""What an operator does to a running installation with foreign tools: to its topics and to its rights.

The same requests as of Kafka's console tools (`tests.support.kafka_tools`), without their two seconds of Java each.
"""

from __future__ import annotations

from confluent_kafka import TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from runtime.kafka import Kafka
from schemas.acls import Acl
from schemas.topics import Topic
from tests.support.committed import connection
from tests.support.waiting import wait_until

ANSWER_SECONDS = 20.0
_RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}
_PATTERNS = {"literal": ResourcePatternType.LITERAL, "prefixed": ResourcePatternType.PREFIXED}
_OPERATIONS = {"Read": AclOperation.READ, "Write": AclOperation.WRITE, "Describe": AclOperation.DESCRIBE}


class Operator:
    """`kafka`: clients of somebody who may do everything."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._admin = AdminClient({**connection(kafka.settings), "log_level": 0})

    def delete(self, topic: Topic) -> None:
        """Delete a topic; returns when it is gone."""
        name = self._kafka.name(topic)
        self._admin.delete_topics([name])[name].result(ANSWER_SECONDS)
        wait_until(
            lambda: name not in self._admin.list_topics(timeout=5).topics, ANSWER_SECONDS, what="it to be gone"
        )

    def make_anew(self, topic: Topic) -> None:
        """Delete a topic and create it again with as many partitions."""
        self.delete(topic)
        self.create(topic)

    def create(self, topic: Topic) -> None:
        """Create a topic with the partitions that are declared; returns when it is known."""
        name = self._kafka.name(topic)
        made = NewTopic(name, num_partitions=topic.partition_count(self._kafka.lanes), replication_factor=1)
        self._admin.create_topics([made])[name].result(ANSWER_SECONDS)

    def extend(self, topic: Topic, partitions: int) -> None:
        """So many it has afterwards."""
        name = self._kafka.name(topic)
        self._admin.create_partitions([NewPartitions(name, partitions)])[name].result(ANSWER_SECONDS)

    def delete_records(self, topic: Topic, partition: int, before: int) -> None:
        """Delete what is before an offset."""
        place = TopicPartition(self._kafka.name(topic), partition, before)
        for deleted in self._admin.delete_records([place]).values():
            deleted.result(ANSWER_SECONDS)

    def take_away(self, *rights: Acl) -> None:
        """Remove permissions. Raises AssertionError where one was not there."""
        wanted = [
            AclBindingFilter(
                _RESOURCES[acl.resource], acl.name, _PATTERNS[acl.pattern], acl.principal, "*",
                _OPERATIONS[acl.operation], AclPermissionType.ALLOW,
            )
            for acl in rights
        ]  # fmt: skip
        for removed in self._admin.delete_acls(wanted).values():
            assert len(removed.result(ANSWER_SECONDS)) == 1
