"""The client's address of a connection: only a trusted proxy's header counts, and only what it wrote itself."""

from __future__ import annotations

import pytest

from gateway.access.proxies import Proxies, network_of, networks

TRUSTED = Proxies(networks(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]))


def client(peer: str, **headers: str | list[str]) -> str:
    pairs = [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, values in headers.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return TRUSTED.client_of(peer, pairs)


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),  # what the client sent itself is to the left of the proxy's part
        ("203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.1.2.3, 10.4.5.6", "203.0.113.9"),
        ("10.1.2.3", "10.1.2.3"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, unknown", "127.0.0.1"),
        ("1.1.1.1, unknown, 10.1.2.3", "10.1.2.3"),
        ("\x00, ,,", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_the_rightmost_untrusted_address_is_the_client(header: str, address: str) -> None:
    assert client("127.0.0.1", x_forwarded_for=header) == address


def test_several_headers_are_one_list() -> None:
    assert client("127.0.0.1", x_forwarded_for=["1.1.1.1", "203.0.113.9", "10.0.0.1"]) == "203.0.113.9"


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("for=203.0.113.9", "203.0.113.9"),
        ('For="[2001:db8::7]:4711";proto=https;by=10.0.0.1', "2001:db8::7"),
        ("for=1.1.1.1, for=203.0.113.9;host=x, for=10.0.0.1", "203.0.113.9"),
        ("for=_hidden", "127.0.0.1"),
        ('for="', "127.0.0.1"),
    ],
)
def test_forwarded_is_read_as_rfc_7239_has_it(header: str, address: str) -> None:
    assert client("127.0.0.1", forwarded=header) == address


def test_two_headers_that_disagree_are_neither_believed() -> None:
    """A proxy writes one of them and passes on what the client wrote in the other."""
    assert client("127.0.0.1", x_forwarded_for="203.0.113.9", forwarded="for=1.1.1.1") == "127.0.0.1"
    assert client("127.0.0.1", x_forwarded_for="203.0.113.9", forwarded="for=203.0.113.9") == "203.0.113.9"


def test_an_untrusted_peer_is_the_client_whatever_its_headers() -> None:
    assert client("203.0.113.1", x_forwarded_for="1.1.1.1", forwarded="for=1.1.1.1") == "203.0.113.1"
    assert Proxies(()).client_of("127.0.0.1", [(b"x-forwarded-for", b"1.1.1.1")]) == "127.0.0.1"


def test_an_endless_list_is_read_from_its_end() -> None:
    assert client("127.0.0.1", x_forwarded_for="1.1.1.1, " + "10.0.0.1, " * 5_000 + "10.0.0.2") == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.7", "::ffff:10.0.0.7"),
        ("", ""),
    ],
)
def test_a_customer_of_ipv6_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
