"""How a local root is watched, by its file system and its setting; and what is reported about that."""

from __future__ import annotations

import errno
from functools import partial
from pathlib import Path

import pytest

from producer.backends.choice import FILE_SYSTEMS, Choice, Way, choose
from producer.backends.chosen import Chosen, Make
from producer.backends.interface import Watch
from producer.backends.local.file_system import FileSystem, file_system_of
from producer.backends.local.watch import InotifyWatch
from producer.backends.polling.schedule import Pace
from producer.errors import WatchUnavailable

PACE = Pace(1.0, 60.0, 1_000)


@pytest.mark.parametrize(
    ("type_", "has_device", "way"),
    [
        ("ext4", True, "inotify"), ("xfs", True, "inotify"), ("btrfs", True, "inotify"), ("zfs", False, "inotify"),
        ("exfat", True, "inotify"), ("vfat", True, "inotify"), ("ntfs3", True, "inotify"),
        ("fuseblk", True, "inotify"), ("overlay", False, "inotify"), ("tmpfs", False, "inotify"),
        ("nfs", False, "polling"), ("nfs4", False, "polling"), ("cifs", False, "polling"), ("smb3", False, "polling"),
        ("fuse", False, "polling"), ("fuse.sshfs", False, "polling"), ("fuse.mergerfs", False, "polling"),
        ("9p", False, "polling"), ("virtiofs", False, "polling"), ("ceph", False, "polling"), ("gfs2", True, "polling"),
        ("something new", True, "inotify"), ("something new", False, "polling"), ("", True, "inotify"),
    ],
)  # fmt: skip
def test_a_file_system_whose_changes_are_not_reported_is_polled(type_: str, has_device: bool, way: Way) -> None:
    found = choose("auto", FileSystem(type_, has_device))
    assert found.way == way
    assert found.why.startswith(type_)


@pytest.mark.parametrize("wish", ["inotify", "fanotify", "polling"])
def test_the_setting_is_followed_on_any_file_system(wish: Way) -> None:
    assert choose(wish, FileSystem("nfs4", False)) == Choice(wish, f"watch = {wish}")


def test_every_file_system_has_a_reason() -> None:
    assert all(why for _, why in FILE_SYSTEMS.values())


def test_the_file_system_of_a_directory_is_read_from_the_kernel() -> None:
    assert file_system_of(Path("/proc")) == FileSystem("proc", False)
    assert file_system_of(Path("/nowhere at all")) == FileSystem("")


# -- starting to watch -----------------------------------------------------------------------------------------


def started(chosen: Chosen, root: Path) -> tuple[str, str]:
    watch: Watch = chosen(root, lambda: None)
    coverage = watch.coverage
    watch.close()
    return coverage.how, coverage.why


def disk(_: Path) -> FileSystem:
    return FileSystem("ext4")


def test_a_root_that_comes_back_on_another_file_system_is_watched_as_that_one_is_to_be(tmp_path: Path) -> None:
    lies_on = [FileSystem("nfs4", False), FileSystem("ext4", True)]
    chosen = Chosen("auto", PACE, file_system=lambda _: lies_on.pop())
    assert [started(chosen, tmp_path)[0] for _ in range(2)] == ["inotify", "polling"]


def refused(*_: object, **__: object) -> Watch:
    raise WatchUnavailable("this process has no CAP_SYS_ADMIN, which it needs")


def test_without_fanotify_there_is_inotify_and_the_reason_is_given(tmp_path: Path) -> None:
    how, why = started(Chosen("fanotify", PACE, file_system=disk, fanotify=refused), tmp_path)
    assert how == "inotify"
    assert "CAP_SYS_ADMIN" in why


def none_free(*_: object, **__: object) -> Watch:
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.mark.parametrize(
    ("inotify", "names"),
    [(none_free, "max_user_instances"), (partial(InotifyWatch, watch_limit=0), "max_user_watches")],
)
def test_where_the_kernel_has_no_room_at_all_a_root_is_polled_and_the_limit_is_named(
    inotify: Make, names: str, tmp_path: Path
) -> None:
    how, why = started(Chosen("auto", PACE, file_system=disk, inotify=inotify), tmp_path)
    assert how == "polling"
    assert names in why


def test_with_inotify_configured_nothing_else_is_used(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        started(Chosen("inotify", PACE, inotify=none_free), tmp_path)
