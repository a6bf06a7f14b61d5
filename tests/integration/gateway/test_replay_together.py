"""If many sockets replay the same, the log is read once for all of them, and memory does not grow with what they read: of a
client only its offset is kept."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from runtime.kafka import Kafka
from tests.support.events import films
from tests.support.gateway import Gateway, gateway
from tests.support.topic import pour

FILMS = 12_000
SIZE = 1_500
SOCKETS = 12
READS = re.compile(r"^catalogizer_gateway_log_reads_total (\S+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def server(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that has next to nothing of a long history in memory."""
    pour(log, films(FILMS, size=SIZE))
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), {"RING_BYTES": "65536"})
    running.start()
    yield running
    running.kill()


def reads(server: Gateway, token: str) -> float:
    with server.http(token) as http:
        found = READS.search(http.get("/metrics").text)
    assert found is not None
    return float(found[1])


def resident(server: Gateway) -> int:
    """Bytes of memory of the gateway's process."""
    assert server.process is not None
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4_096


async def replayed(server: Gateway, token: str, *, wait: float = 0.0) -> list[int]:
    """The offsets that one socket gets of the history; with `wait`, it reads nothing for so long first."""
    offsets: list[int] = []
    async with connect(f"{server.ws_url}?token={token}", compression=None, max_size=None, max_queue=1) as socket:
        await socket.send(
            json.dumps({"type": "subscribe", "channel": "media_updates", "from": "earliest", "until": "head"})
        )
        await asyncio.sleep(wait)
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "media_update":
                offsets.append(frame["offset"])
            elif frame["type"] == "unsubscribed":
                assert frame["reason"] == "complete"
                return offsets
    raise AssertionError("the socket ended before the replay")


def test_many_that_replay_the_same_read_the_log_as_one_does(server: Gateway, token: str) -> None:
    async def together(sockets: int) -> list[list[int]]:
        return await asyncio.gather(*(replayed(server, token) for _ in range(sockets)))

    at_first = reads(server, token)
    everything = list(range(FILMS))
    assert asyncio.run(together(1)) == [everything]
    alone = reads(server, token) - at_first
    assert asyncio.run(together(SOCKETS)) == [everything] * SOCKETS
    # they drift apart as their sockets take data, and what all of them need stays on the shelf meanwhile
    assert reads(server, token) - at_first - alone <= 1.5 * alone
    assert alone >= FILMS * SIZE / 524_288, "it came from the log"


def test_readers_that_take_nothing_for_a_while_cost_no_memory_and_lose_nothing(
    server: Gateway, token: str
) -> None:
    async def slowly() -> tuple[list[list[int]], int]:
        replaying = [asyncio.create_task(replayed(server, token, wait=2.0)) for _ in range(SOCKETS)]
        await asyncio.sleep(1.5)
        grown = resident(server)
        return await asyncio.gather(*replaying), grown

    assert asyncio.run(replayed(server, token)) == list(range(FILMS))  # what a first replay needs is there now
    before = resident(server)
    offsets, then = asyncio.run(slowly())
    assert offsets == [list(range(FILMS))] * SOCKETS
    assert max(then, resident(server)) - before <= 24 * 1_048_576
