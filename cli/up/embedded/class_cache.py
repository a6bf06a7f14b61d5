"""Creates Java's cache of the classes that a broker loads, once for each set of jars (`java` uses it).

A broker is started in a temporary folder, and stopped once it answers; Java writes the cache when it exits. As a program
this runs in the background with low priority, and does nothing while another process is creating the cache.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

from cli.up import ports
from cli.up.embedded import jars
from cli.up.embedded.access import Access
from cli.up.embedded.java import class_cache
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.output import SetupOutput
from cli.up.supervision.program import HERE

_WRITE_SECONDS = 180.0
_NICE = 15


def train(paths: tuple[Path, ...]) -> bool:
    """Create the cache of these jars unless it exists; False if another process is creating it, or Java could not
    create it. Raises NotReady, OSError."""
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
    option = f"-XX:AOTCacheOutput={HERE}/{part.name}"
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
    """Create the cache with low priority."""
    os.nice(_NICE)
    folder = jars.cache_folder() / "kafka"
    train(jars.obtain(jars.locked(jars.SERVER), folder, SetupOutput()))


if __name__ == "__main__":
    main()
