"""The gateway's address for browsers: the setting, or where it listens; and the origin of its page there."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.origins import listening, written
from gateway.public import authority, public_url
from gateway.settings import GatewaySettings


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("fd00::7", "http://[fd00::7]:8080"),
        ("media.example", "http://media.example:8080"),
    ],
)
def test_without_the_setting_it_is_where_this_machine_reaches_it(host: str, url: str) -> None:
    assert public_url(GatewaySettings(host=host)) == url


def test_the_setting_is_taken_without_a_slash_at_its_end() -> None:
    assert (
        public_url(GatewaySettings(public_url="https://media.example/catalog/")) == "https://media.example/catalog"
    )


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Media.Example/catalog", "https://media.example"),
        ("https://media.example:8443/catalog", "https://media.example:8443"),
        ("https://media.example:443", "https://media.example"),
        ("http://media.example:80", "http://media.example"),
        ("http://[FD00::7]:8080/x", "http://[fd00::7]:8080"),
    ],
)
def test_an_origin_is_as_browsers_write_it(url: str, origin: str) -> None:
    assert written(url) == origin


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert (authority("::1", 80), authority("h", 80)) == ("[::1]:80", "h:80")


@pytest.mark.parametrize(
    "url",
    ["", "media.example", "ftp://media.example", "https://", "https://u:p@media.example", "https://m.example/?a=1",
     "https://m.example/#a", "https://m.example:99999", "https://m.example:x"],
)  # fmt: skip
def test_what_is_no_address_is_refused_by_the_settings(url: str) -> None:
    with pytest.raises(ValidationError, match="public_url"):
        GatewaySettings(public_url=url)


@pytest.mark.parametrize(
    "origin",
    ["https://media.example/", "https://Media.example", "https://media.example:443", "http://m.example:80", "null", "",
     "media.example", "https://media.example/x", "http://[", "https://*.media.example", "http://müller.example",
     "https://u@media.example", "https://media.example:x", " https://media.example"],
)  # fmt: skip
def test_an_origin_that_no_browser_sends_is_refused_by_the_settings(origin: str) -> None:
    with pytest.raises(ValidationError, match="allowed_origins"):
        GatewaySettings(allowed_origins=("https://media.example", origin))


@pytest.mark.parametrize(
    "origin", ["*", "https://media.example", "http://localhost:5173", "http://[::1]:8080", "capacitor://localhost"]
)
def test_an_origin_that_a_browser_sends_is_taken(origin: str) -> None:
    assert GatewaySettings(allowed_origins=(origin,)).allowed_origins == (origin,)


@pytest.mark.parametrize(
    ("host", "port", "origin"),
    [
        ("10.0.0.7", 8080, "http://10.0.0.7:8080"),
        ("::ffff:10.0.0.7", 8080, "http://10.0.0.7:8080"),
        ("fd00::7", 80, "http://[fd00::7]"),
    ],
)
def test_an_address_of_ours_is_an_origin(host: str, port: int, origin: str) -> None:
    assert listening(host, port) == origin


@pytest.mark.parametrize("proxy", ["proxy.example", "10.0.0.0/33", "10.0.0.1/8", "*"])
def test_what_is_no_network_is_refused_by_the_settings(proxy: str) -> None:
    with pytest.raises(ValidationError, match="trusted_proxies"):
        GatewaySettings(trusted_proxies=(proxy,))
