"""Who decides what is worth an alert has every partition; the others have none."""

from __future__ import annotations

from aiokafka.cluster import ClusterMetadata

from streams.alerts.owner import OneOwner

PARTITIONS = {"changes": {0, 1}, "reports": {0}}


class Cluster(ClusterMetadata):  # type: ignore[misc]
    """Of two topics."""

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Those it has."""
        return PARTITIONS.get(topic)


def test_the_member_that_comes_first_has_all_of_what_any_member_reads() -> None:
    members = {name: OneOwner.metadata(["reports", "changes", "gone"]) for name in ("b", "a", "c")}
    shares = OneOwner.assign(Cluster(), members)
    assert {name: share.assignment for name, share in shares.items()} == {
        "a": [("changes", [0, 1]), ("gone", []), ("reports", [0])], "b": [], "c": [],
    }  # fmt: skip
