"""A small WebSocket client that is not ours (the `websockets` library) and keeps every event it gets.

It resumes by offsets: whenever its socket ends, it connects again and asks for the next offset it wants.
"""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

CHANNELS = ("media_updates", "system_updates", "analysis_updates")


@dataclass
class Browser:
    """Runs in a thread from `start` to `stop`. `frames`: raw text of each event in the order of arrival, per
    (channel, partition)."""

    url: str
    token: str
    channels: tuple[str, ...] = CHANNELS
    frames: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    next: dict[str, dict[str, int]] = field(default_factory=dict)
    connections: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> Browser:
        """Connect, from the earliest."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        return self

    def stop(self) -> None:
        """Disconnect."""
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def events(self, channel: str) -> list[dict[str, Any]]:
        """All events of a channel, decoded, partition after partition."""
        return [
            json.loads(t) for (name, _), texts in sorted(self.frames.items()) if name == channel for t in texts
        ]

    async def _run(self) -> None:
        while not self._stop.is_set():
            try:
                async with connect(f"{self.url}?token={self.token}", open_timeout=5, max_size=None) as socket:
                    self.connections += 1
                    for channel in self.channels:
                        await socket.send(json.dumps(self._subscribe(channel)))
                    await self._read(socket)
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(0.1)

    def _subscribe(self, channel: str) -> dict[str, Any]:
        wanted = self.next.get(channel)
        return {"type": "subscribe", "channel": channel, "from": {"offsets": wanted} if wanted else "earliest"}

    async def _read(self, socket: Any) -> None:
        while not self._stop.is_set():
            try:
                text = await asyncio.wait_for(socket.recv(), 0.2)
            except TimeoutError:
                continue
            self._take(text)

    def _take(self, text: str) -> None:
        frame = json.loads(text)
        if "offset" not in frame:
            self.answers.append(frame)
            if frame["type"] == "subscribed":
                self.next.setdefault(frame["channel"], dict(frame["start"]))
            return
        channel, partition = frame["channel"], frame["partition"]
        self.frames.setdefault((channel, partition), []).append(text)
        self.next.setdefault(channel, {})[str(partition)] = frame["offset"] + 1
