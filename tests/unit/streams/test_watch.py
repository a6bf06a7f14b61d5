"""Work without movement is stillness; no work, movement, or a Kafka that does not answer is not."""

from __future__ import annotations

from streams.watch import Movement, Stillness


def moving(queue: int, position: int, left: int = 0) -> Movement:
    return Movement({"jobs": queue}, (position, left))


def still(*measured: Movement | None) -> list[float]:
    """Seconds of stillness after each measurement, five seconds apart."""
    stillness = Stillness(0.0)
    return [stillness.note(movement, 5.0 * n) for n, movement in enumerate(measured, 1)]


def test_work_without_movement_is_stillness() -> None:
    assert still(*[moving(3, 10)] * 4) == [0, 5, 10, 15]


def test_a_growing_queue_is_no_movement() -> None:
    assert still(moving(3, 10), moving(4, 10), moving(5, 10)) == [0, 5, 10]


def test_fetching_or_leaving_a_record_is_movement() -> None:
    assert still(moving(3, 10), moving(3, 10), moving(2, 11), moving(2, 11, 1)) == [0, 5, 0, 0]


def test_without_work_there_is_nothing_to_move() -> None:
    assert still(*[moving(0, 10)] * 3, moving(1, 10), moving(1, 10)) == [0, 0, 0, 5, 10]


def test_nothing_is_concluded_while_kafka_is_away() -> None:
    assert still(moving(3, 10), moving(3, 10), None, moving(3, 10), moving(3, 10)) == [0, 5, 0, 0, 5]
