"""Simulates users while the platform is observed: an administrator signs in, another sign-in fails, one browser follows live
events, another one replays the whole log."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from cli.up.run_file import RunFile
from schemas.channels import CHANNELS

FRAME_SECONDS = 30.0


@contextmanager
def visited(run: RunFile, password: str) -> Iterator[None]:
    """Keep two sockets open during the block. Raises OSError, or TimeoutError if the gateway does not answer."""
    _sign_in(run.url, run.admin_user, password + "?")
    token = _sign_in(run.url, run.admin_user, password)
    with ExitStack() as sockets:
        for start in ("live", "earliest"):
            headers = {"Authorization": f"Bearer {token}"}
            # nothing reads the socket any more: the library's own pings, and a bound on its queue, would end it
            socket = sockets.enter_context(
                connect(run.ws_url, additional_headers=headers, ping_interval=None, max_queue=None)
            )
            for channel in CHANNELS.values():
                if channel.topic is not None and not channel.everybody:
                    _subscribe(socket, channel.name, start)
        yield


def _subscribe(socket: ClientConnection, channel: str, start: str) -> None:
    socket.send(json.dumps({"type": "subscribe", "channel": channel, "from": start}))
    while json.loads(socket.recv(FRAME_SECONDS))["type"] != "subscribed":
        pass


def _sign_in(url: str, user: str, password: str) -> str | None:
    """The session's token; None if the sign-in is rejected."""
    body = json.dumps({"username": user, "password": password}).encode()
    request = urllib.request.Request(f"{url}/api/v1/auth/login", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 401:
            return None
        raise
    token: str = found.get("session_token") or found["token"]
    return token
