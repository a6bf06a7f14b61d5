"""A root's tree as a simple reader of the change log sees it: each record in the order of the log, with the times at which
Kafka appended it.

It knows the records' meaning and nothing about their writer."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from confluent_kafka import Consumer, TopicPartition

from bench.watching.judging import Seen, Tree
from runtime.kafka import Kafka
from schemas import raw, topics
from schemas.codec import raw_codec
from schemas.lanes import lane_of
from schemas.paths import from_wire

LIBRARY = "bench"
READ_SECONDS = 0.05


@dataclass(slots=True)
class Stretch:
    """What was appended to the log since the last `begin`. `times`: of each record, milliseconds; `changed_at`: of the last
    one that changed the tree; `removals`: paths that were recorded as gone."""

    times: list[int] = field(default_factory=list)
    changed_at: int | None = None
    gaps: int = 0
    removals: list[bytes] = field(default_factory=list)

    @property
    def peak(self) -> int:
        """The most records within any one second."""
        most, window = 0, deque[int]()
        for time in self.times:
            window.append(time)
            while window[0] <= time - 1_000:
                window.popleft()
            most = max(most, len(window))
        return most


class RootView:
    """The view of one root."""

    def __init__(self) -> None:
        self.tree: Tree = {}
        self.has_baseline = False
        self.stretch = Stretch()
        self._last: dict[str, int] = {}

    def begin(self) -> None:
        """Begin a new stretch."""
        self.stretch = Stretch()

    def read(self, record: raw.ProducerRecord, time: int) -> None:
        """Apply the next record; one that was sent again is skipped."""
        if record.seq <= self._last.get(record.epoch, 0):
            return
        self._last[record.epoch] = record.seq
        self.stretch.times.append(time)
        if self._apply(record):
            self.stretch.changed_at = time

    def _apply(self, record: raw.ProducerRecord) -> bool:
        match record:
            case raw.Observed(file=None):
                path = _bytes(record.path, record.path_b64)
                self.stretch.removals.append(path)
                return self.tree.pop(path, None) is not None
            case raw.Observed(file=state) if state is not None:
                return self._put(_bytes(record.path, record.path_b64), _seen(state))
            case raw.Moved():
                self._move(
                    _bytes(record.from_path, record.from_path_b64),
                    _bytes(record.path, record.path_b64),
                    record.file,
                )
                return True
            case raw.GapOpen():
                self.stretch.gaps += 1
            case raw.ScanFinished():
                self.has_baseline = True
        return False

    def _put(self, path: bytes, seen: Seen) -> bool:
        before, self.tree[path] = self.tree.get(path), seen
        return before != seen

    def _move(self, source: bytes, target: bytes, state: raw.FileState) -> None:
        self.tree.pop(source, None)
        self._put(target, _seen(state))
        if state.type == "dir":
            inner = [path for path in self.tree if path.startswith(source + b"/")]
            for path in inner:
                self.tree[target + path[len(source) :]] = self.tree.pop(path)


class ChangeLog:
    """The library's lane of the topic, read from its beginning. `of`: the view of each root."""

    def __init__(self, kafka: Kafka) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": kafka.settings.bootstrap_servers or "", "group.id": "bench-watching",
                "enable.auto.commit": False, "auto.offset.reset": "error",
                "fetch.wait.max.ms": 10, "fetch.error.backoff.ms": 10,
            }
        )  # fmt: skip
        lane = lane_of(LIBRARY, kafka.lanes)
        self._consumer.assign([TopicPartition(kafka.name(topics.RAW), lane, 0)])
        self._views: dict[str, RootView] = {}

    def of(self, root: str) -> RootView:
        """The view of a root."""
        return self._views.setdefault(root, RootView())

    def read(self) -> int:
        """Read all there is now; returns how many records."""
        count = 0
        for time, value in self._records():
            record = raw_codec.decode(value)
            if isinstance(record, raw.ProducerRecord):
                self.of(record.root).read(record, time)
            count += 1
        return count

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _records(self) -> Iterator[tuple[int, bytes]]:
        while messages := self._consumer.consume(2_000, timeout=READ_SECONDS):
            for message in messages:
                error = message.error()
                if error is None:
                    yield message.timestamp()[1], message.value() or b""
                else:
                    raise RuntimeError(str(error))


def _bytes(path: str, b64: str | None) -> bytes:
    return os.fsencode(from_wire(path, b64))


def _seen(state: raw.FileState) -> Seen:
    return Seen("dir") if state.type == "dir" else Seen(state.type, state.size, state.mtime_ns)
