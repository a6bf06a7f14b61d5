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
    proxy = _Proxy(port, gateway_url, prefix)
    thread = threading.Thread(target=lambda: asyncio.run(proxy.run()))
    thread.start()
    assert proxy.listening.wait(10)
    try:
        yield f"http://127.0.0.1:{port}{prefix}/"
    finally:
        proxy.stop()
        thread.join(10)


class _Proxy:
    def __init__(self, port: int, gateway_url: str, prefix: str) -> None:
        self.listening = threading.Event()
        self._port = port
        self._target = urlsplit(gateway_url)
        self._prefix = prefix
        self._tasks: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """End it, from another thread."""
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def run(self) -> None:
        """Serve until stopped, and leave nothing open."""
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._begin, "127.0.0.1", self._port)
        self.listening.set()
        await self._stopped.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            head = await reader.readuntil(HEAD_END)
            there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
            writers.append(back)
            back.write(_rewritten(head, self._prefix))
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # one side has gone
        finally:
            for each in writers:
                each.close()
            for each in writers:
                with contextlib.suppress(OSError):
                    await each.wait_closed()


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
