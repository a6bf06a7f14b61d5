"""`audit` and `changes` beside a whole running installation: they name exactly what is wrong and what went, and nothing
where nothing is."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cli.audit.contiguity import REMEMBERED
from cli.errors import BadArgument, LineBreaks
from cli.provisioning.tables import apply_migrations
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from producer.settings import ProducerSettings, RootSpec
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas import raw
from schemas.codec import encode, raw_codec
from schemas.headers import raw_headers
from schemas.lanes import lane_of
from schemas.paths import to_wire
from schemas.topics import RAW
from streams.projector.reading import place
from streams.settings import StreamsSettings
from tests.support.command import Command
from tests.support.producer_process import producing
from tests.support.producer_root import put, weird
from tests.support.projector_run import Process
from tests.support.servers import fresh_database
from tests.support.stream_worker import shared
from tests.support.topic import NewRecord, read, write
from tests.support.waiting import wait_until

WINDOW_MS = 100
FOREIGN, BROKEN = b"caf\xe9 \xff.mkv", b"two\nlines.mkv"


@dataclass(frozen=True, slots=True)
class Installation:
    """Kafka, a stream worker and a projector. `folder`: for roots and state."""

    kafka: Kafka
    url: str

    def command(self, *specs: RootSpec, url: bool = True) -> Command:
        """`catalogizer` where these roots are."""
        roots = json.dumps([spec.model_dump(mode="json") for spec in specs])
        return Command(self.kafka, self.url if url else None, PRODUCER__ROOTS=roots)


@pytest.fixture(scope="module")
def installation(
    broker: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    with fresh_database(postgres) as url:
        apply_migrations(url)
        folder = tmp_path_factory.mktemp("audit")
        with shared(broker, StreamsSettings(), folder) as worker, Process(worker.kafka, url):
            yield Installation(worker.kafka, url)


def spec_of(root: Path, library: str) -> RootSpec:
    return RootSpec(
        name=root.name, library=library, path=root, exclude=("*.part",), debounce_ms=WINDOW_MS,
        rename_window_ms=WINDOW_MS,
    )  # fmt: skip


def audited(command: Command, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the findings, the summary last."""
    code, out = command.ended("audit", "--json", "--settle", "0.5", *arguments)
    return code, [json.loads(line) for line in out.splitlines()]


def settled(command: Command, pending: dict[str, str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """As `audited`, when nothing but this is pending any more: fold and projector take their time."""
    found: list[tuple[int, list[dict[str, Any]]]] = []

    def is_settled() -> bool:
        found.append(audited(command, *arguments))
        return differences(found[-1][1], "pending") == pending

    wait_until(is_settled, 30, what="what is pending to settle")
    assert {code for code, _ in found} == {found[-1][0]}
    return found[-1]


def records_of(kafka: Kafka, root: str) -> list[tuple[int, raw.ProducerRecord]]:
    """A root's records with their offsets."""
    found = [(one.offset, raw_codec.decode(one.value)) for one in read(kafka, RAW)]
    return [(offset, r) for offset, r in found if isinstance(r, raw.ProducerRecord) and r.root == root]


def differences(findings: list[dict[str, Any]], severity: str) -> dict[str, str]:
    return {f["path"]: f["what"] for f in findings if f["finding"] == "difference" and f["severity"] == severity}


def forge(kafka: Kafka, library: str, *records: raw.ProducerRecord) -> None:
    lane = lane_of(library, kafka.lanes)
    write(
        kafka,
        *(
            NewRecord(RAW, encode(r), library.encode(), lane, tuple(raw_headers(str(r.__struct_config__.tag))))
            for r in records
        ),
    )


def test_it_finds_nothing_where_nothing_is_wrong_and_names_each_fault_where_something_is(
    installation: Installation, tmp_path: Path
) -> None:
    kafka, root = installation.kafka, tmp_path / "films"
    put(root / "Series" / "a.mkv")
    put(root / "changed.mkv")
    put(root / "unfinished.part")
    weird(root, FOREIGN).write_bytes(b"content")
    weird(root, BROKEN).write_bytes(b"content")
    (root / "link").symlink_to("nowhere")
    for number in range(60):
        put(root / "Old" / f"{number}.mkv")
    spec = spec_of(root, "home")
    settings, command = ProducerSettings(roots=(spec,), identity_seconds=0.2), installation.command(spec)

    with producing(kafka, settings, tmp_path / "state"):
        wait_until(lambda: _scanned(kafka, "films"), 20, what="the baseline")
        put(root / "Series" / "b.mkv")
        (root / "Series" / "a.mkv").rename(root / "Series" / "c.mkv")
        wait_until(lambda: "c.mkv" in _last_path(kafka, "films"), 10, what="the move")
        before = records_of(kafka, "films")
        code, findings = settled(command, {})
        assert (code, findings[:-1]) == (0, [])
        summary = findings[-1]
        assert (summary["roots"], summary["catalogue"], summary["paths"]) == (["films"], True, 68)
        assert records_of(kafka, "films") == before

    shutil.rmtree(root / "Old")
    with producing(kafka, settings, tmp_path / "state"):
        wait_until(lambda: _is_withheld(kafka, "films"), 20, what="the deletion to be withheld")
    old = {"Old": "phantom"} | {f"Old/{number}.mkv": "phantom" for number in range(60)}
    code, findings = settled(command, old)
    assert (code, differences(findings, "fault")) == (0, {})
    assert [(f["cause"], f["closed_offset"]) for f in findings if f["finding"] == "gap"] == [
        ("mass_deletion", None)
    ]

    offset, last = records_of(kafka, "films")[-1]
    file = raw.FileState("file", 5, 7, 1, 2)
    common: dict[str, Any] = {"root": "films", "epoch": last.epoch, "observed_at": last.observed_at}
    display, b64 = to_wire("ghost\n\udcff.mkv")
    forge(
        kafka, "home", last,
        raw.Observed(seq=last.seq + 5, path=display, path_b64=b64, file=file, origin="live", **common),
        raw.Observed(seq=last.seq + 6, path="Series/b.mkv", file=None, origin="live", cause="by hand", **common),
        raw.Observed(seq=last.seq + 7, path="changed.mkv", file=file, origin="live", **common),
        raw.Observed(seq=last.seq + 7, path="x", file=None, origin="live", **common),
    )  # fmt: skip
    again, *forged = [at for at, _ in records_of(kafka, "films")[-5:]]
    code, findings = settled(command, old)
    assert code == 1
    of = {f["path"]: f for f in findings if f["finding"] == "difference" and f["severity"] == "fault"}
    assert {path: f["what"] for path, f in of.items()} == {
        display: "phantom", "Series/b.mkv": "missing", "changed.mkv": "changed",
    }  # fmt: skip
    assert of[display]["path_b64"] == b64 == b64encode(b"ghost\n\xff.mkv").decode()
    assert [of[p]["offset"] for p in (display, "Series/b.mkv", "changed.mkv")] == forged[:3]
    assert (of["Series/b.mkv"]["record"], of["Series/b.mkv"]["cause"]) == ("gone", "by hand")
    assert of["changed.mkv"]["fields"] == ["size", "mtime_ns"]
    (hole,) = (f for f in findings if f["finding"] == "hole")
    assert (hole["first_seq"], hole["last_seq"], hole["offset"], hole["healed_at"]) == (
        last.seq + 1, last.seq + 4, forged[0], None,
    )  # fmt: skip
    resent, other = (f for f in findings if f["finding"] == "repeated")
    assert (resent["first_seq"], resent["offset"], resent["first_offset"]) == (last.seq, again, offset)
    assert (resent["same"], resent["severity"], other["same"], other["severity"]) == (True, "note", False, "fault")
    assert last.seq < REMEMBERED
    assert (findings[-1]["faults"], findings[-1]["pending"]) == (5, 62)

    code, text = command.ended("audit", "--settle", "0.5")
    assert code == 1
    (line,) = (line for line in text.splitlines() if "ghost" in line)
    assert line.startswith(r"fault    films  ghost\n\xff.mkv  in the log, not on the disk [observed ")

    with producing(kafka, settings, tmp_path / "anew"):
        wait_until(lambda: _scanned(kafka, "films", 2), 20, what="the baseline of a new outbox")
        code, findings = settled(command, {})
    assert (code, differences(findings, "fault")) == (0, {})
    assert {f["healed_at"] is None for f in findings if f["finding"] == "hole"} == {False}


def test_where_the_catalogue_differs_from_the_log_that_is_named(
    installation: Installation, tmp_path: Path
) -> None:
    kafka, root = installation.kafka, tmp_path / "books"
    for name in ("a.epub", "b.epub", "c.epub"):
        put(root / name)
    spec = spec_of(root, "paper")
    command = installation.command(spec)
    with producing(kafka, ProducerSettings(roots=(spec,)), tmp_path / "state"):
        wait_until(lambda: _scanned(kafka, "books"), 20, what="the baseline")
        assert settled(command, {}, "--root", "books")[0] == 0
    with psycopg.connect(installation.url, autocommit=True) as connection:
        connection.execute("UPDATE media_files SET size = 1 WHERE root = 'books' AND path = 'a.epub'")
        connection.execute("DELETE FROM media_files WHERE root = 'books' AND path = 'b.epub'")
        connection.execute(
            "INSERT INTO media_files (root, place, path, type, size, mtime_ns, src_partition, src_offset)"
            " VALUES ('books', %s, 'd.epub', 'file', 1, 1, 0, 0)",
            (place("d.epub", None),),
        )
    code, findings = settled(command, {}, "--root", "books")
    assert code == 1
    assert differences(findings, "fault") == {
        "a.epub": "catalogue_differs", "b.epub": "not_in_catalogue", "d.epub": "only_in_catalogue",
    }  # fmt: skip
    assert {f["path"]: f["fields"] for f in findings[:-1]} == {"a.epub": ["size"], "b.epub": [], "d.epub": []}


def test_what_was_lost_is_exactly_what_was_deleted_and_has_not_come_back(
    installation: Installation, tmp_path: Path
) -> None:
    kafka, root = installation.kafka, tmp_path / "music"
    for number in range(98):
        put(root / "Album" / f"{number}.flac", b"x" * number)
    weird(root / "Album", FOREIGN).write_bytes(b"y")
    weird(root / "Album", BROKEN).write_bytes(b"z")
    for name in ("again.flac", "moved.flac", "kept.flac"):
        put(root / name, name.encode() * 500)
    spec = spec_of(root, "sounds")
    settings = ProducerSettings(roots=(spec,), identity_seconds=0.2)
    command = installation.command(spec)

    def lost() -> list[dict[str, Any]]:
        return command.lines("changes", "--lost", "--since", "PT5M", "--root", "music", "--json")

    def changed(kind: str, path: str) -> bool:
        reported = command.lines("changes", "--library", "sounds", "--json")
        return any((one["kind"], one.get("path")) == (kind, path) for one in reported)

    with producing(kafka, settings, tmp_path / "state"):
        wait_until(lambda: changed("created", "Album/97.flac"), 20, what="the files to be told", every=0.3)
        shutil.rmtree(root / "Album")
        (root / "again.flac").unlink()
        (root / "moved.flac").rename(root / "elsewhere.flac")
        wait_until(lambda: changed("deleted", "again.flac"), 20, what="the deletion", every=0.3)
        put(root / "again.flac", b"another one")
        wait_until(lambda: lost()[-1]["files"] == 100, 20, what="the file that came again", every=0.3)
        files = [one for one in lost() if one["lost"] == "file"]

    wanted = {f"Album/{number}.flac".encode() for number in range(98)} | {b"Album/" + FOREIGN, b"Album/" + BROKEN}
    assert len(files) == 100
    total = lost()[-1]
    assert (total["files"], total["bytes"], total["directories"]) == (100, sum(range(98)) + 2, 1)
    arguments = ("changes", "--lost", "--library", "sounds")
    assert set(command.bytes(*arguments, "-0").split(b"\0")[:-1]) == wanted
    with pytest.raises(LineBreaks, match="use -0"):
        command.bytes(*arguments, "--paths")
    assert f"in all\t\t\t100\t{total['bytes']}\t1\t" in command.output(*arguments)
    assert command.lines("changes", "--lost", "--since", "2100-01-01", "--json")[-1]["files"] == 0
    line = next(one for one in command.output("changes", "--root", "music").splitlines() if "elsewhere" in one)
    assert "moved" in line
    assert "music/elsewhere.flac  from music/moved.flac  media " in line


def test_without_a_database_that_is_reported_and_a_root_of_another_machine_is_reported_as_elsewhere(
    installation: Installation, tmp_path: Path
) -> None:
    here = spec_of(tmp_path / "nobody-watches", "home")
    here.path.mkdir()
    code, findings = audited(installation.command(here, url=False))
    assert code == 1
    printed = {f["root"]: (f["severity"], f["why"]) for f in findings if f["finding"] == "root"}
    assert printed["nobody-watches"][0] == "fault"
    assert "does `catalogizer watch` run with it?" in printed["nobody-watches"][1]
    assert {root for root, (severity, _) in printed.items() if severity == "note"} == set(
        findings[-1]["elsewhere"]
    )
    assert findings[-1]["catalogue"] is False


def test_what_it_cannot_do_is_one_error(installation: Installation) -> None:
    with pytest.raises(BadArgument, match="no root is named nowhere"):
        installation.command().output("audit", "--root", "nowhere")
    with pytest.raises(BadArgument, match="add --lost"):
        installation.command().output("changes", "--paths")
    settings = installation.kafka.settings
    nobody = Kafka(KafkaSettings(**settings.model_dump() | {"topic_prefix": "nobody."}), "test")
    for command in ("audit", "changes"):
        with pytest.raises(NotProvisioned, match="catalogizer topics apply"):
            Command(nobody).output(command)


def _scanned(kafka: Kafka, root: str, times: int = 1) -> bool:
    """Whether so many baselines have ended."""
    ends = [r for _, r in records_of(kafka, root) if isinstance(r, raw.ScanFinished) and r.origin == "baseline"]
    return len(ends) >= times


def _last_path(kafka: Kafka, root: str) -> str:
    records = [r for _, r in records_of(kafka, root) if isinstance(r, raw.Moved)]
    return records[-1].path if records else ""


def _is_withheld(kafka: Kafka, root: str) -> bool:
    return any(isinstance(r, raw.GapOpen) and r.cause == "mass_deletion" for _, r in records_of(kafka, root))
