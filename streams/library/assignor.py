"""Which member of the group has which lane: each keeps what it has, as far as the shares stay even.

A lane that stays goes on from memory, one that moves has its state restored first. So of the lanes as few move as can: those
that nobody has, and what a member has beyond its share. Every member says what it has when it joins; what two claim goes
to the first of them by name, for it decides nothing but how long a lane takes: whose it is the group says, and the lane's
own producer sees to it that there is one only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

VERSION = 0


class KeepingAssignor:
    """Of one consumer: it remembers what that one was given. The protocol of Kafka's consumer groups, as aiokafka calls it
    (`AbstractPartitionAssignor`; there its methods are the class's, and all consumers of a process would share them)."""

    name = "catalogizer-keeping"

    def __init__(self) -> None:
        self._given: tuple[int, ...] = ()

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What this member says when it joins."""
        return ConsumerProtocolMemberMetadata(VERSION, list(topics), _encode(self._given))

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """What this member was given."""
        self._given = tuple(partition.partition for partition in assignment.partitions())

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """What each member is to have, of the one topic that all subscribe."""
        topics = {topic for metadata in members.values() for topic in metadata.subscription}
        shares: dict[str, dict[str, list[int]]] = {member: {} for member in members}
        for topic in sorted(topics):
            lanes = sorted(cluster.partitions_for_topic(topic) or ())
            claims = {member: _decode(metadata.user_data) for member, metadata in members.items()}
            for member, share in shared_out(lanes, claims).items():
                shares[member][topic] = share
        return {
            member: ConsumerProtocolMemberAssignment(VERSION, sorted(topics.items()), b"")
            for member, topics in shares.items()
        }


def shared_out(lanes: Iterable[int], claims: Mapping[str, Iterable[int]]) -> dict[str, list[int]]:
    """Each lane to one member, shares that differ by one at most. `claims`: what each member has had."""
    free = set(lanes)
    fewest, more = divmod(len(free), len(claims))
    shares: dict[str, list[int]] = {}
    for member in sorted(claims):
        kept = sorted(free.intersection(claims[member]))
        shares[member] = kept[: fewest + (more > 0)]
        more -= len(shares[member]) > fewest
        free.difference_update(shares[member])
    for lane in sorted(free):
        shares[min(shares, key=lambda member: (len(shares[member]), member))].append(lane)
    return {member: sorted(share) for member, share in shares.items()}


def _encode(lanes: Iterable[int]) -> bytes:
    return ",".join(map(str, lanes)).encode()


def _decode(data: bytes | None) -> list[int]:
    """Nothing where it is not ours to read: a member of another program claims nothing."""
    return [int(part) for part in (data or b"").split(b",") if part.isdigit()]
