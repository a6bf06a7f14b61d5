"""Fixtures of the stream stages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.kafka import Kafka
from tests.support.fold_run import Workers


@pytest.fixture
def workers(kafka: Kafka, tmp_path: Path) -> Iterator[Workers]:
    """Starts workers of the library fold on this test's topics."""
    workers = Workers(kafka, tmp_path)
    try:
        yield workers
    finally:
        workers.end()
