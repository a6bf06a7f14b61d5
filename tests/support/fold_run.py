"""A controlled run of the library fold: input of every kind, workers as processes, and the verdict.

The verdict compares, for a `read_committed` reader that is not ours, the complete ordered list of every output
topic with three refolds of the change log.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas import raw, topics
from schemas.codec import encode
from schemas.headers import find, raw_headers
from schemas.lanes import lane_of
from schemas.raw import RawRecord
from schemas.topics import RAW, Topic
from streams.core import state_bytes
from streams.core.fold import Fold
from streams.core.state import State
from tests.support import prepared
from tests.support.committed import Read, read_all
from tests.support.lane import IDENTITY, a_file
from tests.support.revealed import as_json
from tests.support.waiting import wait_until

LANE_OUTPUTS: tuple[Topic, ...] = (
    topics.CHANGES, topics.MEDIA_UPDATES, topics.ANALYSIS_UPDATES, topics.MEDIA_STATE,
)  # fmt: skip


class Worker:
    """A worker process. `died` is its exit code."""

    def __init__(self, kafka: Kafka, instance: str, folder: Path, *at: str) -> None:
        self.instance = instance
        self._progress = folder / f"{instance}.json"
        self._progress.unlink(missing_ok=True)
        self._progress.with_suffix(".hit").unlink(missing_ok=True)
        words = [as_json(kafka.settings), instance, str(self._progress), *at]
        self._process = prepared.start("tests.support.fold_worker", *words, env=os.environ)

    @property
    def lanes(self) -> dict[int, tuple[str, int]]:
        """Lane → (state, next offset), as last written."""
        if not self._progress.exists():
            return {}
        return {
            int(lane): (state, offset) for lane, (state, offset) in json.loads(self._progress.read_text()).items()
        }

    @property
    def has_begun(self) -> bool:
        """True once it handles signals and has announced that."""
        return self._progress.exists()

    @property
    def hit(self) -> bool:
        """Whether the named point was reached."""
        return self._progress.with_suffix(".hit").exists()

    @property
    def died(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self._process.kill()
        self._process.wait(10)

    def end(self) -> int:
        """SIGTERM; the exit code."""
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        return self._process.wait(15)


class Workers:
    """Starts workers whose progress stands in `folder`, and kills at the end what a failed test has left."""

    def __init__(self, kafka: Kafka, folder: Path) -> None:
        self._kafka = kafka
        self._folder = folder
        self._started: list[Worker] = []

    def __call__(
        self, instance: str, point: str = "", hit: int = 0, own: signal.Signals = signal.SIGKILL
    ) -> Worker:
        """A worker; `point`, `hit`: where it sends itself a signal."""
        at = (point, str(hit), str(int(own))) if point else ()
        worker = Worker(self._kafka, instance, self._folder, *at)
        self._started.append(worker)
        return worker

    def end(self) -> None:
        """Kill what still runs."""
        for worker in self._started:
            if worker.died is None:
                worker.kill()


class Feeder:
    """Writes a seeded stream of creations, rewrites, renames, deletions, scans and results into the change log of
    `libraries`, answering a part of the jobs that a shadow fold asks for."""

    def __init__(self, kafka: Kafka, seed: int, libraries: tuple[str, ...] = ("home", "attic")) -> None:
        self._kafka = kafka
        self._random = random.Random(seed)
        self._shadow = {library: Fold(lane_of(library, kafka.lanes)) for library in libraries}
        self._files: dict[str, dict[str, raw.FileState]] = {library: {} for library in libraries}
        self._seq: dict[str, int] = dict.fromkeys(libraries, 0)
        self._inode = 100
        self._jobs: list[tuple[str, dict[str, object]]] = []
        self.written = 0

    async def run(
        self, changes: int, *, pause_seconds: float = 0.0, until: Callable[[], bool] = lambda: True,
        due: Callable[[], int] | None = None,
    ) -> None:  # fmt: skip
        """Write about `changes` changes, and go on until `until` holds; `due`: how many of them are by now."""
        producer = self._kafka.producer()
        await producer.start()
        try:
            for library in self._files:
                await self._put(producer, library, "root_declared", self._declared(library))
            for number in itertools.count():
                if number >= changes and until():
                    break
                while due is not None and number >= due() and not until():  # noqa: ASYNC110 - of another thread
                    await asyncio.sleep(0.05)
                library = self._random.choice(list(self._files))
                for kind, record in self._change(library):
                    await self._put(producer, library, kind, record)
                if pause_seconds and number % 10 == 9:
                    await asyncio.sleep(pause_seconds)
            await producer.flush()
        finally:
            await producer.stop()

    def _head(self, library: str) -> dict[str, Any]:
        self._seq[library] += 1
        return {
            "root": f"root-{library}",
            "epoch": "e1",
            "seq": self._seq[library],
            "observed_at": "2026-01-01T00:00:00Z",
        }

    def _declared(self, library: str) -> RawRecord:
        return raw.RootDeclared(
            **self._head(library), library=library, site="main", protocol="local", location="/m",
            identity=IDENTITY, debounce_ms=150, max_hold_ms=1_000, rename_window_ms=150,
        )  # fmt: skip

    def _change(self, library: str) -> Iterator[tuple[str, RawRecord]]:
        files = self._files[library]
        roll = self._random.random()
        if self._jobs and roll < 0.2:
            owner, job = self._jobs.pop(self._random.randrange(len(self._jobs)))
            if owner == library:
                yield "result", self._result(job)
                return
        if not files or roll < 0.5:
            self._inode += 1
            path = f"d{self._inode % 7}/film {self._inode}.mkv"
            files[path] = a_file(self._inode, 1_000 + self._inode)
            yield "observed", self._observed(library, path)
        elif roll < 0.65:
            path = self._random.choice(list(files))
            old = files[path]
            files[path] = msgspec.structs.replace(old, size=old.size + 1, mtime_ns=old.mtime_ns + 1)
            yield "observed", self._observed(library, path)
        elif roll < 0.85:
            path = self._random.choice(list(files))
            target = f"moved/{self._random.randrange(10_000)} {path.rpartition('/')[2]}"
            files[target] = files.pop(path)
            if roll < 0.75:
                yield (
                    "moved",
                    raw.Moved(
                        **self._head(library), path=target, from_path=path, file=files[target], origin="live"
                    ),
                )
            else:
                yield "observed", self._observed(library, target)
                yield "observed", self._observed(library, path)
        else:
            path = self._random.choice(list(files))
            del files[path]
            yield "observed", self._observed(library, path)

    def _observed(self, library: str, path: str) -> RawRecord:
        file = self._files[library].get(path)
        return raw.Observed(**self._head(library), path=path, file=file, origin="live")

    def _result(self, job: dict[str, object]) -> RawRecord:
        record: RawRecord = msgspec.convert(
            {
                "kind": "result",
                **job,
                "status": self._random.choice(["done", "failed"]),
                "found": {"duration_ms": 5},
            },
            raw.RawRecord,
        )
        return record

    async def _put(self, producer: AIOKafkaProducer, library: str, kind: str, record: RawRecord) -> None:
        lane = lane_of(library, self._kafka.lanes)
        sent = None
        while sent is None:
            with suppress(KafkaTimeoutError):  # no room was made for so long; then the record is not in the log
                sent = await producer.send(
                    self._kafka.name(RAW), encode(record), key=library.encode(), partition=lane,
                    headers=raw_headers(kind),
                )  # fmt: skip
        self.written += 1
        if self.written % 200 == 0:
            await sent

    def offer_jobs(self, jobs: list[Read]) -> None:
        """Jobs that were read from the topic: some of them will be answered."""
        for read in jobs:
            assert read.value is not None
            job = msgspec.json.decode(read.value)
            file = job["file"]
            fields = {k: job[k] for k in ("job", "media_id", "root")}
            fields |= {k: file[k] for k in ("size", "mtime_ns", "inode")}
            self._jobs.append((job["library"], fields))


def read_jobs(kafka: Kafka, bootstrap: str | KafkaSettings) -> list[Read]:
    """All analysis jobs that were published."""
    return read_all(bootstrap, kafka.name(topics.ANALYSIS_JOBS), *range(topics.JOB_PARTITIONS))


def refolded(
    reads: list[Read], lane: int, fold: Fold | None = None
) -> list[tuple[str, int, bytes, bytes | None, tuple[tuple[str, bytes], ...]]]:
    """What the pure fold makes of a lane's change log; `fold`: the fold to continue with."""
    fold = fold or Fold(lane)
    out = []
    for read in reads:
        for o in fold.apply_bytes(read.offset, read.timestamp, read.key, read.value, list(read.headers)):
            out.append((o.topic.name, o.partition, o.key, o.value, tuple(o.headers)))
    return out


def at_rest(kafka: Kafka, bootstrap: str | KafkaSettings, lane: int) -> bool:
    """True when nothing more will come of what is in the lane's change log: nothing due, no job open."""
    fold = Fold(lane)
    for read in read_all(bootstrap, kafka.name(RAW), lane):
        fold.apply_bytes(read.offset, read.timestamp, read.key, read.value, list(read.headers))
    return fold.next_due is None and fold.open_jobs == 0


def drained(kafka: Kafka, bootstrap: str | KafkaSettings, workers: list[Worker]) -> None:
    """Wait until the lanes' positions stand at the end of the change log and nothing is due for a while."""

    def quiet() -> bool:
        ends = {}
        for lane in range(kafka.lanes):
            reads = read_all(bootstrap, kafka.name(RAW), lane)
            if not reads:
                continue
            fold = Fold(lane)
            for read in reads:
                fold.apply_bytes(read.offset, read.timestamp, read.key, read.value, list(read.headers))
            if fold.next_due is not None and fold.next_due - fold.now < 60_000:
                return False
            ends[lane] = reads[-1].offset + 1
        told = {
            lane: offset for worker in workers for lane, (state, offset) in worker.lanes.items() if state == "live"
        }
        return all(told.get(lane) == end for lane, end in ends.items())

    # each look folds all of the log: looked at all the time, it would take from the workers the processor they need
    try:
        wait_until(quiet, 120, what="the fold to drain", every=1.0)
    except TimeoutError as error:
        raise TimeoutError(f"{error}: {[(worker.died, worker.lanes) for worker in workers]}") from error
    wait_until(lambda: _committed_everything(kafka, bootstrap), 10, what="the last commit")


def _committed_everything(kafka: Kafka, bootstrap: str | KafkaSettings) -> bool:
    for lane in range(kafka.lanes):
        reads = read_all(bootstrap, kafka.name(RAW), lane)
        positions = read_all(bootstrap, kafka.name(topics.POSITIONS), lane)
        if reads and (
            not positions or json.loads(positions[-1].value or b"")["next_offset"] != reads[-1].offset + 1
        ):
            return False
    return True


def verdict(kafka: Kafka, bootstrap: str | KafkaSettings, *, forged: bytes | None = None) -> int:
    """Compare every output topic with the refold, and the refold with that from each snapshot; returns the number of
    outputs. `forged`: the manifest that no lane wrote. Raises AssertionError."""
    total = 0
    jobs_expected: list[tuple[bytes, bytes | None]] = []
    for lane in range(kafka.lanes):
        reads = read_all(bootstrap, kafka.name(RAW), lane)
        expected = refolded(reads, lane)
        assert expected == refolded(reads, lane)
        for next_offset, state in states(kafka, bootstrap, lane, forged):
            rest = refolded([read for read in reads if read.offset >= next_offset], lane, Fold(lane, state=state))
            assert rest == expected[len(expected) - len(rest) :], f"lane {lane} from its snapshot at {next_offset}"
        for topic in LANE_OUTPUTS:
            found = read_all(bootstrap, kafka.name(topic), lane)
            wanted = [(key, value, headers) for name, _, key, value, headers in expected if name == topic.name]
            got = [(read.key, read.value, read.headers) for read in found]
            assert got == wanted, _difference(topic.name, lane, got, wanted)
            if topic in topics.COUNTED:
                numbers = [int(find(read.headers, "x-n") or b"0") for read in found]
                assert numbers == list(range(1, len(numbers) + 1)), f"x-n of {topic.name} lane {lane} is not dense"
            total += len(found)
        jobs_expected += [(key, value) for name, _, key, value, _ in expected if name == topics.ANALYSIS_JOBS.name]
    jobs = [(read.key, read.value) for read in read_jobs(kafka, bootstrap)]
    assert sorted(jobs) == sorted(jobs_expected), "jobs differ"
    return total + len(jobs)


def states(
    kafka: Kafka, bootstrap: str | KafkaSettings, lane: int, forged: bytes | None = None
) -> list[tuple[int, State]]:
    """The states that snapshots of a lane are of, by a reader that is not ours, oldest first, without the forged one."""
    chunks: dict[bytes, list[bytes]] = {b"0": [], b"1": []}
    found = []
    for read in read_all(bootstrap, kafka.name(topics.SNAPSHOTS), lane):
        assert read.key is not None
        slot, _, name = read.key.partition(b"/")
        if name == b"0":
            chunks[slot] = []
        if name != b"manifest":
            assert len(chunks[slot]) == int(name)
            chunks[slot].append(read.value or b"")
        elif read.value != forged:
            found.append(
                (json.loads(read.value or b"")["next_offset"], state_bytes.decode(b"".join(chunks[slot])))
            )
    return found


def _difference(topic: str, lane: int, got: Sequence[object], wanted: Sequence[object]) -> str:
    at = next((i for i, (a, b) in enumerate(zip(got, wanted, strict=False)) if a != b), min(len(got), len(wanted)))
    return (
        f"{topic} lane {lane}: {len(got)} records, the refold has {len(wanted)}; they differ at {at}:\n"
        f"  got    {got[at : at + 1]}\n  wanted {wanted[at : at + 1]}"
    )


def wait_live(workers: list[Worker], lanes: int, seconds: float = 90) -> None:
    """Until every lane is live in exactly one of the workers."""

    def live() -> bool:
        owned = [lane for worker in workers for lane, (state, _) in worker.lanes.items() if state == "live"]
        return sorted(owned) == list(range(lanes))

    wait_until(live, seconds, what="every lane to be live")


__all__ = ["Feeder", "Worker", "drained", "os", "time", "verdict", "wait_live"]
