"""Where a projector goes on: laws of the decision."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.projector.positions import (
    Begin,
    Decision,
    GoOn,
    GroupOffset,
    LogRange,
    OtherEpoch,
    Overtaken,
    PartitionPosition,
    RefuseAhead,
    Rewind,
    Shorter,
    decide,
    mark,
)

LOG = LogRange(beginning=10, end=100, epoch="e")
OURS, OPERATORS = mark("e"), ""


@pytest.mark.parametrize(
    ("database", "group", "expected"),
    [
        pytest.param(None, None, Begin(10), id="the first start begins where the log begins"),
        pytest.param(None, GroupOffset(50, OPERATORS), Begin(10), id="a reset of nothing projected skips nothing"),
        pytest.param(50, None, GoOn(50), id="a group that has forgotten changes nothing"),
        pytest.param(50, GroupOffset(50, OURS), GoOn(50), id="in agreement"),
        pytest.param(50, GroupOffset(40, OURS), GoOn(50), id="killed between database and group: database wins"),
        pytest.param(50, GroupOffset(60, OURS), GoOn(50), id="a restored database wins over its newer group"),
        pytest.param(50, GroupOffset(20, OPERATORS), Rewind(20, 50), id="an operator's reset is honoured"),
        pytest.param(50, GroupOffset(3, OPERATORS), Rewind(10, 50), id="a reset goes no further than the log"),
        pytest.param(50, GroupOffset(50, OPERATORS), GoOn(50), id="a reset to where it is changes nothing"),
        pytest.param(50, GroupOffset(60, OPERATORS), RefuseAhead(50, 60), id="a reset ahead is refused"),
        pytest.param(10, GroupOffset(3, OPERATORS), GoOn(10), id="a reset to before the log from its beginning"),
        pytest.param(9, None, Overtaken(9), id="what retention removed was never projected: alarm"),
        pytest.param(9, GroupOffset(60, OPERATORS), Overtaken(9), id="no reset ahead heals a hole"),
        pytest.param(100, None, GoOn(100), id="all projected"),
        pytest.param(101, None, Shorter(101), id="a log shorter than its rows: alarm"),
    ],
)
def test_where_to_go_on(database: int | None, group: GroupOffset | None, expected: Decision) -> None:
    position = None if database is None else PartitionPosition(database, "e")
    assert decide(position, group, LOG) == expected


def test_another_epoch_is_an_alarm_wherever_the_positions_are() -> None:
    assert decide(PartitionPosition(50, "before"), GroupOffset(20, OPERATORS), LOG) == OtherEpoch("before")


offsets = st.integers(0, 120)


@given(
    offsets, st.none() | st.builds(GroupOffset, offsets, st.sampled_from([OURS, OPERATORS, "x"])), offsets, offsets
)
def test_nothing_is_ever_skipped(at: int, group: GroupOffset | None, beginning: int, end: int) -> None:
    match decide(PartitionPosition(at, "e"), group, LogRange(beginning, end, "e")):
        case GoOn(to) | Rewind(to, _) | RefuseAhead(to, _):
            assert beginning <= to <= at <= end
        case Overtaken():
            assert at < beginning
        case Shorter():
            assert at > end
        case Begin() | OtherEpoch():
            raise AssertionError("it had begun, in this epoch")
