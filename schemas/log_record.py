"""A record as a reader of the log receives it, independent of the Kafka client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class StoredRecord(Protocol):
    """One record as a partition stores it. `timestamp`: append time, ms."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class LogRecord(StoredRecord, Protocol):
    """One record and its partition (aiokafka's ConsumerRecord has all of this)."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
