"""Shares of the lanes stay even, and of the lanes as few move as can."""

from __future__ import annotations

import random
from collections import Counter

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment as Given

from streams.library.assignor import KeepingAssignor, shared_out


def test_of_nobody_s_lanes_each_gets_its_share() -> None:
    assert shared_out(range(5), {"b": [], "a": []}) == {"a": [0, 2, 4], "b": [1, 3]}


def test_a_new_member_gets_what_the_others_have_beyond_their_share() -> None:
    assert shared_out(range(6), {"a": [0, 1, 2], "b": [3, 4, 5], "c": []}) == {
        "a": [0, 1],
        "b": [3, 4],
        "c": [2, 5],
    }


def test_the_lanes_of_a_former_member_go_to_the_others_and_nothing_else_moves() -> None:
    assert shared_out(range(6), {"a": [0, 1], "c": [2, 5]}) == {"a": [0, 1, 3], "c": [2, 4, 5]}


def test_what_two_claim_goes_to_one() -> None:
    assert shared_out(range(2), {"a": [0, 1], "zombie": [0, 1]}) == {"a": [0], "zombie": [1]}


def test_shares_are_whole_even_and_kept_as_far_as_even_goes() -> None:
    draw = random.Random(5)
    for _ in range(2_000):
        lanes = range(draw.randrange(1, 14))
        names = [f"m{number}" for number in range(draw.randrange(1, 7))]
        claims = {name: [lane for lane in range(15) if draw.random() < 0.3] for name in names}
        shares = shared_out(lanes, claims)
        assert sorted(lane for share in shares.values() for lane in share) == list(lanes)
        sizes = [len(share) for share in shares.values()]
        assert set(shares) == set(names)
        assert max(sizes) - min(sizes) <= 1
        assert shared_out(lanes, shares) == shares
        claimed = Counter(lane for name in names for lane in set(claims[name]) & set(lanes))
        if max(claimed.values(), default=0) <= 1:  # nobody lost one while its share had room for it
            for name in names:
                had = set(claims[name]) & set(lanes)
                assert had <= set(shares[name]) or set(shares[name]) <= had


def test_members_claim_what_they_have() -> None:
    cluster = ClusterMetadata(metadata_max_age_ms=1)
    cluster.partitions_for_topic = lambda _: set(range(4))
    first, second = KeepingAssignor(), KeepingAssignor()
    first.on_assignment(Given(0, [("raw", [0, 1, 2, 3])], b""))
    members = {
        name: ConsumerProtocol.METADATA.decode(assignor.metadata({"raw"}).encode())
        for name, assignor in (("x", first), ("a", second))
    }
    given = first.assign(cluster, members)
    assert {name: one.assignment for name, one in given.items()} == {
        "x": [("raw", [0, 1])],
        "a": [("raw", [2, 3])],
    }
    members["a"].user_data = b"\xff of another program,"
    assert first.assign(cluster, members) == given
