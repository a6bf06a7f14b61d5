"""Replay equals live: the fold over a live run's change log, with other batch boundaries, another hash seed,
throttled, and in pieces, gives what live readers got, byte for byte."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys

from runtime.kafka import Kafka
from schemas import topics
from tests.support.committed import read_all
from tests.support.fold_run import LANE_OUTPUTS, Feeder, Workers, drained
from tests.support.refold_digest import digest

Lines = list[list[object]]


def refold(kafka: Kafka, lane: int, start: int, end: int, *, seed: str, most: int, pause_ms: int = 0) -> Lines:
    """One refold in a process of its own."""
    words = [kafka.settings.model_dump_json(), lane, start, end, most, pause_ms]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.refold_digest", *map(str, words)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_three_refolds_equal_each_other_and_what_live_readers_got(kafka: Kafka, workers: Workers) -> None:
    bootstrap = kafka.settings.bootstrap_servers or ""
    worker = workers("a")
    asyncio.run(Feeder(kafka, seed=6).run(1_000, pause_seconds=0.05))
    drained(kafka, bootstrap, [worker])
    assert worker.end() == 0
    for lane in range(kafka.lanes):
        length = len(read_all(bootstrap, kafka.name(topics.RAW), lane))
        if not length:
            continue
        whole = refold(kafka, lane, 0, -1, seed="1", most=1)
        throttled = refold(kafka, lane, 0, -1, seed="2", most=7, pause_ms=1)
        cuts = [0, length // 3, length // 2, length]
        pieces = [
            line
            for start, end in itertools.pairwise(cuts)
            for line in refold(kafka, lane, start, end, seed="3", most=500)
        ]
        assert whole == throttled == pieces
        for topic in LANE_OUTPUTS:
            live = [digest(r.key, r.value, r.headers) for r in read_all(bootstrap, kafka.name(topic), lane)]
            assert live == [line[2] for line in whole if line[0] == topic.name], topic.name
    assert sum(len(read_all(bootstrap, kafka.name(topics.CHANGES), lane)) for lane in range(kafka.lanes)) > 300
