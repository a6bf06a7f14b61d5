"""A refold in a process of its own, with a hash seed and batch boundaries of its own.

`python -m tests.support.refold_digest SETTINGS_JSON LANE START END MAX_RECORDS PAUSE_MS`: prints a line per
output: [topic, partition, digest of key, value and headers].
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys

from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas.places import Offset
from streams.library.refold import refold


def digest(key: bytes | None, value: bytes | None, headers: object) -> str:
    """Of everything a reader sees of a record."""
    return hashlib.sha256(repr((key, value, headers)).encode()).hexdigest()


async def main() -> None:
    """Refold and print."""
    kafka = Kafka(KafkaSettings.model_validate_json(sys.argv[1]), "refold")
    lane, start, end, most, pause_ms = map(int, sys.argv[2:7])
    outputs = refold(kafka, lane, Offset(start), None if end < 0 else Offset(end), most)
    async for output in outputs:
        line = [output.topic.name, output.partition, digest(output.key, output.value, tuple(output.headers))]
        print(json.dumps(line))
        if pause_ms:
            await asyncio.sleep(pause_ms / 1000)


if __name__ == "__main__":
    asyncio.run(main())
