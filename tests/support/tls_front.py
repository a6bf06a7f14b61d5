"""TLS before a database server that has none of its own: what `ssl = on` is for, for clients.

The embedded server's program is built without TLS. This answers a client's SSLRequest, seals the connection with a
certificate, and hands the bytes on."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""Length 8 and code 80877103 (PostgreSQL documentation, Message Formats)."""


@contextmanager
def sealed(url: str, certificate: Path) -> Iterator[int]:
    """The port of a front of that server, with that key and certificate."""
    parts = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        asyncio.start_server(_Front(str(parts.hostname), parts.port or 5432, context).serve, "127.0.0.1", 0)
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        port: int = server.sockets[0].getsockname()[1]
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class _Front:
    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        self._host = host
        self._port = port
        self._context = context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        with suppress(OSError, asyncio.IncompleteReadError):  # a client that trusts nobody hangs up
            if await reader.readexactly(8) != _SSL_REQUEST:
                return writer.close()
            writer.write(b"S")
            await writer.start_tls(self._context)
            near, far = await asyncio.open_connection(self._host, self._port)
            ways = [asyncio.create_task(_carry(*way)) for way in ((reader, far), (near, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                far.close()
                writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
