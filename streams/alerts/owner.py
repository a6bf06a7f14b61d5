"""Assigns all partitions of all topics to one member of the group: the member that decides alerts has to see everything; the
others stand by.

The owner is the member whose static name comes first, so that the work moves only when necessary if a worker joins or
leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

VERSION = 0


class OneOwner(AbstractPartitionAssignor):  # type: ignore[misc]
    """Implements aiokafka's assignor protocol. It remembers nothing."""

    name = "catalogizer-one-owner"

    @classmethod
    def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What a member sends when it joins."""
        return ConsumerProtocolMemberMetadata(VERSION, list(topics), b"")

    @classmethod
    def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Does nothing."""

    @classmethod
    def assign(
        cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """The assignment of each member."""
        topics = sorted({topic for metadata in members.values() for topic in metadata.subscription})
        everything = [(topic, sorted(cluster.partitions_for_topic(topic) or ())) for topic in topics]
        owner = min(members)
        return {
            member: ConsumerProtocolMemberAssignment(VERSION, everything if member == owner else [], b"")
            for member in members
        }
