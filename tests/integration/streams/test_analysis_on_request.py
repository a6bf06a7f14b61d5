"""Analysis on request on real Kafka: thousands are requested again, fresh files go before them, and a kill loses
nothing."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from runtime.kafka import Kafka
from schemas import raw
from schemas.codec import encode
from schemas.headers import raw_headers
from schemas.lanes import lane_of
from schemas.topics import ANALYSIS_JOBS, CHANGES, RAW, REQUESTED_JOBS, SYSTEM_UPDATES
from streams.core import intake
from streams.core.fold import Fold
from streams.core.rules import RULES_1
from streams.settings import AnalysisSettings, StreamsSettings
from tests.support import media
from tests.support.committed import Read
from tests.support.fold_run import verdict
from tests.support.stream_worker import StreamWorker
from tests.support.topic import NewRecord, decoded, pour, read
from tests.support.waiting import wait_until

LIBRARY = "home"
FILES = 800
FRESH_SECONDS = 2.0
AT = "2026-11-27T10:00:00.000Z"


class Log:
    """Writes what producers and operators would write, of the files of a folder for each root."""

    def __init__(self, kafka: Kafka, folder: Path) -> None:
        self._kafka = kafka
        self._folder = folder
        self._seq = itertools.count(1)

    def publish(self, *records: raw.RawRecord) -> None:
        pour(self._kafka, map(self._said, records))

    def declare(self, root: str) -> None:
        (self._folder / root).mkdir(exist_ok=True)
        self.publish(
            raw.RootDeclared(
                **self._head(root), library=LIBRARY, site="main", protocol="local", location="/", identity=None,
                debounce_ms=100, rename_window_ms=100,
            )
        )  # fmt: skip

    def see(self, root: str, *paths: Path) -> None:
        self.publish(
            *(
                raw.Observed(**self._head(root), path=path.name, file=media.state_of(path), origin="live")
                for path in paths
            )
        )

    def lost(self, root: str) -> None:
        self.publish(raw.RootLost(**self._head(root), cause="missing"))

    def back(self, root: str) -> None:
        self.publish(raw.RootBack(**self._head(root), cause="there again"))

    def _head(self, root: str) -> dict[str, Any]:
        return {"root": root, "epoch": root, "seq": next(self._seq), "observed_at": AT}

    def _said(self, record: raw.RawRecord) -> NewRecord:
        kind = str(record.__struct_config__.tag)
        lane = lane_of(LIBRARY, self._kafka.lanes)
        return NewRecord(RAW, encode(record), LIBRARY.encode(), lane, tuple(raw_headers(kind)))


def results(kafka: Kafka) -> list[dict[str, object]]:
    return [value for value in decoded(read(kafka, RAW)) if value["kind"] == "result"]


def ends(kafka: Kafka) -> list[dict[str, object]]:
    """How requests have ended."""
    return [value for value in decoded(read(kafka, CHANGES)) if value.get("state") in ("finished", "cancelled")]


def pictures(folder: Path, count: int) -> list[Path]:
    """So many small files, each of its own."""
    bytes_ = media.picture(64, 48)
    paths = [folder / f"picture {number}.jpg" for number in range(count)]
    for path in paths:
        path.write_bytes(bytes_)
    return paths


def most_open(log: Iterable[Read], lane: int) -> int:
    """How many requested jobs were open at once, at most."""
    fold, most = Fold(lane), 0
    for record in log:
        value = intake.read(fold.rules, record.value, record.headers)
        fold.apply(record.offset, record.timestamp, record.key, value)
        asked = (job for job in fold.state.jobs.values() if fold.state.tallies[job.tally].request is not None)
        most = max(most, sum(1 for _ in asked))
    return most


def seconds_of(kafka: Kafka, name: str) -> float:
    """From when a file was observed to when its result stood in the log, by the broker's clock."""
    records = read(kafka, RAW)
    values = decoded(records)
    seen = next(n for n, value in enumerate(values) if value.get("path") == name)
    job = next(value["job"] for value in decoded(read(kafka, ANALYSIS_JOBS)) if value["path"] == name)
    told = next(n for n, value in enumerate(values) if value.get("job") == job)
    return (records[told].timestamp - records[seen].timestamp) / 1000


def test_thousands_on_request_delay_no_fresh_file_and_a_kill_in_the_middle_loses_nothing(
    kafka: Kafka, tmp_path: Path
) -> None:
    movies = tmp_path / "movies"
    settings = StreamsSettings(analysis=AnalysisSettings(workers=2, roots={"movies": movies}, seconds=30))
    log = Log(kafka, tmp_path)
    log.declare("movies")
    log.see("movies", *pictures(movies, FILES))
    worker = StreamWorker(kafka, settings, tmp_path / "state")
    try:
        wait_until(lambda: len(results(kafka)) == FILES, 90, what="the first analysis of all", every=0.5)
        log.publish(raw.AnalysisRequested(root="movies", reason="new reader", by="admin", at=AT))
        wait_until(lambda: len(results(kafka)) > FILES + 200, 60, what="the request to be under way", every=0.2)
        shutil.copy(movies / "picture 1.jpg", movies / "fresh.jpg")
        log.see("movies", movies / "fresh.jpg")
        wait_until(
            lambda: any(job["path"] == "fresh.jpg" for job in decoded(read(kafka, ANALYSIS_JOBS))),
            20,
            what="the job of the fresh file",
        )
        fresh = next(job["job"] for job in decoded(read(kafka, ANALYSIS_JOBS)) if job["path"] == "fresh.jpg")
        wait_until(lambda: any(one["job"] == fresh for one in results(kafka)), 20, what="its result")
        assert ends(kafka) == [], "the request must be under way"
        worker.kill()
        worker = StreamWorker(kafka, settings, tmp_path / "state")
        wait_until(lambda: ends(kafka) != [], 120, what="the request to end", every=0.5)
        assert worker.end() == 0
    finally:
        if worker.died is None:
            worker.kill()
    took = seconds_of(kafka, "fresh.jpg")
    print(f"a fresh file was analysed {took:.2f} s after it was observed, with {FILES} under way on request")
    assert took < FRESH_SECONDS
    (end,) = ends(kafka)
    assert (end["state"], end["matched"], end["asked"], end["processed"]) == ("finished", FILES, FILES, FILES)
    asked = [job["media_id"] for job in decoded(read(kafka, REQUESTED_JOBS))]
    assert len(asked) == len(set(asked)) == FILES
    assert 0 < most_open(read(kafka, RAW), lane_of(LIBRARY, kafka.lanes)) <= RULES_1.request_window
    told = [update for update in decoded(read(kafka, SYSTEM_UPDATES)) if update["component"] == "media_analysis"]
    assert any(_is_progress(update) for update in told), told
    assert verdict(kafka, kafka.settings.bootstrap_servers or "") > 2 * FILES


def _is_progress(update: dict[str, object]) -> bool:
    details = msgspec.convert(update["details"], dict[str, object])
    return 0 < int(str(details["queue_length"])) <= FILES and details["workers"] == 2


def test_what_a_lost_share_made_unreadable_is_analysed_when_it_is_back(kafka: Kafka, tmp_path: Path) -> None:
    share, away = tmp_path / "share", tmp_path / "away"
    settings = StreamsSettings(analysis=AnalysisSettings(workers=2, roots={"share": share}, seconds=30))
    log = Log(kafka, tmp_path)
    log.declare("share")
    files = pictures(share, 30)
    broken = share / "broken.jpg"
    broken.write_bytes(b"no picture")
    log.see("share", *files, broken)
    share.rename(away)
    worker = StreamWorker(kafka, settings, tmp_path / "state")
    try:
        log.lost("share")
        wait_until(lambda: len(results(kafka)) == 31, 60, what="all to be unreadable", every=0.2)
        assert {one["status"] for one in results(kafka)} == {"unreadable"}
        away.rename(share)
        files[0].unlink()
        log.back("share")
        wait_until(lambda: ends(kafka) != [], 60, what="all to be asked again", every=0.2)
        log.back("share")
        wait_until(lambda: len(ends(kafka)) == 2, 60, what="what is unreadable still to be asked again", every=0.2)
        assert worker.end() == 0
    finally:
        if worker.died is None:
            worker.kill()
    found = [(end["matched"], end["processed"], end["failed"]) for end in ends(kafka)]
    assert found == [(31, 31, 2), (1, 1, 1)]


def test_slow_files_are_looked_at_when_nothing_else_waits_and_only_once(kafka: Kafka, tmp_path: Path) -> None:
    movies = tmp_path / "movies"
    analysis = AnalysisSettings(workers=2, roots={"movies": movies}, seconds=30, first_seconds=0.3)
    log = Log(kafka, tmp_path)
    log.declare("movies")
    slow = [movies / f"slow {number}.png" for number in range(3)]
    picture = media.slow_picture()
    for number, path in enumerate(slow):
        path.write_bytes(picture + b"%d" % number)
    log.see("movies", *slow, *pictures(movies, 40))
    worker = StreamWorker(kafka, StreamsSettings(analysis=analysis), tmp_path / "state")
    try:
        wait_until(lambda: len(results(kafka)) == 43, 90, what="all results", every=0.5)
        assert worker.end() == 0
    finally:
        if worker.died is None:
            worker.kill()
    names = {job["job"]: str(job["path"]) for job in decoded(read(kafka, ANALYSIS_JOBS))}
    told = [names[str(result["job"])] for result in results(kafka)]
    handed_over = {str(job["path"]) for job in decoded(read(kafka, REQUESTED_JOBS))}
    assert handed_over >= {path.name for path in slow}
    assert len(handed_over) < 20, "the machine is too slow for this test"
    at_once = [number for number, name in enumerate(told) if name not in handed_over]
    assert max(at_once) < min(told.index(path.name) for path in slow)
    assert all(result["status"] == "done" for result in results(kafka))
    assert len(told) == len(set(told))
