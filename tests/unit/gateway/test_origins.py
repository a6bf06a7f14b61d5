"""Whose pages may connect: only allowed origins, and refusals are logged with the reason."""

from __future__ import annotations

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket
from structlog.testing import capture_logs

from gateway.live.handshake import Origins
from gateway.settings import GatewaySettings

BEHIND_A_PROXY = GatewaySettings(
    public_url="https://media.example:8443/catalog", allowed_origins=("http://dev:5173",)
)


def a_socket(origin: str | None, host: str, server: str = "192.0.2.1") -> WebSocket:
    """A handshake; `server`: the address that the connection came to."""

    async def nothing() -> Message:
        raise AssertionError

    async def nowhere(_message: Message) -> None:
        raise AssertionError

    headers = [(b"host", host.encode()), *([] if origin is None else [(b"origin", origin.encode())])]
    return WebSocket({"type": "websocket", "headers": headers, "server": (server, 8080)}, nothing, nowhere)


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "media.example", True),
        ("https://media.example:8443", "media.example", True),  # the proxy has lost the port
        ("https://media.example:8443", "media.example:8443", True),
        ("http://dev:5173", "media.example", True),
        ("http://127.0.0.1:8080", "media.example", True),
        ("http://localhost:8080", "localhost:8080", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("http://192.0.2.1:8080", "192.0.2.1:8080", True),
        ("http://10.0.0.7:8080", "10.0.0.7:8080", False),
        ("http://evil.example", "evil.example", False),  # DNS rebinding: the name was pointed at us
        ("http://evil.example:8080", "evil.example:8080", False),
        ("https://localhost:8080", "localhost:8080", False),
        ("http://localhost:8081", "localhost:8081", False),
        ("http://[", "media.example", False),
        ("http://[::1", "media.example", False),
        ("", "media.example", False),
        ("https://media.example", "media.example:8443", False),
        ("https://evil.example", "media.example", False),
        ("https://media.example:8443.evil.example", "media.example", False),
        ("null", "media.example", False),
    ],
)
def test_the_own_origins_are_where_it_listens_and_the_settings_never_the_host_s(
    origin: str | None, host: str, allowed: bool
) -> None:
    assert Origins(BEHIND_A_PROXY).allow(a_socket(origin, host)) == allowed


def test_a_star_lets_every_page_connect() -> None:
    everybody = Origins(GatewaySettings(allowed_origins=("*",)))
    assert everybody.allow(a_socket("https://anybody.example", "media.example"))
    assert everybody.allow(a_socket("null", "media.example"))


def test_a_refusal_is_logged_at_most_once_a_second_and_names_the_setting() -> None:
    origins = Origins(GatewaySettings())
    with capture_logs() as logged:
        for n in range(1_000):
            assert not origins.allow(a_socket(f"https://media-{n}.example:8443", "media.example"))
    assert len(logged) <= 3
    assert all("CATALOGIZER_GATEWAY__PUBLIC_URL" in line["help"] for line in logged)
