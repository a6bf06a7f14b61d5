"""One worker of the library fold as a process of its own, that tests kill, stop and resume.

`python -m tests.support.fold_worker SETTINGS_JSON INSTANCE PROGRESS_FILE [POINT HIT SIGNAL]`: runs the service
until SIGTERM; every 50 ms the lanes that it owns stand in PROGRESS_FILE; at the HIT-th passing of POINT it writes
`PROGRESS_FILE.hit` and sends itself SIGNAL.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from runtime import log
from runtime.health import Health
from runtime.kafka import Kafka
from runtime.lifecycle import Stop, run
from runtime.settings import KafkaSettings, LogSettings
from streams.library import snapshots
from streams.library.service import LibraryService

EVERY, CHUNK_BYTES = int(os.environ.get("SNAPSHOT_EVERY", "300")), 8_000
"""A snapshot is due after so many records, and of many chunks, so that each run writes and reads several."""


def main() -> None:
    """Run the worker."""
    settings = KafkaSettings.model_validate_json(sys.argv[1])
    instance, progress = sys.argv[2], Path(sys.argv[3])
    point, hit, own = (sys.argv[4], int(sys.argv[5]), int(sys.argv[6])) if len(sys.argv) > 4 else ("", 0, 0)
    snapshots.FEWEST_RECORDS, snapshots.CHUNK_BYTES = EVERY, CHUNK_BYTES
    log.configure(LogSettings(level="WARNING", format="text"), instance)
    passed = 0

    def points(name: str) -> None:
        nonlocal passed
        if name == point:
            passed += 1
            if passed == hit:
                progress.with_suffix(".hit").write_text(point)
                os.kill(os.getpid(), own)

    async def work(stop: Stop) -> None:
        service = LibraryService(
            kafka=Kafka(settings, instance), instance=instance, health=Health(), points=points
        )
        await service.start()
        try:
            while not await stop.wait(0.05):
                lanes = {lane: [p.state, p.next_offset] for lane, p in service.progress.items()}
                part = progress.with_suffix(".part")
                part.write_text(json.dumps(lanes))
                part.replace(progress)
        finally:
            await service.stop()

    run(work)


if __name__ == "__main__":
    main()
