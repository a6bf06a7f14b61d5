"""A client that has more delays only its own."""

from __future__ import annotations

from gateway.core.turns import Turns


def test_clients_take_turns_and_so_do_the_items_of_one() -> None:
    turns: Turns[str] = Turns()
    for item in ("a1", "a2", "a3", "b1", "c1", "b2"):
        turns.add(item[0], item)
    assert [turns.take() for _ in range(6)] == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert not turns


def test_a_newcomer_waits_for_one_item_of_each_client_before_it() -> None:
    turns: Turns[int] = Turns()
    for n in range(1_000):
        turns.add("many", n)
    turns.add("one", -1)
    assert [turns.take(), turns.take()] == [0, -1]


def test_the_next_item_of_one_client_can_be_taken() -> None:
    turns: Turns[str] = Turns()
    turns.add("a", "a1")
    turns.add("b", "b1")
    assert turns.has("b")
    assert turns.take("b") == "b1"
    assert not turns.has("b")
    assert turns.take() == "a1"
