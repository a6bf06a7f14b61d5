"""Makes Java's cache of the classes a broker loads, once for each set of jars (`java` uses it).

A broker is started in a folder of its own, answers, and is stopped; while ending, Java writes the cache. Run as a
program it does so in the background, with low priority, and does nothing when another is at it.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from cli.up import ports
from cli.up.embedded import jars, kafka_config
from cli.up.embedded.access import Access
from cli.up.embedded.java import class_cache
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.telling import Telling

_WRITE_SECONDS = 180.0
_NICE = 15


def train(paths: tuple[Path, ...]) -> bool:
    """Make the cache of these jars unless it is there; False when another process is making it, or Java could
    not. Raises NotReady, OSError."""
    cache = class_cache(paths)
    with cache.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if cache.exists():
            return True
        with tempfile.TemporaryDirectory(prefix="training-", dir=cache.parent) as folder:
            return _train(paths, Path(folder), cache)


def _train(paths: tuple[Path, ...], folder: Path, cache: Path) -> bool:
    part = folder / cache.name
    option = f"-XX:AOTCacheOutput={kafka_config.HERE}/{part.name}"
    access = Access(folder / "secrets")  # for the classes that sign clients in
    broker = EmbeddedKafka(folder, ports.free_port(), paths, access, java_options=(option,))
    broker.prepare()
    broker.start()
    try:
        broker.wait_ready()
        broker.stop(_WRITE_SECONDS)
    finally:
        broker.kill()
    if part.exists():
        part.replace(cache)
    return cache.exists()


def main() -> None:
    """In the background."""
    os.nice(_NICE)
    folder = jars.cache_folder() / "kafka"
    train(jars.obtain(jars.locked(jars.SERVER), folder, Telling()))


if __name__ == "__main__":
    main()
