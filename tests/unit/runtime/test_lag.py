"""Lag in seconds is the age of the oldest record not processed, never too little, and 0 at rest."""

from __future__ import annotations

from itertools import count

from prometheus_client import REGISTRY

from runtime.lag import Lag, Reached

_names = (f"reader-{number}" for number in count())
PLACE = ("t", 0)


class Reader:
    """A reader of one partition under a label of its own."""

    def __init__(self) -> None:
        self.name = next(_names)
        self._lag = Lag(self.name)

    def at(self, now: float, reached: Reached, end: int) -> tuple[float | None, float | None]:
        """Records and seconds that are shown then."""
        self._lag.show({PLACE: reached}, {PLACE: end}, now)
        return self.shown("lag_records"), self.shown("lag_seconds")

    def gone(self, now: float) -> None:
        """The partition is another one's."""
        self._lag.show({}, {PLACE: 9}, now)

    def shown(self, what: str) -> float | None:
        labels = {"reader": self.name, "topic": "t", "partition": "0"}
        return REGISTRY.get_sample_value(f"catalogizer_reader_{what}", labels)


def test_at_the_end_it_is_none() -> None:
    reader = Reader()
    assert reader.at(1_000, Reached(5, at=10_000), end=5) == (0, 0)
    assert reader.shown("next_offset") == 5


def test_behind_it_is_the_age_of_the_last_record_processed() -> None:
    assert Reader().at(1_000, Reached(5, at=940_000), end=8) == (3, 60)


def test_a_record_after_an_hour_of_rest_is_as_old_as_the_last_look_and_not_as_the_record_before() -> None:
    reader = Reader()
    reader.at(5_000, Reached(5, at=1_400_000), end=5)
    assert reader.at(5_005, Reached(5, at=1_400_000), end=6) == (1, 5)


def test_it_grows_while_the_reader_stands_still() -> None:
    reader = Reader()
    reader.at(5_000, Reached(5), end=5)
    assert [reader.at(5_000 + n, Reached(5), end=6)[1] for n in (5, 10, 65)] == [5, 10, 65]


def test_a_reader_that_has_processed_nothing_yet_is_behind_since_it_was_first_seen() -> None:
    reader = Reader()
    assert reader.at(5_000, Reached(0), end=6) == (6, 0)
    assert reader.at(5_030, Reached(0), end=6) == (6, 30)


def test_an_end_older_than_the_position_is_no_lag() -> None:
    assert Reader().at(1_000, Reached(9, at=900_000), end=8) == (0, 0)


def test_a_partition_that_is_no_longer_read_is_not_shown_and_begins_anew() -> None:
    reader = Reader()
    reader.at(5_000, Reached(0), end=6)
    reader.gone(5_010)
    assert {reader.shown(what) for what in ("lag_records", "lag_seconds", "next_offset")} == {None}
    assert reader.at(5_020, Reached(0), end=6) == (6, 0)


def test_where_the_end_is_not_known_what_was_shown_stays() -> None:
    lag, name = Lag(name := next(_names)), name
    lag.show({PLACE: Reached(5, at=940_000)}, {PLACE: 8}, 1_000)
    lag.show({PLACE: Reached(6, at=941_000)}, {}, 1_001)
    labels = {"reader": name, "topic": "t", "partition": "0"}
    assert REGISTRY.get_sample_value("catalogizer_reader_lag_records", labels) == 3
