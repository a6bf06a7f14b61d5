"""All partitions of all topics to one member of the group: who decides what is worth an alert has to see everything, and the
others stand by.

The owner is the member whose static name comes first, so that a worker that comes or goes moves the work only where it must.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

VERSION = 0


class OneOwner(AbstractPartitionAssignor):  # type: ignore[misc]
    """The protocol of Kafka's consumer groups, as aiokafka calls it. It remembers nothing."""

    name = "catalogizer-one-owner"

    @classmethod
    def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What a member says when it joins."""
        return ConsumerProtocolMemberMetadata(VERSION, list(topics), b"")

    @classmethod
    def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Nothing is kept of it."""

    @classmethod
    def assign(
        cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """What each member is to have."""
        topics = sorted({topic for metadata in members.values() for topic in metadata.subscription})
        everything = [(topic, sorted(cluster.partitions_for_topic(topic) or ())) for topic in topics]
        owner = min(members)
        return {
            member: ConsumerProtocolMemberAssignment(VERSION, everything if member == owner else [], b"")
            for member in members
        }
