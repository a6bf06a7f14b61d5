"""A record as a reader of the log receives it, independent of the Kafka client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class LogRecord(Protocol):
    """One record (aiokafka's ConsumerRecord has all of this). `timestamp`: append time, ms."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
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
