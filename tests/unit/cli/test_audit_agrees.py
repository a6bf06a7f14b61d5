"""Whatever happens on disk and to the producers, once all is quiet an audit believes what the fold knows: two readers by
the same rules, in code of their own."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cli.audit.belief import LaneBelief
from cli.audit.findings import Repeated
from tests.support.refold import HEADERS, Stored, stored
from tests.support.small_tree import ROOTS
from tests.support.small_world import PLAY_STEPS, Step, World, histories, long_history

Tree = dict[tuple[str, str], tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Logged:
    """A stored record as a reader of Kafka gets it."""

    stored: Stored
    topic: str = "raw"
    partition: int = 0

    @property
    def offset(self) -> int:
        """Of the record."""
        return self.stored.offset

    @property
    def timestamp(self) -> int:
        """Append time."""
        return self.stored.at

    @property
    def key(self) -> bytes | None:
        """The library."""
        return self.stored.key

    @property
    def value(self) -> bytes | None:
        """The record's bytes."""
        return self.stored.value

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """Of any record."""
        return HEADERS


def known(world: World) -> Tree:
    return {
        (root, path): (e.type, *((0, 0) if e.type == "dir" else (e.size, e.mtime_ns)))
        for root, entries in world.lane.fold.state.known.items()
        for path, e in entries.items()
    }


def agree(history: list[Step]) -> None:
    world = World()
    world.live(history)
    world.settle_down()
    belief = LaneBelief(0, ROOTS)
    for record in stored(world.lane.log):
        belief.read(Logged(record))
    believed: Tree = {
        (name, path): (str(node.type), node.size, node.mtime_ns)
        for name, root in belief.roots.items()
        if root.tree is not None
        for path, node in root.tree.walk()
    }
    assert believed == known(world)
    assert [f for f in belief.findings() if f.severity == "fault"] == []
    resent = sum(f.last_seq - f.first_seq + 1 for f in belief.findings() if isinstance(f, Repeated))
    assert resent >= belief.dropped["resent"]


@settings(max_examples=100, deadline=None)
@given(histories)
def test_it_believes_what_the_fold_knows(history: list[Step]) -> None:
    agree(history)


@settings(max_examples=60, deadline=None)
@example(long_history(4029226))
@example(long_history(976, play=PLAY_STEPS))
@given(
    st.integers(0, 2**32).map(long_history)
    | st.integers(0, 2**32).map(lambda seed: long_history(seed, play=PLAY_STEPS))
)
def test_after_a_long_history_too(history: list[Step]) -> None:
    agree(history)
