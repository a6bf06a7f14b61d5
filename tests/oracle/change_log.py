"""The change log of a library as an independent client reads it: what each root's tree is for somebody who believes it.

Whose records count is read out of the log alone: of each root those of the epoch that was declared last under the highest
term, each `seq` once. A hole in them, or one `seq` with two contents, is a fault, whatever is believed in the end."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from runtime.settings import KafkaSettings
from tests.oracle.model import Believer, Tree
from tests.support.committed import AWAY, connection, watermarks

POLL_SECONDS = 0.05


@dataclass
class RootLog:
    """What counts of one root. `written`: a digest of each record, by `seq`; `gaps`: causes of those that are open."""

    epoch: str
    term: int
    believer: Believer = field(default_factory=Believer)
    written: list[bytes] = field(default_factory=list)
    gaps: set[str] = field(default_factory=set)


@dataclass
class Told:
    """Reads records in the log's order. `again`: how many were there before; `foreign`: how many were of other epochs."""

    roots: dict[str, RootLog] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    again: int = 0
    foreign: int = 0

    def read(self, value: bytes) -> None:
        """Believe it, where it counts."""
        record = json.loads(value)
        if "seq" not in record:  # of the fold's, of an operator's, of an analysis
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
        """What is believed to be there."""
        return self.roots[root].believer.tree if root in self.roots else {}

    def has_gap(self, cause: str) -> bool:
        """One of that cause is open somewhere."""
        return any(cause in root.gaps for root in self.roots.values())

    @staticmethod
    def _take(root: RootLog, record: dict[str, Any], value: bytes) -> None:
        match record["kind"]:
            case "gap_open":
                root.gaps.add(record["cause"])
            case "gap_closed":
                root.gaps.discard(record["cause"])
        root.believer.read(value)


class ChangeLog:
    """One lane of the topic, read further and further."""

    def __init__(self, brokers: str | KafkaSettings, topic: str, lane: int) -> None:
        self.told = Told()
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
        """Up to its end as of now."""
        end = watermarks(self._consumer, self._place)[1]
        while self._next < end:
            for message in self._consumer.consume(1_000, timeout=POLL_SECONDS):
                if (error := message.error()) is not None:
                    if error.code() in AWAY:  # said of the time before
                        continue
                    raise RuntimeError(str(error))
                if message.offset() != self._next:
                    self.told.faults.append(f"offset {message.offset()} after {self._next - 1}")
                self._next = (message.offset() or 0) + 1
                self.told.read(message.value() or b"{}")

    def close(self) -> None:
        """Read no more."""
        self._consumer.close()
