"""A worker that is ended while it starts ends at once and leaves nothing open: Ctrl-C just after the start is what people do
when they see a wrong setting."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.provisioning.topics import apply
from cli.up.embedded.kafka import EmbeddedKafka
from runtime.kafka import Kafka
from tests.support.command import environment
from tests.support.servers import clients

END_SECONDS = 10


@pytest.fixture(scope="module")
def kafka(broker: EmbeddedKafka) -> Kafka:
    """Topics of this module's own."""
    made = clients(broker)
    asyncio.run(apply(made))
    return made


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.4])
def test_nothing_is_left_open(kafka: Kafka, seconds: float, tmp_path: Path) -> None:
    """`seconds`: after the first line of its log, which comes before it has connected."""
    variables = environment(kafka) | {"CATALOGIZER_STATE_DIR": str(tmp_path), "CATALOGIZER_LOG__FORMAT": "json"}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "stream"],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=END_SECONDS)
    lines = [json.loads(line) for line in (first + rest).splitlines()]
    # asyncio reports what was left open or never awaited; aiokafka also reports requests that its own end cut off
    assert [line for line in lines if line["logger"] == "asyncio"] == []
    assert not any("exception" in line for line in lines)
    assert process.returncode == 0
