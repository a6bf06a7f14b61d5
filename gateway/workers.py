"""A gateway of several processes on one port: what is each one's part of it, and how it says how it is.

Each worker is a gateway of its own, as one behind a load balancer is: it reads the log, has its memory and knows of the
others' sessions through the log alone. The kernel gives each connection to one of them, by its addresses and ports. So
each is within its bound if all are within theirs, and not the other way round: one may be full while another has room.
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
"""A worker that writes no note for so long does not turn its event loop any more."""

_log = log.get(__name__)


class Note(msgspec.Struct, frozen=True):
    """How a worker is. `at`: the system's monotonic seconds; `unready`: why it does not do its work, by check."""

    pid: int
    at: float
    unready: dict[str, str]


@dataclass(frozen=True, slots=True)
class Worker:
    """One of `of` workers; numbers begin at 1. `folder` is what the workers have in common."""

    number: int
    of: int
    folder: Path

    @property
    def note(self) -> Path:
        """Where it says how it is."""
        return self.folder / f"{self.number}.note"

    def share(self, settings: GatewaySettings) -> GatewaySettings:
        """The settings of one worker: what bounds the whole gateway is shared out, rounded up, and the operators' port is
        their parent's."""
        return settings.model_copy(
            update={
                "health": HealthSettings(),
                "max_sockets": _part(settings.max_sockets, self.of),
                "max_connections_per_address": _part(settings.max_connections_per_address, self.of),
            }
        )

    async def tell(self, health: Health) -> None:
        """Say for ever how it is."""
        while True:
            try:
                self._write(Note(os.getpid(), time.monotonic(), health.unready()))
            except OSError as error:  # a full disk: it is not heard of, and serves on
                _log.warning("a worker cannot say how it is", error=str(error))
            await asyncio.sleep(NOTE_SECONDS)

    def heard(self, pid: int | None, now: float) -> str | Starting | None:
        """How it is, for its parent; None when well. `pid`: of its running process; `now`: monotonic seconds."""
        if pid is None:
            return "not running"
        note = self._read()
        if note is None or note.pid != pid:
            return Starting("its process was started")
        if now - note.at > SILENT_SECONDS:
            return f"says nothing for {SILENT_SECONDS:.0f} s"
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
