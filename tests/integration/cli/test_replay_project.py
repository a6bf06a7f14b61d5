"""`replay project` moves the projector to the requested position, shows the move first, and refuses to skip records."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cli.errors import BadArgument
from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from runtime.kafka import Kafka
from schemas.times import iso
from schemas.topics import CHANGES
from streams.projector.errors import GroupActive, NotBehind
from streams.projector.replay import positions
from tests.support.command import Command
from tests.support.projector_run import Process, Writer, caught_up, ends, history, joined, projecting
from tests.support.projector_tables import dump
from tests.support.servers import clients, fresh_database
from tests.support.topic import read

ACTS = 60


@pytest.fixture(scope="module")
def kafka(broker: EmbeddedKafka) -> Kafka:
    """Clients for topics of this file's own, with a history in them."""
    kafka = clients(broker)

    async def prepare() -> None:
        await apply(kafka)
        await Writer(kafka).write(history(5, ACTS).records)

    asyncio.run(prepare())
    return kafka


@pytest.fixture(scope="module")
def url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database of this file's own."""
    with fresh_database(postgres) as url:
        apply_migrations(url)
        yield url


@pytest.fixture
def projected(kafka: Kafka, url: str) -> Command:
    """Everything is projected, and nothing runs any more."""

    async def project() -> None:
        if await positions(url) != await ends(kafka):
            await run(kafka, url)

    asyncio.run(project())
    return Command(kafka, url)


async def run(kafka: Kafka, url: str) -> None:
    """Project until nothing is left."""
    async with projecting(kafka, url):
        await caught_up(kafka, url)


def test_to_the_beginning_new_tables_take_the_place_of_the_old_beside_a_running_projector(
    projected: Command, kafka: Kafka, url: str
) -> None:
    before, at = dump(url), asyncio.run(positions(url))
    planned = projected.json("replay", "project", "--to-earliest")
    assert {(move["topic"], move["partition"]): move["from"] for move in planned} == at
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE media_items SET title = 'spoilt'")

    with Process(kafka, url) as running:
        asyncio.run(joined(kafka, 1))
        done = projected.json("replay", "project", "--to-earliest", "--execute")
        assert running.end() == 0
    assert [{**move, "executed": False} for move in done] == planned
    assert asyncio.run(positions(url)) == at
    assert dump(url) == before


def test_in_place_the_position_moves_to_the_beginning_and_the_rows_come_out_equal(
    projected: Command, kafka: Kafka, url: str
) -> None:
    before, at = dump(url), asyncio.run(positions(url))
    projected.json("replay", "project", "--to-earliest", "--in-place", "--execute")
    assert set(asyncio.run(positions(url)).values()) == {0}
    asyncio.run(run(kafka, url))
    assert asyncio.run(positions(url)) == at
    assert dump(url) == before


def test_only_the_partitions_named_move(projected: Command, kafka: Kafka, url: str) -> None:
    at = asyncio.run(positions(url))
    projected.json("replay", "project", "--to-offset", "3", "--topic", f"{kafka.name(CHANGES)}:0", "--execute")
    assert asyncio.run(positions(url)) == at | {(CHANGES.name, 0): 3}


def test_a_time_is_the_append_time(projected: Command, kafka: Kafka, url: str) -> None:
    records = [record for record in read(kafka, CHANGES) if record.partition == 0]
    middle = records[len(records) // 2].timestamp
    first = next(record.offset for record in records if record.timestamp >= middle)
    arguments = ("--to-datetime", iso(middle), "--topic", f"{CHANGES.name}:0", "--execute")
    (move,) = projected.json("replay", "project", *arguments)
    assert move["to"] == first
    assert asyncio.run(positions(url))[CHANGES.name, 0] == first


def test_what_was_exported_is_where_it_goes_back_to(projected: Command, url: str, tmp_path: Path) -> None:
    file = tmp_path / "positions.csv"
    file.write_text(projected.output("replay", "project", "--shift-by", "-2", "--export"))
    wanted = {
        (m["topic"], m["partition"]): m["to"] for m in projected.json("replay", "project", "--shift-by", "-2")
    }
    projected.json("replay", "project", "--from-file", str(file), "--execute")
    assert asyncio.run(positions(url)) == wanted


def test_nothing_is_skipped_forward(projected: Command, kafka: Kafka, url: str) -> None:
    asyncio.run(Writer(kafka).write(history(6, 5).records))
    at = asyncio.run(positions(url))
    with pytest.raises(NotBehind):
        projected.output("replay", "project", "--to-latest", "--execute")
    assert asyncio.run(positions(url)) == at


def test_a_running_projector_is_named_and_left_alone(projected: Command, kafka: Kafka, url: str) -> None:
    async def while_running() -> None:
        async with projecting(kafka, url):
            await caught_up(kafka, url)
            arguments = ("replay", "project", "--to-earliest", "--in-place", "--execute")
            await asyncio.to_thread(projected.output, *arguments)

    with pytest.raises(GroupActive, match="catalogizer-"):
        asyncio.run(while_running())


def test_a_dry_run_for_people_reports_that_nothing_was_done(projected: Command) -> None:
    header, *rows = projected.output("replay", "project", "--to-current").splitlines()
    assert header.split("\t") == ["topic", "partition", "from", "to", "offsets to read again"]
    assert {row.split("\t")[-1] for row in rows} == {"0"}


def test_a_file_that_names_what_was_never_projected_is_refused(projected: Command, tmp_path: Path) -> None:
    file = tmp_path / "positions.csv"
    file.write_text("catalog.fs.raw.v1,0,0\n")
    with pytest.raises(BadArgument, match="never projected"):
        projected.output("replay", "project", "--from-file", str(file))


def test_its_json_is_one_document(projected: Command) -> None:
    assert isinstance(json.loads(projected.output("replay", "project", "--to-current", "--json")), list)
