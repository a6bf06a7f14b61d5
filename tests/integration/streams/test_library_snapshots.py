"""A lane starts from its newest snapshot that can be used, and nothing but time is lost where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

import msgspec
import pytest

from runtime.kafka import Kafka
from schemas.admin import SnapshotManifest
from schemas.codec import encode
from schemas.places import Offset
from schemas.topics import CHANGES, RAW, SNAPSHOTS
from streams.library import snapshots
from streams.library.errors import LogTruncated
from streams.library.refold import refold
from tests.support.fold_run import Feeder, refolded, verdict
from tests.support.lane_line import LIBRARY, Line

EVERY = 200
"""Records after which a snapshot is due here."""


@pytest.fixture
def line(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> Line:
    """A lane with two snapshots and some records after them."""
    monkeypatch.setattr(snapshots, "FEWEST_RECORDS", EVERY)
    monkeypatch.setattr(snapshots, "CHUNK_BYTES", 4_000)
    line = Line(kafka, Feeder(kafka, seed=3, libraries=(LIBRARY,)))
    for _ in range(2):
        line.feed(300)
        line.live()
    assert [manifest.slot for manifest in line.manifests()] == [1, 0]
    assert all(manifest.chunks > 2 for manifest in line.manifests())
    line.feed(50)
    return line


def test_it_starts_from_the_newest_and_goes_on_as_if_it_had_folded_all(line: Line) -> None:
    newest = line.manifests()[-1]
    assert line.live()["since"] == newest.next_offset > 300
    assert line.passed_over() == []
    assert verdict(line.kafka, line.bootstrap) > 300


def test_a_snapshot_follows_its_predecessors_in_turns_over_restarts(line: Line) -> None:
    for _ in range(3):
        line.feed(300)
        line.live()
    assert [manifest.slot for manifest in line.manifests()][-5:] == [1, 0, 1, 0, 1]


@dataclass(frozen=True)
class Wrong:
    """The newest snapshot in the log, and the reason logged for it."""

    change: Callable[[SnapshotManifest], SnapshotManifest]
    said: str


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong(lambda m: msgspec.structs.replace(m, checksum="0" * 32), "are not those of its manifest"),
        Wrong(lambda m: msgspec.structs.replace(m, chunks=m.chunks + 1), "are not those of its manifest"),
        Wrong(lambda m: msgspec.structs.replace(m, slot=1 - m.slot), "0 chunks with checksum"),
        Wrong(lambda m: msgspec.structs.replace(m, begin=m.begin + 1), "is missing"),
        Wrong(lambda m: msgspec.structs.replace(m, lane=m.lane + 1), "of another lane or log"),
        Wrong(lambda m: msgspec.structs.replace(m, epoch="another"), "of another lane or log"),
        Wrong(lambda m: msgspec.structs.replace(m, format=99), "format 99"),
        Wrong(lambda m: msgspec.structs.replace(m, rules="unknown"), "rules 1 (unknown)"),
        Wrong(lambda m: msgspec.structs.replace(m, next_offset=10**6), "and the position is"),
        Wrong(
            lambda m: msgspec.structs.replace(m, next_offset=m.next_offset - 20), "are not those of its manifest"
        ),
    ],
    ids=lambda wrong: wrong.said.replace(" ", "_"),
)
def test_one_that_cannot_be_used_is_passed_over_with_one_line(line: Line, wrong: Wrong) -> None:
    last = line.manifests()[-1]
    forged = encode(wrong.change(last))
    line.write((b"%d/manifest" % last.slot, forged))
    assert line.live()["since"] == last.next_offset
    assert len(line.passed_over()) == 1
    assert wrong.said in line.passed_over()[0]
    assert verdict(line.kafka, line.bootstrap, forged=forged) > 300


def test_what_is_no_manifest_and_chunks_without_one_are_passed_over(line: Line) -> None:
    last = line.manifests()[-1]
    line.write((b"0/manifest", b"{"), (b"1/0", b"half"), (b"1/manifest", None), (b"?", b"\xff"))
    assert line.live()["since"] == last.next_offset
    assert len(line.passed_over()) == 1


def test_flipped_bits_of_a_chunk_are_noticed_and_the_former_one_is_used(line: Line) -> None:
    last = line.manifests()[-1]
    key = b"%d/" % last.slot
    chunks = [read for read in line.read(SNAPSHOTS) if read.key and read.key.startswith(key)][: last.chunks]
    values = [bytearray(read.value or b"") for read in chunks]
    values[1][100] ^= 4
    begin = line.read(SNAPSHOTS)[-1].offset + 1
    line.write(*((read.key or b"", bytes(value)) for read, value in zip(chunks, values, strict=True)))
    begin = next(read.offset for read in line.read(SNAPSHOTS) if read.offset >= begin)
    line.write((key + b"manifest", encode(msgspec.structs.replace(last, begin=begin))))
    line.write((key + b"manifest", encode(msgspec.structs.replace(last, begin=begin, checksum="x"))))
    assert line.live()["since"] == last.next_offset
    assert len(line.passed_over()) == 2


async def changes_again(line: Line, start: int) -> list[bytes | None]:
    """What a refold of the log from there gives."""
    async with aclosing(refold(line.kafka, line.lane, Offset(start))) as outputs:
        return [output.value async for output in outputs if output.topic == CHANGES]


def test_the_change_log_may_be_shortened_as_far_as_a_snapshot_covers(line: Line) -> None:
    first, last = line.manifests()
    log = line.read(RAW)
    line.truncate(first.next_offset)
    assert line.live()["since"] == last.next_offset
    line.feed(20)
    assert line.live(from_log=True)["since"] == first.next_offset
    log += [read for read in line.read(RAW) if read.offset > log[-1].offset]
    wanted = [value for topic, _, _, value, _ in refolded(log, line.lane) if topic == CHANGES.name]
    assert [read.value for read in line.read(CHANGES)] == wanted

    again = asyncio.run(changes_again(line, last.next_offset))
    assert again == wanted[-len(again) :] != []
    with pytest.raises(LogTruncated):
        asyncio.run(changes_again(line, first.next_offset - 1))

    line.feed(3)
    beyond = line.manifests()[-1].next_offset + 1
    line.truncate(beyond)
    with pytest.raises(LogTruncated, match=f"begins at {beyond}, and no snapshot covers"):
        line.live()


def test_a_lane_whose_group_was_reset_makes_its_state_from_the_log(line: Line) -> None:
    assert line.live(from_log=True)["since"] == 0
    assert verdict(line.kafka, line.bootstrap) > 300
