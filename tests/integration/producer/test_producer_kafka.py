"""The producer as a process on a real broker: from the file to the change log, and never two processes on the same
state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.provisioning.topics import apply
from producer.settings import ProducerSettings, RootSpec
from runtime.kafka import Kafka
from schemas import raw, system, topics
from schemas.codec import Codec, encode, raw_codec
from schemas.lanes import lane_of
from tests.support.committed import Read
from tests.support.producer_process import ProducerProcess, producing
from tests.support.producer_root import in_short, on_disk, put, tree_of
from tests.support.servers import Brokers, clients
from tests.support.topic import header, read
from tests.support.waiting import wait_until

_reports: Codec[system.Report] = Codec(system.Report)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with two files."""
    root = tmp_path / "films"
    put(root / "a.mkv")
    put(root / "Series" / "b.mkv")
    return root


@pytest.fixture
def settings(root: Path) -> ProducerSettings:
    """Its settings, in a library."""
    return of(root)


def of(*roots: Path, library: str = "home") -> ProducerSettings:
    specs = tuple(RootSpec(name=root.name, library=library, path=root) for root in roots)
    return ProducerSettings(roots=specs, identity_seconds=0.2)


@pytest.fixture
def producer(kafka: Kafka, settings: ProducerSettings, tmp_path: Path) -> Iterator[ProducerProcess]:
    """A producer on the root, ready."""
    with producing(kafka, settings, tmp_path / "state") as process:
        yield process


def counted(kafka: Kafka) -> list[raw.RawRecord]:
    """The change log as the fold reads it: without repeated records; `seq` must have no hole."""
    last: dict[tuple[str, str], int] = {}
    found: list[raw.RawRecord] = []
    for one in read(kafka, topics.RAW):
        record = raw_codec.decode(one.value)
        assert isinstance(record, raw.ProducerRecord)
        before = last.get((record.root, record.epoch), 0)
        assert record.seq <= before + 1
        if record.seq == before + 1:
            last[record.root, record.epoch] = record.seq
            found.append(record)
    return found


def arrives(kafka: Kafka, root: Path, seconds: float = 20) -> None:
    """Wait until a reader of the log has the tree."""
    wait_until(
        lambda: tree_of(counted(kafka)) == on_disk(root), seconds, what="the log to have the tree", every=0.1
    )


def names(kafka: Kafka) -> list[str]:
    return in_short(counted(kafka))


def test_every_change_reaches_the_change_log_in_its_librarys_lane(
    kafka: Kafka, root: Path, producer: ProducerProcess
) -> None:
    arrives(kafka, root)
    put(root / "c.mkv")
    arrives(kafka, root)
    (root / "c.mkv").rename(root / "Series" / "d.mkv")
    (root / "a.mkv").unlink()
    (root / "Series").rename(root / "Serien")
    arrives(kafka, root)
    records = read(kafka, topics.RAW)
    assert {one.partition for one in records} == {lane_of("home", kafka.lanes)}
    assert {one.key for one in records} == {b"home"}
    for one in records:
        decoded = raw_codec.decode(one.value)
        assert header(one, "type") == type(decoded).__struct_config__.tag
        assert header(one, "schema-version") == "1"
        assert encode(decoded) == one.value
    assert producer.terminate() == 0


def test_a_restart_records_only_what_changed_meanwhile(
    kafka: Kafka, root: Path, settings: ProducerSettings, tmp_path: Path, producer: ProducerProcess
) -> None:
    arrives(kafka, root)
    assert producer.terminate() == 0
    before = len(counted(kafka))
    put(root / "new.mkv")
    with producing(kafka, settings, tmp_path / "state"):
        wait_until(lambda: names(kafka)[-1] == "ScanFinished scan start", 20, what="the scan")
        assert names(kafka)[before:] == [
            "RootDeclared", "ScanStarted scan start", "+ new.mkv", "# new.mkv", "ScanFinished scan start",
        ]  # fmt: skip
    assert len({r.epoch for r in counted(kafka) if isinstance(r, raw.ProducerRecord)}) == 1


def test_a_broker_that_goes_and_comes_back_gets_everything(
    broker_factory: Brokers, root: Path, settings: ProducerSettings, tmp_path: Path
) -> None:
    broker = broker_factory()
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    with producing(kafka, settings, tmp_path / "state"):
        arrives(kafka, root)
        broker.kill()
        for number in range(50):
            put(root / f"{number}.mkv")
            put(root / f"{number}.tmp")
            (root / f"{number}.tmp").rename(root / f"{number}.mkv")
        broker.start()
        broker.wait_ready()
        arrives(kafka, root, 60)


def test_a_second_producer_on_the_same_state_is_refused(
    kafka: Kafka, settings: ProducerSettings, tmp_path: Path, producer: ProducerProcess
) -> None:
    with producing(kafka, settings, tmp_path / "state", kill_at=("before_send", 1_000_000)) as second:
        assert second.wait() not in (0, None)
        assert "is in use by another producer" in second.log.read_text()
    assert producer.died is None


def reports(kafka: Kafka, root: str) -> list[system.RootReport]:
    found = [_reports.decode(one.value) for one in read(kafka, topics.REPORTS) if one.value is not None]
    return [report for report in found if isinstance(report, system.RootReport) and report.root == root]


def test_a_root_that_goes_is_reported_deletes_nothing_and_is_observed_again(
    kafka: Kafka, root: Path, tmp_path: Path, producer: ProducerProcess
) -> None:
    arrives(kafka, root)
    root.rename(tmp_path / "away")
    wait_until(lambda: "RootLost missing" in names(kafka), 10, what="the loss")
    wait_until(lambda: reports(kafka, "films")[-1].status == "error", 10, what="the report")
    report = reports(kafka, "films")[-1]
    assert (report.mode, report.location) == ("offline", str(root))
    assert "films" in report.message
    assert str(root) in report.message
    (tmp_path / "away").rename(root)
    put(root / "new.mkv")
    arrives(kafka, root)
    wait_until(lambda: reports(kafka, "films")[-1].status == "healthy", 10, what="the good report")
    assert [s for s in names(kafka) if s.startswith("-")] == []


def test_a_root_that_is_not_there_at_start_is_named_and_the_others_go_on(
    kafka: Kafka, root: Path, tmp_path: Path
) -> None:
    later, refused = tmp_path / "later", tmp_path / "refused"
    put(refused / "x.mkv")
    with producing(kafka, of(refused, library="other"), tmp_path / "state"):
        arrives(kafka, refused)
    with producing(kafka, of(root, later, refused), tmp_path / "state") as process:
        wait_until(lambda: len(tree_of(of_root(kafka, "films"))) == 3, 20, what="the good root")
        wait_until(lambda: bool(reports(kafka, "later")), 10, what="a report of the missing root")
        assert reports(kafka, "later")[-1].status == "error"
        assert str(later) in reports(kafka, "later")[-1].message
        wait_until(
            lambda: reports(kafka, "refused")[-1].status == "error", 10, what="a report of the refused root"
        )
        assert "belongs to library 'other'" in reports(kafka, "refused")[-1].message
        put(later / "y.mkv")
        wait_until(lambda: "+ y.mkv" in names(kafka), 10, what="the root that appeared")
        assert process.died is None


def of_root(kafka: Kafka, root: str) -> list[raw.RawRecord]:
    return [r for r in counted(kafka) if isinstance(r, raw.ProducerRecord) and r.root == root]


def test_the_change_log_has_dense_offsets(kafka: Kafka, root: Path, producer: ProducerProcess) -> None:
    arrives(kafka, root)
    records: list[Read] = read(kafka, topics.RAW)
    assert [one.offset for one in records] == list(range(len(records)))
