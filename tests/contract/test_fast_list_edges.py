"""Where bytes may not bypass a transport: over TLS they would not be encrypted, and after a close they would be cut off."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from gateway.live.fast_list import OFF, Direct, deliver
from tests.support.tls import DAY, NOW, Authority

FRAMES = [b"%d " % n * (200 * (n % 7) + 1) for n in range(60)]
HOST = "127.0.0.1"

Run = Callable[[Coroutine[Any, Any, None]], None]
runs = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


class Server(asyncio.Protocol):
    """Delivers like the gateway, to one connection."""

    outlet: Direct
    transport: asyncio.Transport

    def __init__(self) -> None:
        self.made = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # like the gateway's doors
        self.transport, self.outlet = transport, Direct(transport)
        self.made.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.outlet.end()


@runs
def test_over_tls_everything_goes_through_the_transport(run: Run, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    sealed, trusting = authority.context(HOST, NOW + DAY), ssl.create_default_context(cafile=str(authority.file))

    async def main() -> None:
        protocol = Server()
        server = await asyncio.get_running_loop().create_server(lambda: protocol, HOST, 0, ssl=sealed)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(HOST, port, ssl=trusting)
        await protocol.made
        for frame in FRAMES:
            deliver(frame, [protocol.outlet])
            assert protocol.outlet.fast is OFF
        expected = b"".join(FRAMES)
        assert await asyncio.wait_for(reader.readexactly(len(expected)), 10) == expected
        writer.close()
        server.close()

    run(main())


@runs
def test_behind_a_close_nothing_overtakes_what_waits(run: Run) -> None:
    waiting = b"w" * 4_000_000
    """More than kernels take for a client that does not read."""

    async def main() -> None:
        protocol = Server()
        server = await asyncio.get_running_loop().create_server(lambda: protocol, HOST, 0)
        reader, writer = await asyncio.open_connection(HOST, server.sockets[0].getsockname()[1])
        await protocol.made
        deliver(FRAMES[1], [protocol.outlet])
        protocol.outlet(waiting)
        protocol.transport.close()
        deliver(FRAMES[2], [protocol.outlet])
        assert protocol.outlet.fast is OFF
        received = await asyncio.wait_for(reader.read(-1), 10)
        before = FRAMES[1] + waiting
        assert received in (before, before + FRAMES[2]), "complete, and after what was written before the close"
        writer.close()
        server.close()

    run(main())
