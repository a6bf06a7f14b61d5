"""Whatever was done to a file of video or sound, there is an answer, soon, and in words that people understand."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import json

from schemas.found import MediaType
from streams.analysis import probe
from streams.analysis.wire import Reply, Request
from tests.support import containers, media
from tests.support.mutants import mutants

COUNT = 250
SECONDS = 5.0
RECORD_BYTES = 65_536
NO_WORDS = re.compile(
    r"[A-Z][a-z]+Error|Exception|Traceback|[Ee]rrno|0x[0-9a-f]{4}|\bNone\b|<av\.|Invalid data|\bobject\b"
)
"""Text that is meant for programs and not for people."""

Sample = tuple[MediaType, str, bytes]


def samples(folder: Path) -> list[Sample]:
    """A small file of every container."""
    made: list[tuple[MediaType, Path]] = [
        ("video", media.video(folder / "a.mp4", 0.2)),
        ("video", containers.film(folder / "b.mp4", frames=4, container={"movflags": "+faststart"})),
        (
            "video",
            containers.film(folder / "c.mp4", frames=6, container={"movflags": "+frag_keyframe+empty_moov"}),
        ),
        ("video", containers.tracks(folder / "a.mkv", [(0, "One"), (100, "Two")])),
        ("video", containers.film(folder / "a.webm", "libvpx-vp9", frames=2, options={"cpu-used": "8"})),
        ("video", containers.film(folder / "a.avi", "mpeg4", frames=4)),
        ("video", containers.film(folder / "a.ts", frames=4)),
        ("video", containers.film(folder / "a.mpg", "mpeg2video", frames=4)),
        ("video", containers.film(folder / "a.flv", frames=4)),
        ("audio", media.song(folder / "a.mp3", 0.2)),
        ("audio", containers.chaptered(folder / "a.m4b", [(0, "One"), (100, "Two")])),
        ("audio", containers.dsf(folder / "a.dsf", {"TIT2": "Nordlicht"})),
        ("audio", containers.monkeys_audio(folder / "a.ape", {"Title": "Nordlicht", "Track": "3/12"})),
    ]
    sounds = {
        "flac": "flac", "opus": "libopus", "wav": "pcm_s16le", "aiff": "pcm_s16be", "wv": "wavpack", "tta": "tta",
        "wma": "wmav2", "mka": "flac",
    }  # fmt: skip
    told = {"title": "Nordlicht", "artist": "Die Ålande", "track": "3/12"}
    made += [("audio", media.sound(folder / f"s.{name}", codec, told, 0.1)) for name, codec in sounds.items()]
    return [(kind, path.name, path.read_bytes()) for kind, path in made]


def replies(files: Sequence[Sample], seed: int, count: int) -> Iterator[tuple[str, bytes, Reply, float]]:
    """Each mutant's name, the mutant, what was answered and how long it took, in seconds."""
    for number, data in mutants([data for _, _, data in files], seed, count):
        kind, name, _ = files[number]
        began = time.monotonic()
        reply = probe.probe(io.BytesIO(data), Request(kind, name))
        yield name, data, reply, time.monotonic() - began


def faults(reply: Reply, seconds: float) -> list[str]:
    """What is wrong with an answer."""
    warnings = () if reply.found is None else reply.found.warnings
    words = [text for text in (reply.reason, *warnings) if text is not None]
    wrong = [text for text in words if NO_WORDS.search(text) or not text.isprintable()]
    if seconds > SECONDS:
        wrong.append(f"it took {seconds:.1f} s")
    if (reply.status == "failed") == (reply.reason is None):
        wrong.append("a reason where there is none, or none where there is one")
    if len(json.encode(reply.found)) > RECORD_BYTES:
        wrong.append("more than a record holds")
    return wrong


def test_a_file_that_was_changed_anywhere_has_an_answer(tmp_path: Path) -> None:
    found = [(name, faults(reply, took)) for name, _, reply, took in replies(samples(tmp_path), 1, COUNT)]
    assert [(name, wrong) for name, wrong in found if wrong] == []
