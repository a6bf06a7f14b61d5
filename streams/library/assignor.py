"""Which member of the group gets which lane: each keeps its lanes, as far as the shares stay even.

A lane that stays continues from memory; one that moves has its state restored first. So as few lanes as possible move: those
without an owner, and those beyond a member's share. Every member claims its lanes when it joins. A lane that two members
claim is assigned to the first of them by name; this affects only how soon the lane is live, because the group decides the
owner, and the lane's transactional producer ensures that there is only one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

VERSION = 0


class KeepingAssignor:
    """The assignor of one consumer: it remembers that consumer's lanes. It implements aiokafka's protocol
    (`AbstractPartitionAssignor`; there the methods are class methods, so that all consumers of a process would share
    them)."""

    name = "catalogizer-keeping"

    def __init__(self) -> None:
        self._given: tuple[int, ...] = ()

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What this member sends when it joins: its claims."""
        return ConsumerProtocolMemberMetadata(VERSION, list(topics), _encode(self._given))

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Remember the lanes assigned to this member."""
        self._given = tuple(partition.partition for partition in assignment.partitions())

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Assign the lanes of the one topic to which all members subscribe."""
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
    """Assign each lane to one member; the shares differ by one at most. `claims`: the lanes that each member had."""
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
    """The claimed lanes; none if the data is not ours: a member of another program claims nothing."""
    return [int(part) for part in (data or b"").split(b",") if part.isdigit()]
