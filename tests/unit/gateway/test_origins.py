"""Whose pages may connect: nobody else's, and why one was refused is told once."""

from __future__ import annotations

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket
from structlog.testing import capture_logs

from gateway.live.handshake import TOLD_ORIGINS, Origins
from gateway.settings import GatewaySettings

BEHIND_A_PROXY = GatewaySettings(
    public_url="https://media.example:8443/catalog", allowed_origins=("http://dev:5173",)
)


def a_socket(origin: str | None, host: str) -> WebSocket:
    """As the handshake sees it."""

    async def nothing() -> Message:
        raise AssertionError

    async def nowhere(_message: Message) -> None:
        raise AssertionError

    headers = [(b"host", host.encode()), *([] if origin is None else [(b"origin", origin.encode())])]
    return WebSocket({"type": "websocket", "headers": headers}, nothing, nowhere)


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "media.example", True),
        ("https://media.example:8443", "media.example", True),  # the proxy has lost the port
        ("https://media.example:8443", "media.example:8443", True),
        ("http://dev:5173", "media.example", True),
        ("http://10.0.0.7:8080", "10.0.0.7:8080", True),
        ("https://media.example", "media.example:8443", False),
        ("https://evil.example", "media.example", False),
        ("https://media.example:8443.evil.example", "media.example", False),
        ("null", "media.example", False),
    ],
)
def test_the_own_origins_are_the_settings_and_the_hosts(origin: str | None, host: str, allowed: bool) -> None:
    assert Origins(BEHIND_A_PROXY).allow(a_socket(origin, host)) == allowed


def test_a_refusal_is_told_once_an_origin_and_names_the_setting() -> None:
    origins = Origins(GatewaySettings())
    with capture_logs() as told:
        for _ in range(3):
            assert not origins.allow(a_socket("https://media.example:8443", "media.example"))
        for n in range(2 * TOLD_ORIGINS):
            origins.allow(a_socket(f"https://other-{n}.example", "media.example"))
    first = [line for line in told if line["origin"] == "https://media.example:8443"]
    assert len(first) == 1
    assert "CATALOGIZER_GATEWAY__PUBLIC_URL" in first[0]["help"]
    assert len(told) == TOLD_ORIGINS
