"""A file is closed, a frame is at the socket: how long beyond the debounce window, at 20 changes a second, through
the whole platform. Baseline in the same run: one acknowledged Kafka append until a waiting reader has it."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path

from aiokafka import TopicPartition
from websockets.sync.client import connect

from bench.support import show
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas.topics import EMBEDDED_LANES, NOTIFICATIONS
from tests.support.platform import DEBOUNCE_MS, Platform

PER_SECOND = 20
CHANGES = 400


async def append_to_read(bootstrap: str) -> list[float]:
    """Milliseconds from a send to its arrival at a reader, one at a time."""
    kafka = Kafka(KafkaSettings(bootstrap_servers=bootstrap, lanes=EMBEDDED_LANES), "bench")
    consumer, producer = kafka.tail_consumer(), kafka.producer(linger_ms=0)
    await consumer.start()
    await producer.start()
    place = TopicPartition(kafka.name(NOTIFICATIONS), 0)
    consumer.assign([place])
    await consumer.seek_to_end(place)
    note = {"type": "bench", "title": "bench", "message": "bench", "level": "info"}
    taken = []
    for _ in range(100):
        began = time.perf_counter()
        await producer.send_and_wait(place.topic, json.dumps(note).encode(), key=b"bench", partition=0)
        while not await consumer.getmany(place, timeout_ms=1_000):
            pass
        taken.append((time.perf_counter() - began) * 1000)
    await producer.stop()
    await consumer.stop()
    return taken


def closed_to_frame(platform: Platform, root: Path) -> list[float]:
    """Milliseconds from the close of each file to its frame, less the debounce window."""
    closed: dict[str, float] = {}

    def write() -> None:
        began = time.perf_counter()
        for number in range(CHANGES):
            path = root / f"file {number}.txt"
            path.write_bytes(b"content of %d " % number * 20)
            closed[path.name] = time.perf_counter()
            time.sleep(max(0.0, began + (number + 1) / PER_SECOND - time.perf_counter()))

    seen: dict[str, float] = {}
    with connect(f"{platform.run['ws_url']}?token={platform.token()}") as socket:
        socket.send(json.dumps({"type": "subscribe", "channel": "media_updates"}))
        writer = threading.Thread(target=write)
        writer.start()
        while len(seen) < CHANGES:
            frame = json.loads(socket.recv(30))
            if frame["type"] == "media_update" and frame["data"]["action"] == "created":
                seen[frame["data"]["media"]["path"]] = time.perf_counter()
        writer.join()
    return [(seen[name] - at) * 1000 - DEBOUNCE_MS for name, at in closed.items()]


def main() -> None:
    """Start a platform, measure, print."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder:
        root = Path(folder) / "films"
        root.mkdir()
        platform = Platform(Path(folder), {"films": root})
        try:
            platform.start()
            bare = asyncio.run(append_to_read(platform.run["bootstrap_servers"]))
            taken = closed_to_frame(platform, root)
            platform.stop()
        finally:
            platform.end()
    p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
    bare50, bare99 = statistics.median(bare), statistics.quantiles(bare, n=100)[98]
    show(
        f"file closed → frame at the socket, beyond the {DEBOUNCE_MS} ms window, {PER_SECOND} changes/s",
        [
            (
                "whole platform",
                f"min {min(taken):.0f} ms, p50 {p50:.0f} ms (aim ≤ 60), p99 {p99:.0f} ms (aim ≤ 200)",
            ),
            ("one Kafka append → reader", f"p50 {bare50:.1f} ms, p99 {bare99:.1f} ms"),
            ("ratio p50", f"{p50 / bare50:.1f}"),
        ],
        {"min_ms": min(taken), "p50_ms": p50, "p99_ms": p99, "bare_p50_ms": bare50, "bare_p99_ms": bare99},
    )


if __name__ == "__main__":
    main()
