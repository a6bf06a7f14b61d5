"""`catalogizer analysis` with a running stream worker: it counts, requests, waits for the end, and reports errors in one
line."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from cli.errors import BadArgument, NotConfirmed
from cli.provisioning.tables import apply_migrations
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from runtime.kafka import Kafka
from schemas import raw
from schemas.codec import encode
from schemas.headers import find, raw_headers
from schemas.lanes import lane_of
from schemas.topics import CHANGES, RAW
from streams.settings import AnalysisSettings, StreamsSettings
from tests.support import media
from tests.support.command import Command
from tests.support.servers import fresh_database
from tests.support.stream_worker import shared
from tests.support.topic import NewRecord, decoded, pour, read
from tests.support.waiting import wait_until

AT = "2026-11-27T10:00:00Z"
LIBRARY = "home"
FILES = 30


@dataclass
class Installation:
    """Kafka, a stream worker, and the rows that a projector would write."""

    kafka: Kafka
    url: str
    folder: Path
    seqs: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def command(self) -> Command:
        return Command(self.kafka, self.url)

    def root(self, name: str, state: str = "declared", mode: str = "watching", status: str = "done") -> None:
        """A root with files that the fold and the rows know."""
        place = self.folder / name
        place.mkdir()
        paths = [place / f"{number}.jpg" for number in range(FILES)]
        for path in paths:
            path.write_bytes(media.picture(8, 8))
        self.say(
            raw.RootDeclared(
                **self._head(name), library=LIBRARY, site="main", protocol="local", location="/", identity=None,
                debounce_ms=100, rename_window_ms=100,
            ),
            *(
                raw.Observed(**self._head(name), path=path.name, file=media.state_of(path), origin="live")
                for path in paths
            ),
        )  # fmt: skip
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "INSERT INTO storage_roots (root, library, state, epoch, changed_at, details, src_partition, src_offset)"
                " VALUES (%s, %s, %s, 'e', %s, %s, 0, 0)",
                (name, LIBRARY, state, AT, Jsonb({"mode": mode})),
            )
            for path in paths:
                connection.execute(
                    "INSERT INTO media_items (id, library, storage_root, path, title, media_type, file_size, created_at,"
                    " updated_at, item, src_partition, src_offset)"
                    " VALUES (%s, %s, %s, %s, '', 'image', 9, %s, %s, %s, 0, 0)",
                    (next(self.seqs), LIBRARY, name, path.name, AT, AT, Jsonb({"analysis": {"status": status}})),
                )

    def say(self, *records: raw.RawRecord) -> None:
        lane = lane_of(LIBRARY, self.kafka.lanes)
        pour(
            self.kafka,
            [
                NewRecord(RAW, encode(r), LIBRARY.encode(), lane, tuple(raw_headers(str(r.__struct_config__.tag))))
                for r in records
            ],
        )

    def _head(self, root: str) -> dict[str, Any]:
        return {"root": root, "epoch": root, "seq": next(self.seqs), "observed_at": AT}

    @property
    def results(self) -> int:
        return sum(value["kind"] == "result" for value in decoded(read(self.kafka, RAW)))

    @property
    def states(self) -> list[object]:
        """The changes about requests."""
        changes = decoded(read(self.kafka, CHANGES))
        return [change["state"] for change in changes if change["kind"] == "analysis_request_changed"]


@pytest.fixture(scope="module")
def here(
    broker: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("analysis")
    settings = StreamsSettings(analysis=AnalysisSettings(roots={"movies": folder / "movies"}, seconds=30))
    with fresh_database(postgres) as url, shared(broker, settings, folder) as running:
        apply_migrations(url)
        here = Installation(running.kafka, url, folder)
        here.root("movies")
        here.root("away", state="lost", mode="offline", status="unreadable")
        here.root("gone", state="retired")
        wait_until(lambda: here.results == 3 * FILES, 60, what="the first analysis", every=0.2)
        yield here


def requested(here: Installation) -> int:
    """How many analyses were requested; ticks of the fold are not counted, they come as time passes."""
    return sum(find(record.headers, "type") == b"analysis_requested" for record in read(here.kafka, RAW))


def test_a_dry_run_counts_and_writes_nothing(here: Installation) -> None:
    before = requested(here)
    found = here.command.json("analysis", "request", "movies", "--status", "done", "--type", "image")
    assert found == {"root": "movies", "matched": FILES, "waits": None, "executed": False}
    assert here.command.json("analysis", "request", "away")["waits"] == "lost"
    printed = here.command.output("analysis", "request", "movies", "--subtree", "5.jpg")
    assert printed == "1 items of root movies match; --execute has them analysed again\n"
    assert requested(here) == before


def test_a_request_is_waited_for_to_its_end(here: Installation) -> None:
    found = here.command.json("analysis", "request", "movies", "--reason", "new reader", "--execute")
    assert (found["state"], found["processed"], found["failed"], found["repeated"]) == (
        "finished",
        FILES,
        0,
        False,
    )
    before = here.results
    printed = here.command.output("analysis", "request", "movies", "--subtree", "5.jpg", "--execute")
    assert printed.endswith("finished: 1 of 1 analysed, 0 failed\n")
    assert here.results == before + 1


def test_the_same_twice_is_one_and_is_left_off_by_its_name(here: Installation) -> None:
    command = here.command
    assert command.json("analysis", "pause", "--library", LIBRARY) == {"action": "pause", "libraries": [LIBRARY]}
    first = command.json("analysis", "request", "movies", "--execute", "--no-wait")
    assert (first["state"], first["executed"]) == ("asked", True)
    with ThreadPoolExecutor(1) as beside:
        again = beside.submit(command.json, "analysis", "request", "movies", "--execute")
        wait_until(lambda: here.states.count("repeated") == 1, 20, what="it to be noticed")
        command.output("analysis", "cancel", str(first["request"]))
        found = again.result(30)
    assert (found["request"], found["state"], found["repeated"]) == (first["request"], "cancelled", True)
    assert command.output("analysis", "resume") == f"resume is in the log of: {LIBRARY}\n"


def test_who_does_not_wait_so_long_leaves_it_to_go_on(here: Installation) -> None:
    here.command.output("analysis", "pause")
    found = here.command.json("analysis", "request", "movies", "--type", "image", "--execute", "--wait", "3")
    assert (found["state"], found["matched"]) == ("started", FILES)
    ended = here.states.count("finished")
    here.command.output("analysis", "resume")
    wait_until(lambda: here.states.count("finished") == ended + 1, 30, what="it to end by itself")


REFUSED: dict[str, tuple[tuple[str, ...], type[Exception]]] = {
    "ROOT: no root nowhere is in the catalogue; known: away, movies": (("nowhere",), BadArgument),
    "ROOT: no root gone is in the catalogue": (("gone", "--execute"), BadArgument),
    "--subtree: is relative to the root": (("movies", "--subtree", "a/../../b"), BadArgument),
    "--subtree: is relative to": (("movies", "--subtree", "/5.jpg"), BadArgument),
    "--type: 'film' is none of video": (("movies", "--type", "film"), BadArgument),
    "--type: files of type archive are not analysed": (("movies", "--type", "archive"), BadArgument),
    "--status: 'broken' is none of done": (("movies", "--status", "broken"), BadArgument),
    "nothing of root movies matches: nothing was requested": (
        ("movies", "--type", "book", "--execute"),
        NotConfirmed,
    ),
}


@pytest.mark.parametrize("printed", REFUSED)
def test_what_cannot_be_is_refused_in_one_line_and_nothing_is_written(here: Installation, printed: str) -> None:
    arguments, kind = REFUSED[printed]
    before = requested(here)
    with pytest.raises(kind) as error:
        here.command.output("analysis", "request", *arguments)
    assert printed in str(error.value)
    assert "\n" not in str(error.value)
    assert requested(here) == before


def test_a_library_that_is_not_there_is_refused(here: Installation) -> None:
    with pytest.raises(BadArgument, match=r"no such library; known: home"):
        here.command.output("analysis", "pause", "--library", "cellar")
