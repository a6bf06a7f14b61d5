"""MD5 of whole files, by a real process: it is recorded, and nothing waits for it."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from producer.settings import ProducerSettings, RootSpec
from runtime.kafka import Kafka
from schemas import raw, topics
from schemas.codec import raw_codec
from tests.support.producer_process import producing
from tests.support.producer_root import put
from tests.support.topic import read
from tests.support.waiting import wait_until

LARGE = 90_000_000
SLOW = 5_000_000
"""Bytes a second: the large file takes 18 s."""

AT_ONCE_SECONDS = 2.0


def settings(root: Path, bytes_per_second: int) -> ProducerSettings:
    spec = RootSpec(name="films", library="home", path=root)
    return ProducerSettings(roots=(spec,), md5_bytes_per_second=bytes_per_second)


def prints(kafka: Kafka) -> dict[str, str | None]:
    """By path, the MD5 of the last fingerprint."""
    records = (raw_codec.decode(one.value) for one in read(kafka, topics.RAW))
    return {one.path: one.md5 for one in records if isinstance(one, raw.Fingerprint)}


def test_every_file_gets_its_md5_and_nothing_waits_for_it(kafka: Kafka, tmp_path: Path) -> None:
    root = tmp_path / "films"
    contents = {f"{number}.mkv": os.urandom(1_000 * number) for number in range(5)}
    for name, content in contents.items():
        put(root / name, content)
    with producing(kafka, settings(root, SLOW), tmp_path / "state") as process:
        wanted = {name: hashlib.md5(content).hexdigest() for name, content in contents.items()}
        wait_until(lambda: prints(kafka) == wanted, 20, what="the small ones")
        put(root / "large.mkv", bytes(LARGE))
        wait_until(lambda: "large.mkv" in prints(kafka), 20, what="the large one's fingerprint")
        for number in range(10):
            began = time.monotonic()
            put(root / f"new-{number}.mkv", b"new")
            wait_until(lambda number=number: f"new-{number}.mkv" in prints(kafka), 10, what="a new file")  # type: ignore[misc]
            assert time.monotonic() - began < AT_ONCE_SECONDS
        assert prints(kafka)["large.mkv"] is None
        assert process.terminate() == 0
    with producing(kafka, settings(root, 10**9), tmp_path / "state"):
        wait_until(lambda: None not in prints(kafka).values(), 20, what="the large one, read anew")
    assert prints(kafka)["large.mkv"] == hashlib.md5(bytes(LARGE)).hexdigest()
