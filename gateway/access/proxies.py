"""The client's address of a connection: the peer's, or, if the peer is a trusted proxy, the one that the proxy names.

Each proxy appends its own client, so what is to the right of the last trusted proxy comes from a proxy, and what is to the
left of it from anybody. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Headers = Iterable[tuple[bytes, bytes]]
Network = IPv4Network | IPv6Network

MAX_HOPS = 32
"""Hops that are checked, from the right."""

_FOR = re.compile(r'for\s*=\s*("(?:[^"\\]|\\.)*"|[^;,\s]+)', re.IGNORECASE)
_WITH_PORT = re.compile(r"\[([0-9a-fA-F:.]+)\](?::\d+)?|([0-9.]+):\d+")


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and CIDRs. Raises ValueError."""
    return tuple(ip_network(text.strip()) for text in texts)


class Proxies:
    """The trusted proxies."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)

    def client_of(self, peer: str, headers: Headers) -> str:
        """The client's address. If `X-Forwarded-For` and `Forwarded` (RFC 7239) name different ones, one of them does not
        come from the proxy: then it is the proxy's own address."""
        if not self._trusted or not self.trusts(peer):
            return peer
        pairs = list(headers)
        named = {self._rightmost(peer, hops) for hops in (_x_forwarded_for(pairs), _forwarded(pairs)) if hops}
        return named.pop() if len(named) == 1 else peer

    def _rightmost(self, peer: str, hops: Sequence[str]) -> str:
        last = peer
        for hop in reversed(hops[-MAX_HOPS:]):
            address = _address(hop)
            if address is None:
                break
            last = str(address)
            if not self.trusts(last):
                break
        return last

    def trusts(self, text: str) -> bool:
        """True for the address of a trusted proxy."""
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def network_of(address: str) -> str:
    """The key for limits on sign-ins: the address; for IPv6 its /64, all of which belongs to one customer."""
    found = _address(address)
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else address


def _x_forwarded_for(headers: Headers) -> list[str]:
    return [hop.strip() for hop in ",".join(_values(headers, b"x-forwarded-for")).split(",") if hop.strip()]


def _forwarded(headers: Headers) -> list[str]:
    return [hop.strip('"') for hop in _FOR.findall(",".join(_values(headers, b"forwarded")))]


def _values(headers: Headers, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in headers if name == wanted]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """None if it is not an address (`unknown`, a name)."""
    if with_port := _WITH_PORT.fullmatch(text):
        text = with_port[1] or with_port[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
