"""The topics that the projector reads, as a library of that many changes leaves them: made by the fold from synthetic
observations and analyses, written straight to the broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.raw_log import LIBRARY, START_NS, declared, heads
from runtime.kafka import Kafka
from schemas import raw
from schemas.analysis import Job
from schemas.codec import Codec
from schemas.found import Found, Tags
from schemas.raw import FileState, RawRecord
from schemas.topics import ANALYSIS_JOBS, Topic
from streams.core.emit import Output
from streams.core.fold import Fold
from streams.projector.plan import TOPICS

CHANGES_PER_FILE = 1.4
"""A creation; of each ten files two are written again, one is renamed and one is deleted."""
STEP_MS = 10
BATCH_BYTES = 500_000

_jobs: Codec[Job] = Codec(Job)


def observations(files: int) -> Iterator[RawRecord]:
    """A producer's records of them: everything appears, and later some of it changes."""
    head = heads()
    yield declared(next(head))[1]
    for number in range(files):
        yield _seen(next(head), number, 700_000_000 + number)
        yield _printed(next(head), number, 700_000_000 + number)
    for number in range(files):
        match number % 10:
            case 0 | 1:
                yield _seen(next(head), number, 800_000_000 + number)
            case 2:
                file, path = _file(number, 700_000_000 + number), _path(number).replace("Show.S", "Show (UK).S")
                yield raw.Moved(**next(head), from_path=_path(number), path=path, file=file, origin="live")
            case 3:
                yield raw.Observed(**next(head), path=_path(number), file=None, origin="live")
            case _:
                pass


def _path(number: int) -> str:
    season, episode = number % 7, number % 24
    return f"Series {number % 200:03d}/Season {season}/Some.Show.S{season:02d}E{episode:02d}.1080p.{number}.mkv"


def _file(number: int, size: int) -> FileState:
    return FileState("file", size, START_NS + size, 2049, 1_000 + number)


def _seen(head: dict[str, Any], number: int, size: int) -> RawRecord:
    return raw.Observed(**head, path=_path(number), file=_file(number, size), origin="live")


def _printed(head: dict[str, Any], number: int, size: int) -> RawRecord:
    file = _file(number, size)
    identity: dict[str, Any] = {"size": file.size, "mtime_ns": file.mtime_ns, "inode": file.inode}
    return raw.Fingerprint(**head, path=_path(number), xxh3=f"{number:032x}", **identity)


def _result(job: Job) -> RawRecord:
    found = Found(
        title="Some Show", season=1, episode=job.media_id % 24, category="tv_show", quality="1080p",
        duration_ms=2_400_000 + job.media_id % 1_000, container="matroska", video_codec="h264", audio_codec="aac",
        width=1920, height=1080, bit_rate=4_000_000, channels=2, languages=("eng",), tags=Tags(title="Some Show"),
    )  # fmt: skip
    return raw.Result(
        job=job.job, media_id=job.media_id, root=job.root, size=job.file.size, mtime_ns=job.file.mtime_ns,
        inode=job.file.inode, status="done", found=found,
    )  # fmt: skip


def outputs(files: int) -> Iterator[Output]:
    """The fold's output for them, each analysis job answered at once."""
    fold, offset = Fold(0), 0

    def fed(record: RawRecord) -> list[Output]:
        nonlocal offset
        offset += 1
        return fold.apply(offset, START_NS // 1_000_000 + offset * STEP_MS, LIBRARY.encode(), record)

    def answered(found: list[Output]) -> Iterator[Output]:
        for output in found:
            yield output
            if output.topic is ANALYSIS_JOBS:
                yield from answered(fed(_result(_jobs.decode(output.value))))

    for record in observations(files):
        yield from answered(fed(record))
    for _ in range(20):
        yield from answered(fed(raw.Tick()))


async def fill(kafka: Kafka, changes: int) -> dict[str, int]:
    """Write the topics of a library with about that many changes, all in one lane; the number of records of each."""
    read = set(TOPICS)
    async with kafka.producer(max_batch_size=BATCH_BYTES) as producer:
        batches = {topic: producer.create_batch() for topic in read}
        counts = dict.fromkeys((topic.name for topic in TOPICS), 0)

        async def send(topic: Topic) -> None:
            await producer.send_batch(batches[topic], kafka.name(topic), partition=0)
            batches[topic] = producer.create_batch()

        for output in outputs(round(changes / CHANGES_PER_FILE)):
            if output.topic not in read:
                continue
            fields: dict[str, Any] = {"key": output.key, "value": output.value, "headers": output.headers}
            if batches[output.topic].append(timestamp=None, **fields) is None:
                await send(output.topic)
                batches[output.topic].append(timestamp=None, **fields)
            counts[output.topic.name] += 1
        for topic in read:
            if batches[topic].record_count():
                await send(topic)
        await producer.flush()
    return counts
