"""How far the group is, and each of its targets."""

from __future__ import annotations

from streams.alerts.pending import Line, Pending, read_metadata
from streams.guard import Received

TARGETS = ("webhook", "mail:a@b")


def line(*failed: tuple[int, str], count: int, begin: int = 0, reached: str = "", taken: set[str]) -> Line:
    """`count` alerts on their way, of which these targets have taken all but what has failed."""
    found = Line(TARGETS, begin, read_metadata(reached)[1])
    for offset in range(begin, begin + count):
        left = {target for target in TARGETS if found.takes(target, offset)}
        alert = Pending(Received("t", 0, offset, 0, None, b"", ()), None, left)
        for target in taken & left:
            alert.settled(target, "no" if (offset, target) in failed else None)
        found.add(alert)
    found.read_to(begin + count)
    return found


def settle(found: Line) -> int:
    while found.first_settled is not None:
        found.leave_first()
    return found.next_offset


def test_the_group_stays_before_what_is_not_settled_and_each_target_is_remembered_where_it_is() -> None:
    before = line(count=3, taken={"webhook"})
    assert settle(before) == 0
    again = line(count=4, reached=before.metadata("e"), taken=set())
    assert [again.takes("webhook", n) for n in range(4)] == [False, False, False, True]
    assert [again.takes("mail:a@b", n) for n in range(4)] == [True] * 4
    assert again.metadata("e") == before.metadata("e")


def test_what_all_have_settled_is_left_and_leaves_nothing_to_remember() -> None:
    found = line(count=3, taken=set(TARGETS))
    assert (settle(found), read_metadata(found.metadata("e")), len(found)) == (3, ("e", {}), 0)


def test_what_a_target_has_not_taken_for_good_is_tried_again_after_a_restart_until_it_is_left() -> None:
    found = line((1, "webhook"), count=3, taken={"webhook"})
    again = line(count=3, reached=found.metadata("e"), taken=set())
    assert [again.takes("webhook", n) for n in range(3)] == [False, True, True]
    assert settle(line((1, "webhook"), count=3, taken=set(TARGETS))) == 3


def test_the_end_of_the_log_may_lie_behind_the_last_alert() -> None:
    found = line(count=2, taken=set(TARGETS))
    found.read_to(5)
    assert settle(found) == 5


def test_metadata_of_others_is_ignored() -> None:
    assert [read_metadata(text) for text in ("", "x", "[1]", '{"a":"b"}')] == [(None, {})] * 4


def test_many_targets_have_room_in_the_metadata_of_an_offset() -> None:
    many = Line([f"mail:{n}@example.org" for n in range(50)], 0, {})
    many.add(Pending(Received("t", 0, 0, 0, None, b"", ()), None, {"mail:0@example.org"}))
    many.read_to(10**12)
    assert 0 < len(many.metadata("e")) < 4_096
    assert len(read_metadata(many.metadata("e"))[1]) == 49
