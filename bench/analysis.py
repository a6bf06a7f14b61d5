"""Analysis: files a second that one stream worker with two probing children takes from the change log to results in it;
half are small MP3s without a cover, half photographs of 800×600. Baseline in the same run: the same files read by
two such children alone.

`python -m bench.analysis [--json] [--files N]`: 2,000 by default."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
from aiokafka import TopicPartition
from PIL import Image, ImageFilter

from bench.raw_log import declared, fill, heads
from bench.scaling import Worker
from bench.support import broker, show
from cli.provisioning.topics import apply
from runtime.kafka import Kafka
from schemas import raw
from schemas.headers import find
from schemas.raw import RawRecord
from schemas.topics import RAW
from streams.analysis import wire
from streams.analysis.children import Children
from streams.settings import AnalysisSettings
from tests.support.media import song as a_song
from tests.support.media import state_of

CHILDREN = 2
KINDS = 20
"""Different photographs; each file has bytes of its own."""
DEADLINE_SECONDS = 600.0


def library(folder: Path, files: int) -> list[Path]:
    """The files: every second one a photograph, with noise as a camera's, the other a second of an MP3."""
    draw = random.Random(7)
    photographs = []
    for number in range(KINDS):
        noise = Image.frombytes("RGB", (800, 600), draw.randbytes(800 * 600 * 3)).filter(
            ImageFilter.GaussianBlur(2)
        )
        colour = Image.linear_gradient("L").rotate(number * 17).resize((800, 600)).convert("RGB")
        photographs.append(Image.blend(colour, noise, 0.3))
    song = folder / "song.mp3"
    a_song(song, cover=False)
    paths = []
    for number in range(files):
        path = folder / f"{number:05d}.{'jpg' if number % 2 else 'mp3'}"
        if number % 2:
            photographs[number // 2 % KINDS].save(path, "JPEG", quality=90, comment=str(number).encode())
        else:
            shutil.copy(song, path)
            with path.open("ab") as file:
                file.write(b"%d" % number)
        paths.append(path)
    song.unlink()
    return paths


def records(paths: list[Path]) -> Iterator[tuple[str, RawRecord]]:
    """The declaration of their root, and an observation and a fingerprint of each."""
    head = heads()
    yield declared(next(head))
    for number, path in enumerate(paths):
        yield "observed", raw.Observed(**next(head), path=path.name, file=state_of(path), origin="live")
        identity: Any = {name: getattr(state_of(path), name) for name in ("size", "mtime_ns", "inode")}
        yield "fingerprint", raw.Fingerprint(**next(head), path=path.name, xxh3=f"{number:032x}", **identity)


async def bare(paths: list[Path]) -> float:
    """Seconds that the children alone take for all."""
    children = Children(AnalysisSettings(workers=CHILDREN))
    await children.start()
    queue = list(paths)

    async def take() -> None:
        while queue:
            path = queue.pop()
            descriptor = os.open(path, os.O_RDONLY)
            try:
                media_type: Any = "image" if path.suffix == ".jpg" else "audio"
                reply = await children.probe(wire.Request(media_type, path.name), descriptor)
            finally:
                os.close(descriptor)
            if reply.status != "done":
                raise RuntimeError(f"{path.name}: {reply.reason}")

    began = time.monotonic()
    await asyncio.gather(*(take() for _ in range(CHILDREN)))
    taken = time.monotonic() - began
    await children.stop()
    return taken


async def results(kafka: Kafka, begin: int, count: int) -> list[float]:
    """When each result was in the log, in monotonic seconds."""
    partition = TopicPartition(kafka.name(RAW), 0)
    arrived: list[float] = []
    consumer = kafka.tail_consumer(fetch_max_wait_ms=50)
    await consumer.start()
    try:
        consumer.assign([partition])
        consumer.seek(partition, begin)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(arrived) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(arrived)} results of {count} after {DEADLINE_SECONDS:g} s")
            for record in (await consumer.getmany(partition, timeout_ms=200)).get(partition, ()):
                if find(record.headers, "type") == b"result":
                    arrived.append(time.monotonic())
    finally:
        await consumer.stop()
    return arrived


def processor_seconds(worker: Worker) -> tuple[float, float]:
    """Of the worker, and of its present probing children."""
    process = psutil.Process(worker.process.pid)
    times = [one.cpu_times() for one in (process, *process.children())]
    spent = [one.user + one.system for one in times]
    return spent[0], sum(spent[1:])


async def measure(kafka: Kafka, folder: Path, files: int) -> dict[str, float]:
    """Read bare, then through the line."""
    media = folder / "media"
    media.mkdir()
    paths = library(media, files)
    alone = await bare(paths)
    await apply(kafka)
    filled = await fill(kafka, records(paths), traced=True)
    worker = Worker(
        kafka,
        folder / "worker",
        CATALOGIZER_STREAMS__ANALYSIS__ROOTS=json.dumps({"films": str(media)}),
        CATALOGIZER_STREAMS__ANALYSIS__WORKERS=str(CHILDREN),
    )
    try:
        arrived = await results(kafka, filled, files)
        own, children = processor_seconds(worker)
    finally:
        worker.end(signal.SIGTERM)
    first, last = len(arrived) // 10, len(arrived) * 9 // 10
    rate = (last - first) / (arrived[last] - arrived[first])
    return {
        "files": files,
        "bare_per_second": files / alone,
        "per_second": rate,
        "ratio": rate / (files / alone),
        "worker_cpu_ms": own / files * 1000,
        "children_cpu_ms": children / files * 1000,
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.analysis", description=__doc__)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with ExitStack() as held:
        kafka = held.enter_context(broker())
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="catalogizer-bench-"))
        figures = asyncio.run(measure(kafka, Path(folder), given.files))
    show(
        f"analysis, {given.files:,} files, {CHILDREN} children",
        [
            ("the children alone", f"{figures['bare_per_second']:,.0f} files a second"),
            ("from the change log to results", f"{figures['per_second']:,.0f} files a second (aim ≥ 150)"),
            ("ratio", f"{figures['ratio']:.2f}"),
            ("processor time of the worker", f"{figures['worker_cpu_ms']:.1f} ms a file, its start included"),
            (
                "processor time of the children",
                f"{figures['children_cpu_ms']:.1f} ms a file, those replaced left out",
            ),
        ],
        figures,
    )


if __name__ == "__main__":
    main()
