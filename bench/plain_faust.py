"""The plain way, as a baseline of `bench.fold`: a Faust agent that stores the state of each path in a table and awaits each
of its sends. It does not debounce, does not detect renames, and repeats records after a kill; it only reads, stores and
sends.

`python -m bench.plain_faust BOOTSTRAP RECORDS`: reads so many records of the change log and prints the CPU seconds that
took.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from typing import Any

import faust

from bench.support import cpu_seconds
from schemas.codec import encode, raw_codec
from schemas.raw import Observed
from schemas.topics import CHANGES, RAW

PARTITIONS = 1


async def measure(bootstrap: str, wanted: int, folder: str) -> float:
    """CPU seconds from the first record to the last."""
    app = faust.App(
        "bench-plain", broker=f"aiokafka://{bootstrap}", store="memory://", datadir=folder, autodiscover=False,
        origin="bench", web_enabled=False, topic_partitions=PARTITIONS, topic_replication_factor=1,
        consumer_auto_offset_reset="earliest", stream_wait_empty=False, worker_redirect_stdouts=False,
    )  # fmt: skip
    source = app.topic(RAW.name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    outputs = app.topic(CHANGES.name, value_serializer="raw", key_serializer="raw")
    known: Any = app.Table("known", partitions=PARTITIONS)
    done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def agent(stream: Any) -> None:
        seen, before = 0, 0.0
        async for value in stream:
            if not seen:
                before = cpu_seconds()
            record = raw_codec.decode(value)
            if isinstance(record, Observed) and record.file is not None:
                known[record.path] = {"size": record.file.size, "mtime_ns": record.file.mtime_ns}
            await (await outputs.send(key=b"home", value=encode(record)))  # until the broker has it
            seen += 1
            if seen == wanted:
                done.set_result(cpu_seconds() - before)

    app.agent(source, name="plain", concurrency=1)(agent)
    await app.start()
    async with asyncio.timeout(300):
        return await done


def main() -> None:
    """Print the figure; the app is not stopped, because stopping is not measured."""
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder:
        spent = asyncio.new_event_loop().run_until_complete(measure(sys.argv[1], int(sys.argv[2]), folder))
        print(json.dumps({"cpu_seconds": spent}), flush=True)
    os._exit(0)  # Faust's threads would continue


if __name__ == "__main__":
    main()
