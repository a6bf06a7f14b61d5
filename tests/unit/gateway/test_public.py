"""Where browsers find the gateway: the setting, or where it listens; and the origin of its page there."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.public import authority, origin_of, public_url
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
    assert origin_of(url) == origin


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
