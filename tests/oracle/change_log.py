"""The change log of a library as an independent client reads it: each root's tree, as a reader of the records has it.

Which records count is derived from the log alone: of each root those of the epoch that was declared last under the highest
term, each `seq` once. A hole in them, or one `seq` with two contents, is a fault, whatever the tree is in the end."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from runtime.settings import KafkaSettings
from tests.oracle.model import RecordReader, Tree
from tests.support.committed import AWAY, connection, watermarks

POLL_SECONDS = 0.05


@dataclass
class RootLog:
    """The records of one root that count. `written`: a digest of each, by `seq`; `gaps`: causes of those that are open."""

    epoch: str
    term: int
    reader: RecordReader = field(default_factory=RecordReader)
    written: list[bytes] = field(default_factory=list)
    gaps: set[str] = field(default_factory=set)


@dataclass
class LogView:
    """Reads records in the log's order. `again`: how many were repeated; `foreign`: how many were of other epochs."""

    roots: dict[str, RootLog] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    again: int = 0
    foreign: int = 0

    def read(self, value: bytes) -> None:
        """Apply a record, if it counts."""
        record = json.loads(value)
        if "seq" not in record:  # of the fold, an operator, or an analysis
            return
        name, epoch, seq = record["root"], record["epoch"], record["seq"]
        root = self.roots.get(name)
        term = record.get("term", 0)
        if record["kind"] == "root_declared" and (root is None or (root.epoch != epoch and term >= root.term)):
            root = self.roots[name] = RootLog(epoch, term)
        if root is None or root.epoch != epoch:
            self.foreign += 1
            return
        root.term = max(root.term, term)
        digest = hashlib.blake2b(value, digest_size=16).digest()
        if seq <= len(root.written):
            self.again += 1
            if root.written[seq - 1] != digest:
                self.faults.append(f"{name}: record {seq} was another one before: {value!r}")
            return
        if seq > len(root.written) + 1:
            self.faults.append(f"{name}: record {seq} after {len(root.written)}")
        root.written += [digest] * (seq - len(root.written))
        self._take(root, record, value)

    def tree(self, root: str) -> Tree:
        """The tree of a root."""
        return self.roots[root].reader.tree if root in self.roots else {}

    def has_gap(self, cause: str) -> bool:
        """A gap of that cause is open in some root."""
        return any(cause in root.gaps for root in self.roots.values())

    @staticmethod
    def _take(root: RootLog, record: dict[str, Any], value: bytes) -> None:
        match record["kind"]:
            case "gap_open":
                root.gaps.add(record["cause"])
            case "gap_closed":
                root.gaps.discard(record["cause"])
        root.reader.read(value)


class ChangeLog:
    """One lane of the topic, read continuously."""

    def __init__(self, brokers: str | KafkaSettings, topic: str, lane: int) -> None:
        self.view = LogView()
        self._place = TopicPartition(topic, lane, 0)
        self._next = 0
        self._consumer = Consumer(
            {
                **connection(brokers),
                "group.id": "oracle",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 10,
            }
        )
        self._consumer.assign([self._place])

    def read_on(self) -> None:
        """Read up to its present end."""
        end = watermarks(self._consumer, self._place)[1]
        while self._next < end:
            for message in self._consumer.consume(1_000, timeout=POLL_SECONDS):
                if (error := message.error()) is not None:
                    if error.code() in AWAY:  # about the time before
                        continue
                    raise RuntimeError(str(error))
                if message.offset() != self._next:
                    self.view.faults.append(f"offset {message.offset()} after {self._next - 1}")
                self._next = (message.offset() or 0) + 1
                self.view.read(message.value() or b"{}")

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()
