"""Two producers for one root, as processes on a real broker: one watches, the other one stands by and takes over, and
whatever the former one still writes does not count."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.provisioning.topics import apply
from producer.settings import ProducerSettings, RootSpec
from runtime.kafka import Kafka
from schemas import raw, topics
from schemas.admin import RescanRoot
from schemas.codec import encode, raw_codec
from schemas.headers import raw_headers
from schemas.lanes import lane_of
from schemas.raw import ProducerRecord, RootDeclared
from streams.core.fold import Fold
from tests.oracle.model import Thing, Tree, differences, walk
from tests.support import cutting
from tests.support.committed import Read, read_all
from tests.support.fold_truth import entries
from tests.support.producer_process import ProducerProcess
from tests.support.producer_root import put
from tests.support.servers import Brokers, clients
from tests.support.topic import NewRecord, decoded, read, write
from tests.support.waiting import wait_until

TAKEN_OVER_SECONDS = 15.0
HANDED_OVER_SECONDS = 3.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with some files."""
    root = tmp_path / "films"
    for number in range(20):
        put(root / f"Series {number % 3}" / f"{number}.mkv", str(number).encode())
    return root


def log_of(kafka: Kafka) -> list[Read]:
    """The lane of the root's library."""
    servers = kafka.settings.bootstrap_servers or ""
    return read_all(servers, kafka.name(topics.RAW), lane_of("home", kafka.lanes))


class Two:
    """Producers on one root, by name, each with a state folder of its own."""

    def __init__(self, kafka: Kafka, root: Path, folder: Path, ends: ExitStack) -> None:
        self.kafka, self.root = kafka, root
        self._folder, self._ends = folder, ends

    def start(self, name: str) -> ProducerProcess:
        """A producer, ready."""
        spec = RootSpec(name="films", library="home", path=self.root)
        settings = ProducerSettings(name=name, roots=(spec,), identity_seconds=0.2)
        process = ProducerProcess(self.kafka, settings, self._folder / name)
        self._ends.callback(process.kill)
        return process

    def log(self) -> list[Read]:
        """The lane."""
        return log_of(self.kafka)

    def fold(self) -> Fold:
        """The fold of the log, after all deadlines."""
        fold, offset, at = Fold(0), 0, 0
        for one in self.log():
            fold.apply_bytes(one.offset, one.timestamp, one.key, one.value, one.headers)
            offset, at = one.offset + 1, one.timestamp
        for second in range(60):
            fold.apply(offset + second, at + 1_000 * second, b"home", raw.Tick())
        return fold

    @property
    def epoch(self) -> str:
        """The epoch that counts."""
        roots = self.fold().state.roots
        return roots["films"].epoch if "films" in roots else ""

    def wrong(self) -> list[str]:
        """Differences between the fold and the disk."""
        return differences(_tree(self.fold()), walk(self.root))

    def arrives(self, seconds: float = 20.0) -> None:
        """Wait until the fold has what is on the disk."""
        wait_until(lambda: not self.wrong(), seconds, what="the tree in the log", every=0.2)

    def epochs(self) -> list[str]:
        """The declared epochs, in order."""
        records = [raw_codec.decode(one.value) for one in self.log()]
        return list(dict.fromkeys(record.epoch for record in records if isinstance(record, RootDeclared)))

    def another(self, before: list[str], seconds: float) -> float:
        """Wait until the next epoch is declared; returns how long that took."""
        begun = time.monotonic()
        wait_until(lambda: len(self.epochs()) > len(before), seconds, what="the next epoch", every=0.1)
        return time.monotonic() - begun


def _tree(fold: Fold) -> Tree:
    return {
        entry.path.encode(): Thing("dir", 0, 0, None)
        if entry.type == "dir"
        else Thing(entry.type, entry.size, entry.mtime_ns, entry.fingerprint)
        for entry in entries(fold.state)
    }


@pytest.fixture
def two(kafka: Kafka, root: Path, tmp_path: Path) -> Iterator[Two]:
    """On the session's broker."""
    with ExitStack() as ends:
        yield Two(kafka, root, tmp_path, ends)


def logged(process: ProducerProcess, words: str) -> Callable[[], bool]:
    return lambda: words in process.log.read_text()


def stands_by(process: ProducerProcess) -> None:
    wait_until(logged(process, "standing by"), TAKEN_OVER_SECONDS, what="it to stand by")


def requested(two: Two) -> int:
    """How many requested scans are complete."""
    records = (raw_codec.decode(one.value) for one in two.log())
    return sum(isinstance(record, raw.ScanFinished) and record.cause == "requested" for record in records)


def test_one_watches_the_other_stands_by_reports_that_and_gets_the_root_when_the_first_one_stops(two: Two) -> None:
    one = two.start("one")
    two.arrives()
    other = two.start("other")
    stands_by(other)
    expected = f"films is watched by {socket.gethostname()}:{one.pid}"

    def standing_by() -> list[object]:
        beats = [beat for beat in decoded(read(two.kafka, topics.REPORTS)) if beat.get("pid") == other.pid]
        return [(beat["status"], beat["details"].get("standing_by")) for beat in beats]  # type: ignore[attr-defined]

    wait_until(lambda: ("healthy", expected) in standing_by(), 10, what="the heartbeat with that")
    command = RescanRoot(
        id="requested once", root="films", by="test", at="2026-11-24T10:30:00.000Z", reason="test"
    )
    write(two.kafka, NewRecord(topics.CONTROL, encode(command), b"films"))
    wait_until(lambda: requested(two) == 1, 10, what="the command to be carried out")
    put(two.root / "new.mkv", b"new")
    two.arrives()
    first = two.epochs()
    assert len(first) == 1

    begun = time.monotonic()
    assert one.terminate() == 0
    put(two.root / "between.mkv", b"between")
    (two.root / "new.mkv").unlink()
    two.another(first, HANDED_OVER_SECONDS)
    assert time.monotonic() - begun < HANDED_OVER_SECONDS + 2
    two.arrives()
    stands_by(two.start("one"))
    assert two.epochs() == [*first, two.epoch]
    assert requested(two) == 1


def test_a_lone_producer_continues_in_its_epoch_at_once_however_it_ended(two: Two) -> None:
    for end in ("kill", "terminate", "kill"):
        process = two.start("one")
        put(two.root / "new.mkv", end.encode())
        two.arrives(5)  # less than the time after which a producer counts as silent
        getattr(process, end)()
    assert len(two.epochs()) == 1


def test_killed_its_root_is_taken_over_and_what_was_done_meanwhile_is_in_the_log(two: Two) -> None:
    one, _ = two.start("one"), two.start("other")
    two.arrives()
    before = two.epochs()
    one.kill()
    put(two.root / "made.mkv", b"made")
    (two.root / "Series 0" / "0.mkv").unlink()
    (two.root / "Series 1" / "1.mkv").rename(two.root / "Series 2" / "moved.mkv")
    shutil.rmtree(two.root / "Series 0")
    assert two.another(before, TAKEN_OVER_SECONDS) < TAKEN_OVER_SECONDS
    two.arrives()
    put(two.root / "after.mkv", b"after")
    two.arrives()


@pytest.mark.parametrize(
    ("end", "mend"),
    [(signal.SIGSTOP, signal.SIGCONT), (cutting.CUT, cutting.MEND)],
    ids=["stopped", "cut off"],
)
def test_one_that_comes_back_finds_its_root_taken_over_changes_nothing_and_stands_by(
    two: Two, end: signal.Signals, mend: signal.Signals
) -> None:
    one, other = two.start("one"), two.start("other")
    two.arrives()
    before = two.epochs()
    for number in range(200):  # so that it is busy
        put(two.root / "burst" / f"{number}.mkv", str(number).encode())
    one.signal(end)
    (two.root / "Series 0" / "0.mkv").unlink()
    assert two.another(before, TAKEN_OVER_SECONDS) < TAKEN_OVER_SECONDS
    second = two.epochs()
    shutil.rmtree(two.root / "burst")
    for number in range(20):
        put(two.root / f"meanwhile {number}.mkv", str(number).encode())
    two.arrives()
    one.signal(mend)
    for number in range(20, 40):
        put(two.root / f"meanwhile {number}.mkv", str(number).encode())
    wait_until(logged(one, "has claimed the root"), TAKEN_OVER_SECONDS, what="it to find out")
    two.arrives()
    assert (two.epochs(), two.epoch) == (second, second[-1])

    late(two.kafka, before[0])
    two.arrives()
    assert two.epoch == second[-1]

    other.terminate()
    put(two.root / "Series 1" / "last.mkv", b"last")
    two.another(second, HANDED_OVER_SECONDS)
    two.arrives()


def late(kafka: Kafka, epoch: str) -> None:
    """Records that a producer of a former epoch may still send: one of each kind, the declaration first."""
    records = [
        record
        for one in log_of(kafka)
        if isinstance(record := raw_codec.decode(one.value), ProducerRecord) and record.epoch == epoch
    ]
    declared = next(record for record in records if isinstance(record, RootDeclared))
    head: dict[str, Any] = {"root": "films", "epoch": epoch, "observed_at": declared.observed_at}
    seq = records[-1].seq
    sent: list[raw.RawRecord] = [
        msgspec.structs.replace(declared, seq=seq + 1),
        raw.RootLost(**head, seq=seq + 2, cause="missing"),
        raw.Observed(**head, seq=seq + 3, path="Series 1/4.mkv", file=None, origin="live"),
        raw.GapOpen(**head, seq=seq + 4, cause="late"),
    ]
    lane = lane_of("home", kafka.lanes)
    write(kafka, *(NewRecord(topics.RAW, encode(r), b"home", lane, tuple(raw_headers("x"))) for r in sent))


def test_while_kafka_is_away_nobody_takes_anything_over(
    broker_factory: Brokers, root: Path, tmp_path: Path
) -> None:
    broker = broker_factory()
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    with ExitStack() as ends:
        two = Two(kafka, root, tmp_path, ends)
        one, _ = two.start("one"), two.start("other")
        two.arrives()
        broker.kill()
        put(root / "while-away.mkv")
        wait_until(logged(one, "the log of leases cannot be read"), 20, what="it to find out")
        broker.start()
        broker.wait_ready()
        two.arrives(60)
        assert len(two.epochs()) == 1
