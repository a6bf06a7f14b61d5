"""Whatever happens to a root as a whole, nothing is deleted, the fault is reported, and the root is observed again without
help, with only the true differences. One producer watches one root for each fault; all are broken at once."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from producer.settings import ProducerSettings, RootSpec
from runtime.kafka import Kafka
from runtime.root_files import write
from schemas import raw, system, topics
from schemas.codec import Codec, raw_codec
from schemas.lanes import lane_of
from schemas.topics import RAW
from tests.oracle.change_log import ChangeLog
from tests.oracle.hand import AT_FDCWD, EXCHANGE
from tests.oracle.model import differences, walk
from tests.support.producer_process import ProducerProcess
from tests.support.producer_root import in_short, put
from tests.support.topic import read
from tests.support.waiting import wait_until

MS_BIND, MS_NOSUID_NODEV = 4096, 6
FILES = 120
"""More than half of them would be a mass deletion, if any were recorded."""

_libc = ctypes.CDLL(None, use_errno=True)
_reports: Codec[system.Report] = Codec(system.Report)


@dataclass
class Broken:
    """A root that cannot be observed. `real`: where its files are meanwhile; `mend` repairs it."""

    real: Path
    mend: Callable[[], object]


def mount(source: str, place: Path, kind: str, flags: int, data: str = "") -> None:
    if _libc.mount(source.encode(), os.fsencode(place), kind.encode(), flags, data.encode()):
        raise OSError(ctypes.get_errno(), "mount")


def unmount(place: Path) -> None:
    subprocess.run(["umount", "-l", str(place)], check=True)


def missing(root: Path) -> Broken:
    away = root.rename(root.parent / f"{root.name}.away")
    return Broken(away, lambda: away.rename(root))


def exchange(one: Path, other: Path) -> None:
    """Exchange both; at no time is either missing."""
    if _libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE):
        raise OSError(ctypes.get_errno(), "renameat2")


def away_from(root: Path) -> Path:
    return root.parent / f"{root.name}.away"


def empty(root: Path) -> Broken:
    away = away_from(root)
    away.mkdir()
    exchange(root, away)
    return Broken(away, in_turn(lambda: exchange(root, away), away.rmdir))


def swapped(root: Path) -> Broken:
    away = away_from(root)
    put(away / "other.mkv")
    exchange(root, away)
    return Broken(away, in_turn(lambda: exchange(root, away), lambda: shutil.rmtree(away)))


def a_file(root: Path) -> Broken:
    away = away_from(root)
    away.touch()
    exchange(root, away)
    return Broken(away, in_turn(lambda: exchange(root, away), away.unlink))


def unreadable(root: Path) -> Broken:
    root.chmod(0)
    return Broken(root, lambda: root.chmod(0o755))


def unmounted(root: Path) -> Broken:
    source = root.parent / f"{root.name}.disk"
    unmount(root)
    return Broken(source, lambda: mount(str(source), root, "", MS_BIND))


def silent(root: Path) -> Broken:
    """A server that accepts requests and answers none, until it is dead."""
    below, device = os.open(root, os.O_PATH | os.O_DIRECTORY), os.open("/dev/fuse", os.O_RDWR)
    mount("silent", root, "fuse", MS_NOSUID_NODEV, f"fd={device},rootmode=40000,user_id=0,group_id=0")
    return Broken(
        Path(f"/proc/self/fd/{below}"),
        in_turn(partial(os.close, device), partial(unmount, root), partial(os.close, below)),
    )


def dead(root: Path) -> Broken:
    below, device = os.open(root, os.O_PATH | os.O_DIRECTORY), os.open("/dev/fuse", os.O_RDWR)
    mount("dead", root, "fuse", MS_NOSUID_NODEV, f"fd={device},rootmode=40000,user_id=0,group_id=0")
    os.close(device)
    return Broken(Path(f"/proc/self/fd/{below}"), in_turn(partial(unmount, root), partial(os.close, below)))


def in_turn(*actions: Callable[[], object]) -> Callable[[], None]:
    def done() -> None:
        for action in actions:
            action()

    return done


@dataclass(frozen=True, slots=True)
class Fault:
    """`cause` and `words`: what the log has (None: nothing) and what people read; `mounts`: it needs the right to mount."""

    make: Callable[[Path], Broken]
    cause: str | None
    words: str
    mounts: bool = False


FAULTS = (
    Fault(missing, "missing", "does not exist"),
    Fault(empty, "replaced_by_empty", "looks like an unmounted disk"),
    Fault(swapped, "swapped", "catalogizer roots accept"),
    Fault(a_file, "not_a_directory", "is not a directory"),
    Fault(unreadable, "unreadable", "Permission denied"),
    Fault(unmounted, "replaced_by_empty", "looks like an unmounted disk", mounts=True),
    Fault(dead, "unreadable", "Transport endpoint is not connected", mounts=True),
    Fault(silent, None, "does not answer", mounts=True),
)
WITHOUT_RIGHTS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""As root, that it may not read everything; an account without rights may not anyway."""


@dataclass
class Bench:
    """The roots, by name, and their records."""

    kafka: Kafka
    folder: Path
    faults: list[Fault]
    broken: dict[str, Broken] = field(default_factory=dict)

    def root(self, fault: Fault) -> Path:
        return self.folder / fault.make.__name__

    @property
    def settings(self) -> ProducerSettings:
        specs = (RootSpec(name=f.make.__name__, library="home", path=self.root(f)) for f in self.faults)
        return ProducerSettings(roots=tuple(specs), identity_seconds=0.2)

    def records(self, root: str) -> list[raw.RawRecord]:
        records = (raw_codec.decode(one.value) for one in read(self.kafka, topics.RAW))
        return [one for one in records if isinstance(one, raw.ProducerRecord) and one.root == root]

    def message(self, root: str) -> tuple[str, str]:
        reports = [_reports.decode(one.value) for one in read(self.kafka, topics.REPORTS) if one.value is not None]
        found = [one for one in reports if isinstance(one, system.RootReport) and one.root == root]
        return (found[-1].status, found[-1].message) if found else ("", "")


@pytest.fixture
def bench(kafka: Kafka, tmp_path: Path) -> Iterator[Bench]:
    """Every root filled; those that are to be unmounted, mounted."""
    faults = [fault for fault in FAULTS if not fault.mounts or os.geteuid() == 0]
    bench = Bench(kafka, tmp_path, faults)
    for fault in faults:
        for number in range(FILES):
            put(bench.root(fault) / f"S{number % 3}" / f"{number}.mkv", f"{fault} {number}".encode())
        if fault.make is unmounted:
            source = bench.root(fault).rename(tmp_path / "unmounted.disk")
            bench.root(fault).mkdir()
            mount(str(source), bench.root(fault), "", MS_BIND)
    yield bench
    for place in ("unmounted", "dead", "silent"):
        subprocess.run(["umount", "-l", str(tmp_path / place)], capture_output=True, check=False)


def test_no_fault_of_a_root_deletes_anything_and_each_is_reported_and_made_up_for(bench: Bench) -> None:
    under = WITHOUT_RIGHTS if os.geteuid() == 0 else ()
    servers = bench.kafka.settings.bootstrap_servers or ""
    log = ChangeLog(servers, bench.kafka.name(RAW), lane_of("home", bench.kafka.lanes))
    with ExitStack() as ends:
        ends.callback(log.close)
        process = ProducerProcess(bench.kafka, bench.settings, bench.folder / "state", under=under)
        ends.callback(process.kill)

        def wrong() -> list[str]:
            log.read_on()
            trees = [(fault.make.__name__, bench.root(fault)) for fault in bench.faults]
            return [line for name, root in trees for line in differences(log.view.tree(name), walk(root))]

        wait_until(lambda: not wrong(), 30, what="all roots to be recorded", every=0.2)
        before = {fault.make.__name__: len(bench.records(fault.make.__name__)) for fault in bench.faults}
        broken = {fault.make.__name__: fault.make(bench.root(fault)) for fault in bench.faults}
        for fault in bench.faults:
            name = fault.make.__name__
            wait_until(
                lambda name=name, fault=fault: fault.words in bench.message(name)[1], 25,  # type: ignore[misc]
                what=f"{name} to be reported as {fault.words!r}", every=0.2,
            )  # fmt: skip
            assert bench.message(name)[0] == "error"
            wanted = [] if fault.cause is None else [f"RootLost {fault.cause}"]
            assert in_short(bench.records(name)[before[name] :]) == wanted
        for there in broken.values():
            (there.real / "S1" / "1.mkv").unlink()
            put(there.real / "S2" / "new.mkv", b"new")
        for there in broken.values():
            there.mend()
        wait_until(lambda: not wrong(), 20, what="the differences", every=0.2)
        for name, count in before.items():
            new_records = [
                one for one in in_short(bench.records(name)[count:]) if one[:1] in "+-#" or " > " in one
            ]
            assert new_records == ["+ S2/new.mkv", "# S2/new.mkv", "- S1/1.mkv"], name
        assert log.view.faults == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to mount")
def test_a_root_that_is_silent_from_the_start_keeps_no_other_from_being_watched(
    kafka: Kafka, tmp_path: Path
) -> None:
    declared_by_file, hung, films, songs = (tmp_path / name for name in ("by_file", "hung", "films", "songs"))
    for root in (declared_by_file, hung, films, songs):
        put(root / "a.mkv")
    folder = tmp_path / "roots.d"
    write(folder, "by_file", {"library": "home", "path": str(declared_by_file)})
    roots = tuple(RootSpec(name=root.name, library="home", path=root) for root in (hung, films))
    bench = Bench(kafka, tmp_path, [])
    with ExitStack() as ends:
        for root in (hung, declared_by_file):
            ends.callback(subprocess.run, ["umount", "-l", str(root)], capture_output=True, check=False)
            ends.callback(silent(root).mend)
        process = ProducerProcess(kafka, ProducerSettings(roots=roots, roots_folder=folder), tmp_path / "state")
        ends.callback(process.kill)
        assert "+ a.mkv" in in_short(bench.records("films"))
        write(folder, "songs", {"library": "home", "path": str(songs)})
        wait_until(
            lambda: "+ a.mkv" in in_short(bench.records("songs")), 15, what="a root declared later", every=0.2
        )
        for name in ("hung", "by_file"):
            wait_until(lambda name=name: "does not answer" in bench.message(name)[1], 15, what=name, every=0.2)  # type: ignore[misc]
        assert process.log.read_text().count("a root's path does not answer") == 2
        assert process.terminate() == 0
