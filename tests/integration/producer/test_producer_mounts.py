"""File systems mounted below a root, really mounted where that is allowed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.orders import Order
from schemas import raw
from schemas.admin import RescanRoot
from tests.support.producer_root import RootBench, in_short, on_disk, put, tree_of


def mount(source: Path, place: Path) -> None:
    done = subprocess.run(["mount", str(source), str(place)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting is not allowed here")


def unmount(place: Path) -> None:
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A small file system in a file, with two files."""
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    if subprocess.run(["mkfs.ext4", "-q", str(image)], capture_output=True, check=False).returncode:
        pytest.skip("no mkfs.ext4 here")
    place = tmp_path / "filling"
    place.mkdir()
    mount(image, place)
    (place / "lost+found").rmdir()
    for number in range(70):
        put(place / "inner" / f"{number}.mkv", str(number).encode())
    unmount(place)
    return image


@pytest.fixture
def bench(tmp_path: Path, disk: Path) -> Iterator[RootBench]:
    """A root with the disk mounted at `disk`."""
    bench = RootBench(tmp_path)
    put(bench.root / "a.mkv")
    place = bench.root / "disk"
    place.mkdir()
    mount(disk, place)
    with bench:
        bench.settle()
        yield bench
    subprocess.run(["umount", str(place)], capture_output=True, check=False)


def deletions(records: list[raw.RawRecord]) -> list[str]:
    return [record.path for record in records if isinstance(record, raw.Observed) and record.file is None]


def after_a_while(bench: RootBench) -> list[raw.RawRecord]:
    bench.clock.skipped += 900
    records = bench.settle()
    bench.clock.skipped += 70
    return records + bench.settle()


def test_a_disk_that_is_unmounted_is_lost_and_nothing_is_deleted(bench: RootBench) -> None:
    unmount(bench.root / "disk")
    records = bench.settle()
    assert in_short(records) == ["GapOpen unmounted"]
    records = after_a_while(bench)
    assert deletions(records) == []
    assert "GapClosed unmounted" not in in_short(records)
    assert "not there" in bench.keeper.condition().problems[0]


def test_a_disk_that_is_back_is_observed_with_only_what_differs(
    bench: RootBench, disk: Path, tmp_path: Path
) -> None:
    unmount(bench.root / "disk")
    bench.settle()
    mount(disk, tmp_path / "filling")
    put(tmp_path / "filling" / "new.mkv")
    (tmp_path / "filling" / "inner" / "3.mkv").unlink()
    unmount(tmp_path / "filling")
    mount(disk, bench.root / "disk")
    bench.clock.skipped += 5
    records = bench.settle()
    assert in_short(records) == [
        "ScanStarted scan mounted", "+ disk/new.mkv", "# disk/new.mkv", "- disk/inner/3.mkv",
        "ScanFinished scan mounted", "GapClosed unmounted",
    ]  # fmt: skip
    put(bench.root / "disk" / "live.mkv")
    assert in_short(bench.settle()) == ["+ disk/live.mkv", "# disk/live.mkv"]
    assert tree_of(bench.everything()).keys() == on_disk(bench.root).keys()  # its device may have another number


def test_a_disk_unmounted_while_no_producer_ran_is_lost_too_and_stays_so(bench: RootBench) -> None:
    bench.stop()
    unmount(bench.root / "disk")
    bench.start()
    assert "GapOpen unmounted" in in_short(bench.settle())
    bench.restart()
    assert deletions(bench.settle() + after_a_while(bench)) == []


def test_a_disk_that_appears_is_listed(bench: RootBench, tmp_path: Path, disk: Path) -> None:
    unmount(bench.root / "disk")
    (bench.root / "second").mkdir()
    bench.settle()
    mount(disk, bench.root / "second")
    bench.clock.skipped += 5
    try:
        records = in_short(bench.settle())
        assert "ScanStarted scan mounted" in records
        assert "+ second/inner/3.mkv" in records
    finally:
        unmount(bench.root / "second")


def test_a_disk_that_is_gone_for_good_is_forgotten_on_an_operators_request(bench: RootBench) -> None:
    unmount(bench.root / "disk")
    bench.settle()
    bench.orders.append(
        Order(
            1, RescanRoot(id="r1", root="films", by="me", at="2026-11-24T10:30:00.000Z", reason="", subtree="disk")
        )
    )
    records = bench.settle()
    bench.clock.skipped += 70
    records += bench.settle()
    assert len(deletions(records)) >= 71
    assert bench.converged()
    assert bench.keeper.condition().problems == ()
