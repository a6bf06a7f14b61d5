"""A root whose file system is watched as a whole: what is recorded of it, and that nothing else is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.backends.chosen import Chosen
from producer.backends.fanotify.watch import FanotifyWatch
from producer.backends.polling.schedule import Pace
from tests.support.producer_root import RootBench, in_short, put
from tests.support.watching import need_fanotify

NOBODY = 65_534


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RootBench]:
    """A root with files, its baseline recorded."""
    need_fanotify(tmp_path)
    bench = RootBench(tmp_path, make_watch=FanotifyWatch)
    put(bench.root / "Films" / "a.mkv")
    put(bench.root / "Series" / "b.mkv")
    with bench:
        bench.settle()
        yield bench


def run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{command[0]} is not allowed here: {done.stderr.strip()}")


def test_renames_are_one_record_each_and_what_follows_has_the_new_name(bench: RootBench) -> None:
    (bench.root / "Films").rename(bench.root / "Series" / "Films")
    (bench.root / "Series" / "Films" / "a.mkv").rename(bench.root / "c.mkv")
    put(bench.root / "Series" / "Films" / "d.mkv")
    assert in_short(bench.settle()) == [
        "Films > Series/Films", "Series/Films/a.mkv > c.mkv", "+ Series/Films/d.mkv", "# Series/Films/d.mkv",
    ]  # fmt: skip
    assert bench.converged()


def test_what_happens_elsewhere_on_the_file_system_is_dropped(bench: RootBench) -> None:
    for number in range(200):
        put(bench.folder / "elsewhere" / f"{number}")
    put(bench.root / "e.mkv")
    assert in_short(bench.settle()) == ["+ e.mkv", "# e.mkv"]


def test_what_is_done_through_another_mount_or_in_another_container_is_reported(bench: RootBench) -> None:
    elsewhere = bench.folder / "elsewhere"
    elsewhere.mkdir()
    script = f"mount --bind '{bench.root}' '{elsewhere}' && mv '{elsewhere}/Films/a.mkv' '{elsewhere}/moved.mkv'"
    run("unshare", "--mount", "sh", "-c", script)
    assert in_short(bench.settle()) == ["Films/a.mkv > moved.mkv"]


def test_a_file_system_mounted_below_the_root_is_watched_too_and_again_when_it_is_remounted(
    bench: RootBench,
) -> None:
    at, disk = bench.root / "disk", bench.folder / "disk.img"
    at.mkdir()
    with disk.open("wb") as image:
        image.truncate(8 << 20)
    run("mke2fs", "-q", "-t", "ext4", disk)
    bench.settle()
    for number in range(2):
        run("mount", "-o", "loop", disk, at)
        try:
            bench.clock.skipped += bench.pacing.identity_seconds
            bench.settle()
            assert ("GapClosed mark_lost" in in_short(bench.everything())) == (number > 0)
            put(at / f"{number}.mkv")
            assert in_short(bench.settle()) == [f"+ disk/{number}.mkv", f"# disk/{number}.mkv"]
        finally:
            subprocess.run(["umount", str(at)], check=True)


def test_a_file_system_that_cannot_be_marked_below_the_root_is_counted_and_scanned(bench: RootBench) -> None:
    at, parts = bench.root / "layers", [bench.folder / name for name in ("lower", "upper", "work")]
    for folder in (at, *parts):
        folder.mkdir()
    lower, upper, work = parts
    run("mount", "-t", "overlay", "none", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", at)
    try:
        bench.clock.skipped += bench.pacing.identity_seconds
        bench.settle()
        condition = bench.keeper.condition()
    finally:
        subprocess.run(["umount", str(at)], check=True)
    assert condition.unwatched == 1
    assert "cannot be watched this way" in condition.problems[0]


def test_without_the_right_there_is_inotify_and_the_missing_right_is_reported(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from producer.backends.chosen import Chosen;"
        "from producer.backends.polling.schedule import Pace;"
        f"os.setuid({NOBODY}) if os.getuid() == 0 else None;"
        "watch = Chosen('fanotify', Pace(1, 60, 100))(Path('/'), lambda: None);"
        "print(watch.coverage.how, watch.coverage.why); watch.close()"
    )
    said_ = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said_.startswith("inotify ")
    assert "CAP_SYS_ADMIN" in said_


def test_it_is_used_only_where_it_is_configured(tmp_path: Path) -> None:
    need_fanotify(tmp_path)
    pace = Pace(1.0, 60.0, 1_000)
    for wish, how in (("fanotify", "fanotify"), ("auto", "inotify")):
        watch = Chosen("fanotify" if wish == "fanotify" else "auto", pace)(tmp_path, lambda: None)
        assert watch.coverage.how == how
        watch.close()
