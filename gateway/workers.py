"""A gateway of several processes on one port: each one's share of the limits, and how it reports its health.

Each worker is a gateway of its own, like one behind a load balancer: it reads the log, has its own memory and knows of the
others' sessions through the log only. The kernel assigns each connection to one of them, by its addresses and ports. If all
workers are within their limits, the gateway is within its own, but not the other way round: one may be full while another
has room.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gateway.settings import GatewaySettings
from runtime import log
from runtime.health import Health, HealthSettings, Starting

NOTE_SECONDS = 0.5
SILENT_SECONDS = 5.0
"""After this time without a note, a worker's event loop counts as blocked."""

_log = log.get(__name__)


class Note(msgspec.Struct, frozen=True):
    """A worker's health. `at`: the system's monotonic seconds; `unready`: the failing checks with their reasons."""

    pid: int
    at: float
    unready: dict[str, str]


@dataclass(frozen=True, slots=True)
class Worker:
    """One of `of` workers; numbers begin at 1. `folder` is shared by the workers."""

    number: int
    of: int
    folder: Path

    @property
    def note(self) -> Path:
        """The file with its health."""
        return self.folder / f"{self.number}.note"

    def share(self, settings: GatewaySettings) -> GatewaySettings:
        """The settings of one worker: limits of the whole gateway are divided and rounded up, and the operators' port
        belongs to the parent."""
        return settings.model_copy(
            update={
                "health": HealthSettings(),
                "max_sockets": _part(settings.max_sockets, self.of),
                "max_connections_per_address": _part(settings.max_connections_per_address, self.of),
            }
        )

    async def report(self, health: Health) -> None:
        """Write its health to the note for ever."""
        while True:
            try:
                self._write(Note(os.getpid(), time.monotonic(), health.unready()))
            except OSError as error:  # a full disk: its health is not known, and it continues to serve
                _log.warning("a worker cannot write its health", error=str(error))
            await asyncio.sleep(NOTE_SECONDS)

    def reported(self, pid: int | None, now: float) -> str | Starting | None:
        """Its health, for its parent; None if well. `pid`: of its running process; `now`: monotonic seconds."""
        if pid is None:
            return "not running"
        note = self._read()
        if note is None or note.pid != pid:
            return Starting("its process was started")
        if now - note.at > SILENT_SECONDS:
            return f"no report for {SILENT_SECONDS:.0f} s"
        return "; ".join(f"{name}: {what}" for name, what in note.unready.items()) or None

    def _write(self, note: Note) -> None:
        part = self.note.with_suffix(f".{note.pid}")
        part.write_bytes(msgspec.json.encode(note))
        part.replace(self.note)

    def _read(self) -> Note | None:
        try:
            return msgspec.json.decode(self.note.read_bytes(), type=Note)
        except FileNotFoundError:
            return None


def _part(whole: int, of: int) -> int:
    return -(-whole // of)
