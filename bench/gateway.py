"""Gateway deliveries per CPU second of the server, against a C loop and the naive FastAPI loop in the same run.

A thousand sockets, events of 500 bytes, default settings. All servers run uvicorn on uvloop in a process of
their own; only their CPU time counts, not the clients'. The baseline is the system's limit: a C loop that calls send(2) with
a prepared frame for each socket (`bench.c_send`). Ours is the product's own path, from a read record to the sockets:
frame, ring, audiences with their rights, one joined write per client. The naive one is that of tutorials: for every
event, `await send_text` to each client in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import sys
import time
from dataclasses import asdict, dataclass

import uvloop

from bench.gateway_servers import FRAME_BYTES, SERVERS, Cell, listening, raise_descriptor_limit, serve
from cli.up.ports import free_port

SOCKETS = 1_000
EVENTS = 64
ROUNDS = 9
JOINED = 16
LIMIT_SECONDS = 60.0

CELLS = (
    Cell("C", 1, EVENTS),
    Cell("ours", 1, EVENTS),
    Cell("ours", 1, EVENTS, 10),
    Cell("ours", 1, EVENTS, 100),
    Cell("naive", 1, EVENTS),
    Cell("C", JOINED, 8 * EVENTS),
    Cell("ours", JOINED, 8 * EVENTS),
    Cell("ours", JOINED, 8 * EVENTS, 100),
)


@dataclass(frozen=True, slots=True)
class DeliveryRate:
    """Deliveries per CPU second of the server, round by round, and their ratio to C's in each round."""

    cell: Cell
    rounds: tuple[int, ...]
    ratios: tuple[float, ...]

    @property
    def per_second(self) -> int:
        """The median."""
        return round(statistics.median(self.rounds))

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios: other load on the machine affected both."""
        return round(statistics.median(self.ratios), 2)


# The clients: plain sockets that count bytes, as cheap as can be.


async def _client(port: int, counts: list[int], index: int) -> asyncio.Task[None]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")

    async def count() -> None:
        while data := await reader.read(1 << 18):
            counts[index] += len(data)
        writer.close()

    return asyncio.create_task(count())


async def _drained(counts: list[int], expected: int, deadline: float) -> None:
    while min(counts) < expected:
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"{sum(c < expected for c in counts)} clients got less than {expected} bytes: {min(counts)}"
            )
        await asyncio.sleep(0.01)


class _Server:
    """One server process with its sockets, all connected."""

    def __init__(self, which: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._port = free_port()
        self._process = context.Process(target=serve, args=(which, self._port, theirs), daemon=True)
        self._process.start()
        self._counts: list[int] = []
        self._frame_size = 0

    async def connect(self, sockets: int, deadline: float) -> None:
        """Open the sockets and send a few events to learn the size of a frame."""
        await listening(self._port, deadline)
        self._counts = [0] * sockets
        self._clients = [await _client(self._port, self._counts, i) for i in range(sockets)]
        await self._publish(Cell("", 1, JOINED))
        self._frame_size = await _frame_size(self._counts, JOINED)

    async def round(self, cell: Cell, deadline: float) -> int:
        """Publish and wait until every client has everything; deliveries per CPU second of the server."""
        before = min(self._counts)
        cpu = await self._publish(cell)
        await _drained(self._counts, before + self._frame_size * cell.events, deadline)
        return round(cell.events * len(self._counts) / cpu)

    def end(self) -> None:
        """Kill the server."""
        self._process.kill()

    async def _publish(self, cell: Cell) -> float:
        loop = asyncio.get_running_loop()
        self._pipe.send(cell)
        cpu: float = await loop.run_in_executor(None, self._pipe.recv)
        return cpu


async def _frame_size(counts: list[int], events: int) -> int:
    """Bytes of one frame, from the first round: wait until nothing more comes."""
    seen = -1
    while seen != sum(counts):
        seen = sum(counts)
        await asyncio.sleep(0.3)
    return max(counts) // events


async def measure() -> list[DeliveryRate]:
    """The cells take turns, so that other load on the machine affects all of them alike."""
    sockets = min(SOCKETS, (raise_descriptor_limit(3 * SOCKETS + 200) - 200) // 3)
    deadline = time.monotonic() + LIMIT_SECONDS
    servers = {which: _Server(which) for which in SERVERS}
    rates: dict[Cell, list[int]] = {cell: [] for cell in CELLS}
    try:
        for server in servers.values():
            await server.connect(sockets, deadline)
        for _ in range(ROUNDS):
            for cell in CELLS:
                rates[cell].append(await servers[cell.server].round(cell, deadline))
    finally:
        for server in servers.values():
            server.end()
    limits = {cell.per_step: rates[cell] for cell in CELLS if cell.server == "C"}
    return [
        DeliveryRate(
            cell, tuple(found), tuple(own / c for own, c in zip(found, limits[cell.per_step], strict=True))
        )
        for cell, found in rates.items()
    ]


def main() -> None:
    """Print the table, or JSON with --json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="for machines")
    as_json = parser.parse_args().json
    try:
        results = uvloop.run(measure())
    except (EOFError, TimeoutError) as error:  # a busy machine dropped a connection: these figures are void
        print(f"once more: {error or 'a server ended because a client was dropped'}", file=sys.stderr)
        results = uvloop.run(measure())
    if as_json:
        rows = [{**asdict(r), "deliveries_per_cpu_second": r.per_second, "ratio": r.ratio} for r in results]
        json.dump({"sockets": SOCKETS, "frame_bytes": FRAME_BYTES, "results": rows}, sys.stdout)
        print()
        return
    print(f"deliveries per server CPU second, {SOCKETS} sockets, {FRAME_BYTES} bytes, median of {ROUNDS}")
    for result in results:
        low, high = min(result.ratios), max(result.ratios)
        print(
            f"  {result.cell.server:5} {result.cell.name:32} {result.per_second:>10,}"
            f"   {result.ratio:4.2f} of C ({low:.2f} to {high:.2f})"
        )


if __name__ == "__main__":
    main()
