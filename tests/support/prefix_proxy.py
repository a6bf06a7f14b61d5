"""A proxy as people put before the gateway: it serves it below a path, strips that path, and loses the port of the
Host header (`location /catalog/ { proxy_pass http://gateway/; proxy_set_header Host $host; }`)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"


@contextmanager
def behind_proxy(port: int, gateway_url: str, prefix: str) -> Iterator[str]:
    """Listen on `port` before the gateway; the page's address there, with a slash at its end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    target = urlsplit(gateway_url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(HEAD_END)
            there, back = await asyncio.open_connection(target.hostname, target.port)
            back.write(_rewritten(head, prefix))
            await asyncio.gather(_copy(reader, back), _copy(there, writer))

    try:
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(serve, "127.0.0.1", port), loop).result(10)
        yield f"http://127.0.0.1:{port}{prefix}/"
        loop.call_soon_threadsafe(server.close)
    finally:
        asyncio.run_coroutine_threadsafe(_cancelled(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _rewritten(head: bytes, prefix: str) -> bytes:
    lines = head.removesuffix(HEAD_END).split(b"\r\n")
    method, path, version = lines[0].split(b" ")
    stripped = path.removeprefix(prefix.encode()) if path.startswith(prefix.encode() + b"/") else b"/not-ours"
    kept = [line for line in lines[1:] if not line.lower().startswith((b"host:", b"connection:"))]
    upgrade = any(line.lower().startswith(b"upgrade:") for line in kept)
    connection = b"Connection: Upgrade" if upgrade else b"Connection: close"
    return b"\r\n".join([b" ".join([method, stripped, version]), b"Host: 127.0.0.1", connection, *kept]) + HEAD_END


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()


async def _cancelled() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
