"""What people do at the platform while it is looked at: a file comes, an administrator signs in (and somebody fails to),
one browser follows what happens, another one replays everything there ever was."""

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
    """In the block two sockets are open. Raises OSError, TimeoutError where the gateway does not answer."""
    _sign_in(run.url, run.admin_user, password + "?")
    token = _sign_in(run.url, run.admin_user, password)
    with ExitStack() as sockets:
        for start in ("live", "earliest"):
            headers = {"Authorization": f"Bearer {token}"}
            # nobody reads on: pings of its own, and a bound on what waits, would end it
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
    """The session's token; None where it is refused."""
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
