"""Who has a root, according to the log of leases: all readers agree, whatever is late."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from producer import tenure
from producer.core.lease import (
    SILENCE_SECONDS,
    SURE_SECONDS,
    TRANSITIONS,
    HeldBy,
    Holder,
    Leases,
    LeaseState,
    Me,
    step,
)
from producer.database import Database
from producer.memory import commands_read, paused
from producer.outbox import LIVE, TERM, Outbox, Unsent
from schemas.leases import Beat, Claim, Holding, LeaseRecord
from schemas.raw import FileState
from tests.support.producer_root import SkippingClock

ROOT = "films"
AT = "2026-11-24T10:30:00.000Z"


def me(name: str, life: int = 1) -> Me:
    return Me(name, f"{name}{life}", "host", life)


ONE, ONE_AGAIN, OTHER = me("one"), me("one", 2), me("other")


def beat(
    of: Me, term: int = 0, *, leaving: bool = False, commands_read: int | None = None, left: int | None = None
) -> Beat:
    roots = {ROOT: Holding(term=term, commands_read=commands_read)} if term else {}
    let_go = {} if left is None else {ROOT: left}
    return Beat(
        producer=of.producer,
        life=of.life,
        host=of.host,
        pid=of.pid,
        at=AT,
        leaving=leaving,
        roots=roots,
        left=let_go,
    )


def claim(of: Me, term: int, after: int) -> Claim:
    return Claim(
        root=ROOT, term=term, after=after, producer=of.producer, life=of.life, host=of.host, pid=of.pid, at=AT
    )


def reading(who: Me, *records: LeaseRecord, at: float = 0.0) -> Leases:
    """All of a log, read to its end at a time."""
    leases = Leases(who)
    for record in records:
        leases.read(record, at)
    leases.complete(at)
    return leases


def test_the_table_names_every_case() -> None:
    assert set(TRANSITIONS) == set(itertools.product(get_args(LeaseState), get_args(HeldBy)))


def test_a_process_that_cannot_read_the_log_sends_nothing_and_claims_nothing() -> None:
    for state in get_args(LeaseState):
        after, action = step(state, "unknown")
        assert (after != "holding", action) == (True, None)


def test_of_claims_that_follow_the_same_one_the_first_in_the_log_is_valid() -> None:
    records = (claim(ONE, 5, 0), claim(OTHER, 6, 0), claim(OTHER, 6, 5), claim(ONE_AGAIN, 6, 5))
    holders = [reading(OTHER, *records[:count]).holder(ROOT) for count in range(5)]
    assert [None if holder is None else (holder.life, holder.term) for holder in holders] == [
        None, ("one1", 5), ("one1", 5), ("other1", 6), ("other1", 6),
    ]  # fmt: skip


def test_terms_rise_with_the_change_log_where_the_log_of_leases_was_lost() -> None:
    assert reading(ONE, claim(OTHER, 5, 0)).claim(ROOT, 3, AT).term == 6
    assert reading(ONE).claim(ROOT, 1_000, AT).term == 1_001


def test_a_holder_whose_claim_was_lost_with_the_log_is_known_by_its_heartbeats() -> None:
    leases = reading(ONE, beat(OTHER, 50), claim(ONE, 3, 0))
    holder = leases.holder(ROOT)
    assert holder is not None
    assert (holder.life, holder.term) == ("other1", 50)
    assert reading(ONE, claim(ONE, 3, 0), claim(OTHER, 51, 50)).holder(ROOT) == Holder(
        51, "other", "other1", "host", 1
    )


@pytest.mark.parametrize(
    ("records", "who"),
    [
        ((), "nobody"),
        ((claim(OTHER, 1, 0),), "living"),
        ((claim(OTHER, 1, 0), beat(OTHER, 1, leaving=True)), "gone"),
        ((claim(OTHER, 1, 0), beat(OTHER, left=1)), "gone"),
        ((claim(OTHER, 1, 0), beat(OTHER, left=1), claim(OTHER, 2, 1), beat(OTHER, 2)), "living"),
        ((claim(OTHER, 2, 0), beat(OTHER, left=1)), "living"),  # the release was written before the claim was read
        ((claim(ONE, 1, 0),), "my_past"),
        ((claim(ONE_AGAIN, 1, 0), claim(ONE, 2, 1)), "living"),  # a copy of our state folder is in use
    ],
)
def test_who_has_it(records: tuple[LeaseRecord, ...], who: HeldBy) -> None:
    assert reading(ONE_AGAIN, *records).held_by(ROOT, 1.0) == who


def test_a_holder_is_gone_when_the_log_was_read_for_so_long_and_had_no_record_of_it() -> None:
    leases = reading(ONE, claim(OTHER, 1, 0))
    leases.complete(SILENCE_SECONDS - 0.1)
    assert leases.held_by(ROOT, SILENCE_SECONDS) == "living"
    leases.complete(SILENCE_SECONDS)
    assert leases.held_by(ROOT, SILENCE_SECONDS) == "gone"
    leases.read(beat(OTHER, 1), SILENCE_SECONDS)
    assert leases.held_by(ROOT, SILENCE_SECONDS) == "living"


def test_a_process_that_was_suspended_or_cut_off_takes_nobody_for_silent() -> None:
    leases = reading(ONE, claim(OTHER, 1, 0))
    assert leases.held_by(ROOT, 1_000.0) == "unknown"
    leases.reconnected()
    leases.complete(1_000.0)
    assert leases.held_by(ROOT, 1_000.0) == "living"
    leases.complete(1_000.0 + SILENCE_SECONDS)
    assert leases.held_by(ROOT, 1_000.0 + SILENCE_SECONDS) == "gone"


def test_ours_is_ours_while_our_heartbeats_arrive() -> None:
    leases = reading(ONE, claim(ONE, 1, 0))
    assert leases.held_by(ROOT, 1.0) == "unknown"
    leases.arrived(0.5)
    assert leases.held_by(ROOT, 1.0) == "me"
    leases.complete(6.6)
    assert leases.held_by(ROOT, 0.5 + SURE_SECONDS) == "unknown"
    leases.read(claim(OTHER, 2, 1), 7.0)
    leases.arrived(7.0)
    assert leases.held_by(ROOT, 7.0) == "living"


def test_how_far_commands_were_read_is_reported_by_the_holder() -> None:
    leases = reading(ONE, claim(OTHER, 2, 0), beat(OTHER, 2, commands_read=7), beat(ONE, 1, commands_read=9))
    assert leases.handed_over == {ROOT: Holding(term=2, commands_read=7)}


# -- any number of processes, and whatever is late -------------------------------------------------------------


@dataclass
class Process:
    """One that claims, reads, declares and lives, each in its turn; what it writes may arrive late."""

    me: Me
    leases: Leases
    read: int = 0
    state: LeaseState = "outside"
    under_way: list[Claim | int] = field(default_factory=list)


class Cluster:
    """Two logs and processes. The change log is a list of terms, one for each declaration."""

    def __init__(self) -> None:
        self.lease_log: list[LeaseRecord] = []
        self.change_log: list[int] = []
        self.processes = [Process(who, Leases(who)) for who in (ONE, OTHER, me("third"))]

    def turn(self, number: int, action: str, now: float) -> None:
        """One action of a process, or of the network with a record on its way."""
        process = self.processes[number]
        match action:
            case "read":
                for record in self.lease_log[process.read :]:
                    process.leases.read(record, now)
                process.read = len(self.lease_log)
                process.leases.complete(now)
                process.leases.arrived(now)
            case "deliver" if process.under_way:
                written = process.under_way.pop(0)
                if isinstance(written, Claim):
                    self.lease_log.append(written)
                else:
                    self.change_log.append(written)
            case "stand":
                process.state, act = step(process.state, process.leases.held_by(ROOT, now))
                if act == "claim":
                    process.under_way.append(process.leases.claim(ROOT, len(self.change_log), AT))
                elif act == "begin":
                    process.under_way.append(process.leases.mine()[ROOT].term)
            case "let_go" if ROOT in (held := process.leases.mine()):
                process.leases.release(ROOT)
                self.lease_log.append(beat(process.me, left=held[ROOT].term))
                process.state = "outside"
            case "live" if process.state == "holding":
                self.lease_log.append(beat(process.me, process.leases.mine()[ROOT].term))
            case _:
                pass

    def adopted(self) -> int:
        """The term that the fold has: of declarations only a higher one counts."""
        return max(self.change_log, default=0)


TURNS = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from(["read", "read", "deliver", "stand", "let_go"]), st.integers(0, 12)
    ),
    max_size=120,
)


@settings(deadline=None, max_examples=300)
@example(
    [(1, "read", 0), (1, "stand", 0), (1, "deliver", 0), (0, "read", 0), (0, "read", 3)]
)  # silent for 8 s at the end
@given(TURNS)
def test_whatever_is_late_all_agree_in_the_end_and_the_fold_follows_the_holder(
    turns: list[tuple[int, str, int]],
) -> None:
    cluster, now = Cluster(), 0.0
    for number, action, seconds in turns:
        now += seconds
        cluster.turn(number, action, now)
    for _ in range(6):  # the network works again, nobody is suspended, and the holder of the root sends heartbeats
        now += 1
        for number in range(3):
            for action in ("deliver",) * 40 + ("read", "stand", "live"):
                cluster.turn(number, action, now)
    holders = {process.leases.holder(ROOT) for process in cluster.processes}
    assert len(holders) == 1
    (holder,) = holders
    holding = [process for process in cluster.processes if process.state == "holding"]
    assert [process.leases.holder(ROOT) for process in holding] == [holder]
    assert holding[0].leases.mine().keys() == {ROOT}
    assert holder is not None
    assert cluster.adopted() == holder.term


def test_a_root_that_was_released_is_ours_no_more_until_it_is_claimed_again() -> None:
    leases = reading(ONE, claim(ONE, 1, 0), beat(ONE, 1))
    leases.arrived(0.5)
    leases.release(ROOT)
    assert (leases.held_by(ROOT, 1.0), leases.mine(), leases.released()) == ("my_past", {}, {ROOT: 1})
    leases.read(leases.claim(ROOT, 0, AT), 1.0)
    assert (leases.held_by(ROOT, 1.0), leases.released()) == ("me", {})


# -- the outbox across claims ----------------------------------------------------------------------------------


@pytest.fixture
def database() -> Database:
    """The database of a root, with a record that waits."""
    database = Database(Path(":memory:"))
    assert not tenure.begin(database, held(ONE, 3), None)
    observe(database)
    return database


def observe(database: Database) -> None:
    outbox = Outbox(database, ROOT, SkippingClock())
    with database.transaction():
        outbox.begin()
        outbox.observed("a", FileState("file", 1, 1, 1, 1), LIVE)
        outbox.end()


HANDED_ON = Holding(term=8, commands_read=5, paused="scans")


def held(by: Me, term: int, follows: Holder | None = None) -> Holder:
    return Holder(term, by.producer, by.life, by.host, by.pid, follows)


def test_an_outbox_continues_under_a_claim_that_follows_its_own(database: Database) -> None:
    epoch = database.get("epoch")
    assert tenure.is_ours(database)
    assert tenure.begin(database, held(ONE_AGAIN, 9, held(ONE, 3)), HANDED_ON)
    assert (database.get("epoch"), database.get(TERM), len(Unsent(database).first(9))) == (epoch, "9", 1)
    assert tenure.begin(database, held(ONE_AGAIN, 9, held(ONE, 3)), HANDED_ON)


@pytest.mark.parametrize("before", [None, held(OTHER, 3), held(OTHER, 5), held(ONE, 4)])
def test_where_another_claim_came_in_between_it_starts_over(database: Database, before: Holder | None) -> None:
    assert not tenure.begin(database, held(ONE_AGAIN, 9, before), HANDED_ON)
    assert (database.get("epoch"), database.get(TERM), Unsent(database).first(9)) == (None, "9", [])
    assert (commands_read(database), paused(database)) == (5, "scans")


def test_a_process_killed_right_after_its_claim_is_known_by_it_in_its_next_life(database: Database) -> None:
    tenure.record_claim(database, claim(ONE_AGAIN, 9, 3), held(ONE, 3))
    tenure.record_claim(database, claim(me("one", 3), 12, 9), held(ONE_AGAIN, 9))
    assert tenure.begin(database, held(me("one", 4), 20, held(me("one", 3), 12)), None)


def test_a_claim_that_was_lost_to_another_does_not_let_it_continue(database: Database) -> None:
    tenure.record_claim(database, claim(ONE_AGAIN, 9, 3), held(ONE, 3))
    assert not tenure.begin(database, held(ONE_AGAIN, 10, held(OTHER, 9)), None)


def test_a_claim_that_follows_another_producers_does_not_let_it_continue_either(database: Database) -> None:
    tenure.record_claim(
        database, claim(ONE_AGAIN, 9, 5), held(ONE, 3)
    )  # another producer's claim, 5, came in between
    assert not tenure.begin(database, held(me("one", 3), 12, held(ONE_AGAIN, 9)), None)


def test_a_root_that_was_given_up_is_not_ours(database: Database) -> None:
    tenure.give_up(database)
    assert not tenure.is_ours(database)


def test_what_was_being_sent_when_the_outbox_started_over_deletes_nothing_of_the_next_epoch(
    database: Database,
) -> None:
    unsent = Unsent(database)
    (row,) = unsent.first(9)
    tenure.begin(database, held(ONE_AGAIN, 9), None)
    observe(database)
    unsent.forget(row)
    (other,) = unsent.first(9)
    assert (other.seq, other.value != row.value) == (row.seq, True)
    unsent.forget(other)
    assert unsent.first(9) == []
