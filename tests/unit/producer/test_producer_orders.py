"""Operators' commands for a root: carried out once, and only what differs is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from producer.condition import Condition
from producer.errors import RootReset
from producer.memory import commands_read
from producer.orders import CommandOutcome, Order
from schemas import raw
from schemas.admin import AcceptRoot, Control, RescanRoot, RetireRoot
from tests.fakes.producer_backend import FakeBackend, Node
from tests.support.lane import Lane, kinds
from tests.support.producer_root import RootBench, in_short

AT = "2026-11-24T10:30:00.000Z"


def rescan(subtree: str = "", id: str = "r1") -> RescanRoot:
    return RescanRoot(id=id, root="films", by="admin", at=AT, reason="requested", subtree=subtree)


def accept(id: str = "a1") -> AcceptRoot:
    return AcceptRoot(id=id, root="films", by="admin", at=AT)


def restored(backend: FakeBackend) -> None:
    """The same tree on another disk: everything has another identity, as after `cp -a`."""
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
    """A root whose baseline was recorded."""
    with RootBench(tmp_path, backend=backend) as bench:
        bench.settle()
        yield bench


def order(bench: RootBench, command: Control | None, next_offset: int = 1) -> list[str]:
    bench.orders.append(Order(next_offset, command))
    return in_short(bench.settle())


def outcome(bench: RootBench) -> CommandOutcome | None:
    condition: Condition = bench.keeper.condition()
    return condition.outcome


def unseen(backend: FakeBackend, path: str, content: bytes = b"x") -> None:
    """A file without an event."""
    backend.inodes += 1
    backend.nodes[path] = Node("file", backend.inodes, content, backend.inodes)


# -- a scan on request -----------------------------------------------------------------------------------------


def test_a_rescan_records_what_differs_with_cause_requested_and_reports_its_outcome(
    bench: RootBench, backend: FakeBackend
) -> None:
    unseen(backend, "Films/b.mkv")
    assert order(bench, rescan()) == [
        "ScanStarted scan requested", "+ Films/b.mkv", "# Films/b.mkv", "ScanFinished scan requested",
    ]  # fmt: skip
    assert outcome(bench) == CommandOutcome("r1", True, "scanned: 1 added, 0 changed, 0 moved, 0 gone")


def test_a_rescan_of_a_directory_looks_at_it_and_nothing_else(bench: RootBench, backend: FakeBackend) -> None:
    unseen(backend, "Films/b.mkv")
    del backend.nodes["Series/S1/0.mkv"]
    bench.orders.append(Order(1, rescan("Series")))
    records = bench.settle()
    assert in_short(records) == ["ScanStarted scan requested", "- Series/S1/0.mkv", "ScanFinished scan requested"]
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


def test_all_of_a_root_is_recorded_again_and_what_is_gone_is_found_by_comparison(
    bench: RootBench, backend: FakeBackend
) -> None:
    again = msgspec.structs.replace(rescan(), again=True)
    assert len([one for one in order(bench, again) if one.startswith("+")]) == len(backend.nodes) - 1
    records = [r for r in bench.everything() if isinstance(r, raw.ScanStarted | raw.ScanFinished)][-2:]
    assert [(r.origin, r.cause) for r in records] == [("baseline", "requested")] * 2
    assert isinstance(records[1], raw.ScanFinished)
    assert records[1].total == len(backend.nodes) - 1
    assert order(bench, rescan(id="r2"), 2) == ["ScanStarted scan requested", "ScanFinished scan requested"]


def test_a_directory_that_is_gone_is_recorded_as_gone(bench: RootBench, backend: FakeBackend) -> None:
    for path in [path for path in backend.nodes if path.startswith("Films")]:
        del backend.nodes[path]
    assert order(bench, rescan("Films"))[1:-1] == ["- Films/a.mkv", "- Films"]


def test_a_rescan_of_a_directory_closes_no_gap_elsewhere(bench: RootBench, backend: FakeBackend) -> None:
    bench.keeper._scanning.open_gap("overflow", "Films")
    bench.new_records()
    assert "GapClosed overflow" not in order(bench, rescan("Series"))
    assert order(bench, rescan("Films", id="r2"), 2)[-1] == "GapClosed overflow"


def test_a_command_is_carried_out_once_however_often_it_comes_and_the_position_is_kept(bench: RootBench) -> None:
    assert len(order(bench, rescan(), 7)) == 2
    assert order(bench, rescan(), 8) == []
    bench.restart()
    assert "ScanStarted scan requested" not in order(bench, rescan(), 9)
    assert commands_read(bench.database) == 9
    assert order(bench, None, 12) == []
    assert commands_read(bench.database) == 12


def test_of_a_root_that_is_away_a_rescan_waits_until_it_is_back(bench: RootBench, backend: FakeBackend) -> None:
    known, backend.nodes = backend.nodes, {}
    bench.clock.skipped += 5
    assert order(bench, rescan()) == ["RootLost missing"]
    found = outcome(bench)
    assert found is not None
    assert (found.done, found.text) == (False, "it is scanned when the root can be observed")
    backend.nodes = known
    bench.clock.skipped += 5
    assert in_short(bench.settle()) == [
        "RootBack root_back", "ScanStarted scan root_back", "ScanFinished scan root_back",
        "ScanStarted scan requested", "ScanFinished scan requested",
    ]  # fmt: skip
    found = outcome(bench)
    assert found is not None
    assert found.done


def test_a_rescan_cut_short_by_the_loss_of_the_root_is_done_when_it_is_back(
    bench: RootBench, backend: FakeBackend
) -> None:
    bench.orders.append(Order(1, rescan()))
    bench.keeper.turn()
    known, backend.nodes = backend.nodes, {}
    bench.clock.skipped += 5
    assert in_short(bench.settle()) == ["ScanStarted scan requested", "RootLost missing"]
    backend.nodes = known
    bench.clock.skipped += 5
    assert in_short(bench.settle())[-1] == "ScanFinished scan requested"
    found = outcome(bench)
    assert found is not None
    assert found.done


# -- a root that was restored or moved -------------------------------------------------------------------------


def test_a_restored_root_stays_lost_until_it_is_accepted_and_then_nothing_differs(
    bench: RootBench, backend: FakeBackend
) -> None:
    restored(backend)
    assert in_short(bench.settle()) == ["RootLost swapped"]
    bench.orders.append(Order(1, accept()))
    records = bench.settle()
    assert in_short(records) == [
        "RootDeclared", "RootBack accepted", "ScanStarted scan accepted", "ScanFinished scan accepted",
    ]  # fmt: skip
    declared = records[0]
    assert isinstance(declared, raw.RootDeclared)
    assert declared.identity == backend.identity
    assert outcome(bench) == CommandOutcome("a1", True, "scanned: 0 added, 0 changed, 0 moved, 0 gone")
    assert bench.keeper.condition().state == "watching"
    bench.restart()
    assert in_short(bench.settle()) == ["RootDeclared", "ScanStarted scan start", "ScanFinished scan start"]


def test_only_true_differences_of_a_restored_root_are_recorded(bench: RootBench, backend: FakeBackend) -> None:
    restored(backend)
    backend.nodes["Series/S1/0.mkv"].content = b"9" * 100  # size and time as before
    backend.nodes["Series/S1/1.mkv"].mtime_ns += 1
    backend.nodes["Films/moved.mkv"] = backend.nodes.pop("Films/a.mkv")
    del backend.nodes["Series/S1/2.mkv"]
    bench.settle()
    found = order(bench, accept())
    assert sorted(found[3:-1]) == sorted([
        "+ Series/S1/0.mkv", "# Series/S1/0.mkv", "+ Series/S1/1.mkv", "# Series/S1/1.mkv", "+ Films/moved.mkv",
        "# Films/moved.mkv", "- Films/a.mkv", "- Series/S1/2.mkv",
    ])  # fmt: skip
    assert outcome(bench) == CommandOutcome("a1", True, "scanned: 1 added, 2 changed, 0 moved, 2 gone")


def test_after_it_was_accepted_its_files_are_known_by_their_new_identity(
    bench: RootBench, backend: FakeBackend
) -> None:
    restored(backend)
    bench.settle()
    order(bench, accept())
    backend.nodes["Films/b.mkv"] = backend.nodes.pop("Films/a.mkv")
    assert order(bench, rescan(), 2)[1:-1] == ["Films/a.mkv > Films/b.mkv"]
    backend.move("Films", "Filme")
    assert in_short(bench.settle()) == ["Films > Filme"]


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
        found = order(bench, accept())
        assert found[-1] == "GapOpen mass_deletion"
        assert [one for one in found if one.startswith("-")] == []
        bench.clock.skipped += 60
        assert len([one for one in in_short(bench.settle()) if one.startswith("-")]) == 60


def test_an_empty_directory_is_not_accepted(bench: RootBench, backend: FakeBackend) -> None:
    backend.unmount()
    bench.settle()
    assert order(bench, accept()) == []
    found = outcome(bench)
    assert found is not None
    assert found.text.startswith("not accepted: another directory stands at its path")
    assert bench.keeper.condition().state == "lost"


def test_where_the_known_root_is_there_is_nothing_to_accept(bench: RootBench) -> None:
    assert order(bench, accept()) == []
    assert outcome(bench) == CommandOutcome("a1", True, "nothing to accept: it is the known root")


def test_an_interrupted_acceptance_continues_at_the_next_start(bench: RootBench, backend: FakeBackend) -> None:
    restored(backend)
    bench.settle()
    bench.orders.append(Order(1, accept()))
    bench.keeper.turn()
    bench.restart()
    found = in_short(bench.settle())
    assert [one for one in found if one[:1] in "+-#"] == []
    assert bench.keeper.condition().state == "watching"


def test_the_fold_publishes_nothing_for_files_that_were_only_restored_and_keeps_their_ids(
    bench: RootBench, backend: FakeBackend
) -> None:
    lane = Lane()
    before = bench.everything()
    opened = [one for record in before for one in lane.put(record)] + lane.quiet()
    restored(backend)
    backend.nodes["Films/moved.mkv"] = backend.nodes.pop("Films/a.mkv")
    bench.settle()
    order(bench, accept())
    found = [one for record in bench.everything()[len(before) :] for one in lane.put(record)] + lane.quiet()
    assert [one for one in kinds(found) if "_changed" not in one] == [
        "moved Films/moved.mkv", "media updated", "job",  # its first job, which has no result yet, issued again
    ]  # fmt: skip
    (moved,) = [one for one in found if one.value and one.value.get("kind") == "moved"]
    (created,) = [
        one for one in opened if one.value and one.value.get("path") == "Films/a.mkv" and "kind" in one.value
    ]
    assert moved["media_id"] == created["media_id"]


def retired(next_offset: int = 1) -> Order:
    return Order(next_offset, RetireRoot(id="x1", root="films", by="admin", at=AT), reset=True)


def test_a_root_that_was_retired_and_is_watched_again_records_everything_again(bench: RootBench) -> None:
    (before,) = {record.epoch for record in bench.everything() if isinstance(record, raw.ProducerRecord)}
    bench.database.execute("DELETE FROM outbox")
    bench.orders.append(retired())
    with pytest.raises(RootReset):
        bench.settle()
    bench.begin_again()
    bench.settle()
    found = bench.everything()
    assert isinstance(found[0], raw.RootDeclared)
    assert (found[0].epoch != before, found[0].seq) == (True, 1)
    assert {record.path for record in found if isinstance(record, raw.Observed)} == {
        "Series", "Series/S1", *(f"Series/S1/{n}.mkv" for n in range(4)), "Films", "Films/a.mkv",
    }  # fmt: skip
    assert commands_read(bench.database) == 1


def test_it_waits_until_the_log_has_what_was_recorded_before(bench: RootBench) -> None:
    bench.orders.append(retired())
    bench.keeper.turn()
    assert len(bench.orders) == 1
    bench.database.execute("DELETE FROM outbox")
    with pytest.raises(RootReset):
        bench.keeper.turn()
    assert not bench.orders
