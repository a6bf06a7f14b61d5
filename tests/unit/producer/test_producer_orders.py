"""What operators ask of a root: carried out once, and only what differs is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from producer.condition import Condition
from producer.errors import Forgotten
from producer.memory import commands_read
from producer.orders import CommandOutcome, Order
from schemas import raw
from schemas.admin import AcceptRoot, Control, RescanRoot, RetireRoot
from tests.fakes.producer_backend import FakeBackend, Node
from tests.support.lane import Lane, kinds
from tests.support.producer_root import RootBench, said

AT = "2026-11-24T10:30:00.000Z"


def rescan(subtree: str = "", id: str = "r1") -> RescanRoot:
    return RescanRoot(id=id, root="films", by="admin", at=AT, reason="asked", subtree=subtree)


def accept(id: str = "a1") -> AcceptRoot:
    return AcceptRoot(id=id, root="films", by="admin", at=AT)


def restored(backend: FakeBackend) -> None:
    """The same tree on another disk: everything has another identity, as `cp -a` leaves it."""
    known, backend.nodes = dict(backend.nodes), {}
    backend.unmount()
    backend.nodes = {}
    for path, node in known.items():
        backend.inodes += 1
        backend.nodes[path] = Node(node.type, backend.inodes, node.content, node.mtime_ns)


@pytest.fixture
def backend() -> FakeBackend:
    backend = FakeBackend()
    for path in ("Series", "Series/S1", "Films"):
        backend.make(path, "dir")
    for number in range(4):
        backend.make(f"Series/S1/{number}.mkv", "file", f"{number}".encode() * 100)
    backend.make("Films/a.mkv", "file", b"a" * 100)
    return backend


@pytest.fixture
def bench(tmp_path: Path, backend: FakeBackend) -> Iterator[RootBench]:
    """A root whose baseline was told."""
    with RootBench(tmp_path, backend=backend) as bench:
        bench.settle()
        yield bench


def ask(bench: RootBench, command: Control | None, next_offset: int = 1) -> list[str]:
    bench.orders.append(Order(next_offset, command))
    return said(bench.settle())


def outcome(bench: RootBench) -> CommandOutcome | None:
    condition: Condition = bench.keeper.condition()
    return condition.outcome


def unseen(backend: FakeBackend, path: str, content: bytes = b"x") -> None:
    """A file that no event tells of."""
    backend.inodes += 1
    backend.nodes[path] = Node("file", backend.inodes, content, backend.inodes)


# -- a scan on request -----------------------------------------------------------------------------------------


def test_a_rescan_tells_what_differs_with_cause_requested_and_what_came_of_it(
    bench: RootBench, backend: FakeBackend
) -> None:
    unseen(backend, "Films/b.mkv")
    assert ask(bench, rescan()) == [
        "ScanStarted scan requested", "+ Films/b.mkv", "# Films/b.mkv", "ScanFinished scan requested",
    ]  # fmt: skip
    assert outcome(bench) == CommandOutcome("r1", True, "scanned: 1 added, 0 changed, 0 moved, 0 gone")


def test_a_rescan_of_a_directory_looks_at_it_and_nothing_else(bench: RootBench, backend: FakeBackend) -> None:
    unseen(backend, "Films/b.mkv")
    del backend.nodes["Series/S1/0.mkv"]
    bench.orders.append(Order(1, rescan("Series")))
    records = bench.settle()
    assert said(records) == ["ScanStarted scan requested", "- Series/S1/0.mkv", "ScanFinished scan requested"]
    assert {r.subtree for r in records if isinstance(r, raw.ScanStarted | raw.ScanFinished)} == {"Series"}


@pytest.mark.parametrize(
    ("subtree", "scanned"),
    [("New/deep", ""), ("Films/b.mkv", "Films"), ("../../etc", ""), ("Series/S1/0.mkv", "Series/S1")],
)
def test_what_is_no_known_directory_is_scanned_with_the_nearest_above_it(
    bench: RootBench, backend: FakeBackend, subtree: str, scanned: str
) -> None:
    unseen(backend, "Films/b.mkv")
    bench.orders.append(Order(1, rescan(subtree)))
    started = [record for record in bench.settle() if isinstance(record, raw.ScanStarted)]
    assert [record.subtree for record in started] == [scanned]


def test_all_of_a_root_is_told_again_and_what_is_gone_is_missed_by_who_compares(
    bench: RootBench, backend: FakeBackend
) -> None:
    again = msgspec.structs.replace(rescan(), again=True)
    assert len([one for one in ask(bench, again) if one.startswith("+")]) == len(backend.nodes) - 1
    records = [r for r in bench.everything() if isinstance(r, raw.ScanStarted | raw.ScanFinished)][-2:]
    assert [(r.origin, r.cause) for r in records] == [("baseline", "requested")] * 2
    assert isinstance(records[1], raw.ScanFinished)
    assert records[1].total == len(backend.nodes) - 1
    assert ask(bench, rescan(id="r2"), 2) == ["ScanStarted scan requested", "ScanFinished scan requested"]


def test_a_directory_that_is_gone_is_told_to_be(bench: RootBench, backend: FakeBackend) -> None:
    for path in [path for path in backend.nodes if path.startswith("Films")]:
        del backend.nodes[path]
    assert ask(bench, rescan("Films"))[1:-1] == ["- Films/a.mkv", "- Films"]


def test_a_rescan_of_a_directory_heals_no_gap_elsewhere(bench: RootBench, backend: FakeBackend) -> None:
    bench.keeper._scanning.open_gap("overflow", "Films")
    bench.news()
    assert "GapClosed overflow" not in ask(bench, rescan("Series"))
    assert ask(bench, rescan("Films", id="r2"), 2)[-1] == "GapClosed overflow"


def test_a_command_is_carried_out_once_however_often_it_comes_and_the_position_is_kept(bench: RootBench) -> None:
    assert len(ask(bench, rescan(), 7)) == 2
    assert ask(bench, rescan(), 8) == []
    bench.restart()
    assert "ScanStarted scan requested" not in ask(bench, rescan(), 9)
    assert commands_read(bench.database) == 9
    assert ask(bench, None, 12) == []
    assert commands_read(bench.database) == 12


def test_of_a_root_that_is_away_a_rescan_waits_until_it_is_back(bench: RootBench, backend: FakeBackend) -> None:
    known, backend.nodes = backend.nodes, {}
    bench.clock.skipped += 5
    assert ask(bench, rescan()) == ["RootLost missing"]
    told = outcome(bench)
    assert told is not None
    assert (told.done, told.text) == (False, "it is scanned when the root can be observed")
    backend.nodes = known
    bench.clock.skipped += 5
    assert said(bench.settle()) == [
        "RootBack root_back", "ScanStarted scan root_back", "ScanFinished scan root_back",
        "ScanStarted scan requested", "ScanFinished scan requested",
    ]  # fmt: skip
    told = outcome(bench)
    assert told is not None
    assert told.done


def test_a_rescan_cut_short_by_the_loss_of_the_root_is_done_when_it_is_back(
    bench: RootBench, backend: FakeBackend
) -> None:
    bench.orders.append(Order(1, rescan()))
    bench.keeper.turn()
    known, backend.nodes = backend.nodes, {}
    bench.clock.skipped += 5
    assert said(bench.settle()) == ["ScanStarted scan requested", "RootLost missing"]
    backend.nodes = known
    bench.clock.skipped += 5
    assert said(bench.settle())[-1] == "ScanFinished scan requested"
    told = outcome(bench)
    assert told is not None
    assert told.done


# -- a root that was restored or moved -------------------------------------------------------------------------


def test_a_restored_root_stays_lost_until_it_is_accepted_and_then_nothing_differs(
    bench: RootBench, backend: FakeBackend
) -> None:
    restored(backend)
    assert said(bench.settle()) == ["RootLost swapped"]
    bench.orders.append(Order(1, accept()))
    records = bench.settle()
    assert said(records) == [
        "RootDeclared", "RootBack accepted", "ScanStarted scan accepted", "ScanFinished scan accepted",
    ]  # fmt: skip
    declared = records[0]
    assert isinstance(declared, raw.RootDeclared)
    assert declared.identity == backend.identity
    assert outcome(bench) == CommandOutcome("a1", True, "scanned: 0 added, 0 changed, 0 moved, 0 gone")
    assert bench.keeper.condition().state == "watching"
    bench.restart()
    assert said(bench.settle()) == ["RootDeclared", "ScanStarted scan start", "ScanFinished scan start"]


def test_only_true_differences_of_a_restored_root_are_told(bench: RootBench, backend: FakeBackend) -> None:
    restored(backend)
    backend.nodes["Series/S1/0.mkv"].content = b"9" * 100  # size and time as before
    backend.nodes["Series/S1/1.mkv"].mtime_ns += 1
    backend.nodes["Films/moved.mkv"] = backend.nodes.pop("Films/a.mkv")
    del backend.nodes["Series/S1/2.mkv"]
    bench.settle()
    told = ask(bench, accept())
    assert sorted(told[3:-1]) == sorted([
        "+ Series/S1/0.mkv", "# Series/S1/0.mkv", "+ Series/S1/1.mkv", "# Series/S1/1.mkv", "+ Films/moved.mkv",
        "# Films/moved.mkv", "- Films/a.mkv", "- Series/S1/2.mkv",
    ])  # fmt: skip
    assert outcome(bench) == CommandOutcome("a1", True, "scanned: 1 added, 2 changed, 0 moved, 2 gone")


def test_after_it_was_accepted_its_files_are_known_by_their_new_identity(
    bench: RootBench, backend: FakeBackend
) -> None:
    restored(backend)
    bench.settle()
    ask(bench, accept())
    backend.nodes["Films/b.mkv"] = backend.nodes.pop("Films/a.mkv")
    assert ask(bench, rescan(), 2)[1:-1] == ["Films/a.mkv > Films/b.mkv"]
    backend.move("Films", "Filme")
    assert said(bench.settle()) == ["Films > Filme"]


def test_a_restored_root_with_much_missing_needs_a_second_healthy_scan(tmp_path: Path) -> None:
    backend = FakeBackend()
    for number in range(100):
        backend.make(f"{number}.mkv", "file", f"{number}".encode())
    with RootBench(tmp_path, backend=backend) as bench:
        bench.settle()
        restored(backend)
        for number in range(60):
            del backend.nodes[f"{number}.mkv"]
        bench.settle()
        told = ask(bench, accept())
        assert told[-1] == "GapOpen mass_deletion"
        assert [one for one in told if one.startswith("-")] == []
        bench.clock.skipped += 60
        assert len([one for one in said(bench.settle()) if one.startswith("-")]) == 60


def test_an_empty_directory_is_not_accepted(bench: RootBench, backend: FakeBackend) -> None:
    backend.unmount()
    bench.settle()
    assert ask(bench, accept()) == []
    told = outcome(bench)
    assert told is not None
    assert told.text.startswith("not accepted: another directory stands at its path")
    assert bench.keeper.condition().state == "lost"


def test_where_the_known_root_stands_there_is_nothing_to_accept(bench: RootBench) -> None:
    assert ask(bench, accept()) == []
    assert outcome(bench) == CommandOutcome("a1", True, "nothing to accept: it is the root that is known")


def test_an_acceptance_cut_short_goes_on_at_the_next_start(bench: RootBench, backend: FakeBackend) -> None:
    restored(backend)
    bench.settle()
    bench.orders.append(Order(1, accept()))
    bench.keeper.turn()
    bench.restart()
    told = said(bench.settle())
    assert [one for one in told if one[:1] in "+-#"] == []
    assert bench.keeper.condition().state == "watching"


def test_the_fold_tells_nothing_of_files_that_were_only_restored_and_keeps_their_ids(
    bench: RootBench, backend: FakeBackend
) -> None:
    lane = Lane()
    before = bench.everything()
    opened = [one for record in before for one in lane.put(record)] + lane.quiet()
    restored(backend)
    backend.nodes["Films/moved.mkv"] = backend.nodes.pop("Films/a.mkv")
    bench.settle()
    ask(bench, accept())
    told = [one for record in bench.everything()[len(before) :] for one in lane.put(record)] + lane.quiet()
    assert [one for one in kinds(told) if "_changed" not in one] == [
        "moved Films/moved.mkv", "media updated", "job",  # its first one, which has no result yet, asked anew
    ]  # fmt: skip
    (moved,) = [one for one in told if one.value and one.value.get("kind") == "moved"]
    (created,) = [
        one for one in opened if one.value and one.value.get("path") == "Films/a.mkv" and "kind" in one.value
    ]
    assert moved["media_id"] == created["media_id"]


def retired(next_offset: int = 1) -> Order:
    return Order(next_offset, RetireRoot(id="x1", root="films", by="admin", at=AT), anew=True)


def test_a_root_that_was_retired_and_is_watched_again_tells_everything_anew(bench: RootBench) -> None:
    (before,) = {record.epoch for record in bench.everything() if isinstance(record, raw.ProducerRecord)}
    bench.database.execute("DELETE FROM outbox")
    bench.orders.append(retired())
    with pytest.raises(Forgotten):
        bench.settle()
    bench.begin_again()
    bench.settle()
    told = bench.everything()
    assert isinstance(told[0], raw.RootDeclared)
    assert (told[0].epoch != before, told[0].seq) == (True, 1)
    assert {record.path for record in told if isinstance(record, raw.Observed)} == {
        "Series", "Series/S1", *(f"Series/S1/{n}.mkv" for n in range(4)), "Films", "Films/a.mkv",
    }  # fmt: skip
    assert commands_read(bench.database) == 1


def test_it_waits_until_the_log_has_what_was_said_before(bench: RootBench) -> None:
    bench.orders.append(retired())
    bench.keeper.turn()
    assert len(bench.orders) == 1
    bench.database.execute("DELETE FROM outbox")
    with pytest.raises(Forgotten):
        bench.keeper.turn()
    assert not bench.orders
