"""The pool of probing children: as many as may probe at once, each a process of its own, started in advance.

A probe always ends in a reply: a child that hangs is killed, one that dies or sends an invalid reply is replaced, and both
are regarded as the file's fault. That no child can be started is never the file's fault.

    NoChild   the first children did not start or did not become ready (retryable)
    TooSlow   a probe did not end in its time limit, which was less than the maximum
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runtime import log
from runtime.waits import CHILD
from streams import metrics
from streams.analysis import wire
from streams.errors import StreamsError
from streams.settings import AnalysisSettings

READY_SECONDS = 30.0
PROBES = 500
"""A child is replaced after so many probes, because parsers leak memory."""
_SOURCES = str(Path(__file__).parents[2])

_log = log.get(__name__)


class NoChild(StreamsError):
    """No probing child could be started; this is not the file's fault."""

    retryable = True


class TooSlow(StreamsError):
    """A probe took longer than its time limit, and might have ended within the maximum."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"probing it took longer than {seconds:g} s")


class _Died(StreamsError):
    """The child ended before it replied. `accepted`: it had received the request."""

    def __init__(self, accepted: bool) -> None:
        self.accepted = accepted
        super().__init__("the child ended")


@dataclass(slots=True, eq=False)
class _Child:
    process: asyncio.subprocess.Process
    connection: socket.socket
    probes: int = 0

    async def exchange(self, request: wire.Request, descriptor: int) -> bytes:
        """Send and receive. Raises _Died."""
        message = wire.frame(wire.encode(request))
        try:
            sent = socket.send_fds(self.connection, [message], [descriptor])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise _Died(accepted=False) from error
        if sent < len(message):  # never: the buffer is empty and a hundred times as large
            raise _Died(accepted=True)
        self.probes += 1
        return await self.receive()

    async def receive(self) -> bytes:
        """One frame's body. Raises _Died."""
        (length,) = wire.LENGTH.unpack(await self._exactly(wire.LENGTH.size))
        if length > wire.MAX_FRAME:
            raise _Died(accepted=True)
        return await self._exactly(length)

    async def _exactly(self, count: int) -> bytes:
        loop = asyncio.get_running_loop()
        data = b""
        while len(data) < count:
            try:
                part = await loop.sock_recv(self.connection, count - len(data))
            except ConnectionResetError as error:
                raise _Died(accepted=True) from error
            if not part:
                raise _Died(accepted=True)
            data += part
        return data

    async def end(self) -> int:
        """Kill it; the exit code, negative for a signal."""
        self.connection.close()
        if self.process.returncode is None:
            self.process.kill()
        return await self.process.wait()

    async def fate(self) -> int:
        """Its exit code if it ended by itself; otherwise it is killed first."""
        try:
            async with asyncio.timeout(1.0):
                code = await self.process.wait()
        except TimeoutError:
            return await self.end()
        self.connection.close()
        return code


class Children:
    """The pool. `start` and `stop` are the owner's."""

    def __init__(self, settings: AnalysisSettings) -> None:
        self._settings = settings
        self._free: asyncio.Queue[_Child | None] = asyncio.Queue()
        self._all: set[_Child] = set()

    async def start(self) -> None:
        """Start all children. Raises NoChild."""
        for child in await asyncio.gather(*(self._spawn() for _ in range(self._settings.workers))):
            self._free.put_nowait(child)

    async def stop(self) -> None:
        """End all children, whatever they are doing."""
        await asyncio.gather(*(child.end() for child in self._all))
        self._all.clear()

    async def probe(self, request: wire.Request, descriptor: int, seconds: float | None = None) -> wire.Reply:
        """Probe an open file; the descriptor stays the caller's. Waits for a free child. Raises TooSlow after
        `seconds`, if that is less than the maximum of a probe."""
        most = self._settings.seconds
        given = most if seconds is None else min(seconds, most)
        free = await self._free.get()
        again: _Child | None = None
        try:
            child = free or await self._fresh()
            while True:
                try:
                    reply, again = await self._probe_with(child, request, descriptor, given)
                    return reply
                except _Died:  # it had died while idle, so no file is at fault: use a new child
                    await self._discard(child)
                    child = await self._fresh()
        finally:
            self._free.put_nowait(again)

    async def _fresh(self) -> _Child:
        """A new child, however long it takes: that the machine cannot start one now is not the file's fault either, and
        a worker without progress is noticed (`streams.watch`)."""
        while True:
            try:
                return await self._spawn()
            except NoChild as error:
                _log.error("no probing child", error=str(error))
            await asyncio.sleep(CHILD.first)

    async def _probe_with(
        self, child: _Child, request: wire.Request, descriptor: int, seconds: float
    ) -> tuple[wire.Reply, _Child | None]:
        """The reply, and the child if it can be used again. Raises TooSlow; _Died when it never received the
        request."""
        try:
            async with asyncio.timeout(seconds):
                reply = wire.decode_reply(await child.exchange(request, descriptor))
                if reply.fault is not None:
                    _log.warning("a reader failed", path=request.path, kind=request.media_type, fault=reply.fault)
        except TimeoutError:
            await self._discard(child)
            slow = TooSlow(seconds)
            if seconds < self._settings.seconds:
                raise slow from None
            return wire.failed(str(slow)), None
        except _Died as error:
            if not error.accepted:
                raise
            return wire.failed(self._why(await self._discard(child, fate=True))), None
        except msgspec.DecodeError:
            await self._discard(child)
            return wire.failed("the probe answered nonsense"), None
        except asyncio.CancelledError:  # the child is in the middle of a file whose result is not needed any more
            await self._discard(child)
            raise
        if child.probes >= PROBES:
            await self._discard(child)
            return reply, None
        return reply, child

    async def _discard(self, child: _Child, *, fate: bool = False) -> int:
        self._all.discard(child)
        metrics.CHILDREN.inc()
        code = await (child.fate() if fate else child.end())
        _log.info("probing child ended", pid=child.process.pid, code=code, probes=child.probes)
        return code

    def _why(self, code: int) -> str:
        if code == -signal.SIGXCPU:
            return f"probing it took more than {self._settings.seconds:g} s of processor time"
        if code < 0:
            return f"the probe was ended by {signal.Signals(-code).name}"
        return f"the probe ended with exit code {code}"

    async def _spawn(self) -> _Child:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            with theirs:
                number = theirs.fileno()
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "streams.analysis.child",
                    *(str(number), str(os.getpid())),
                    *(str(self._settings.memory_mb), str(self._settings.seconds)),
                    pass_fds=[number],
                    env=_environment(),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                )
        except OSError as error:
            ours.close()
            raise NoChild(f"a probing child cannot be started: {error}") from error
        child = _Child(process, ours)
        self._all.add(child)
        try:
            async with asyncio.timeout(READY_SECONDS):
                await child.receive()
        except (TimeoutError, _Died) as error:
            code = await self._discard(child, fate=True)
            raise NoChild(f"a probing child did not become ready (exit code {code})") from error
        except asyncio.CancelledError:
            await self._discard(child)
            raise
        return child


def _environment() -> dict[str, str]:
    """Environment variables that Python needs, and none of our secrets: the settings are in the environment too."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    # glibc reserves 64 MiB of address space per thread, and a child's memory limit counts address space
    return kept | {"PYTHONPATH": _SOURCES, "PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "1"}
