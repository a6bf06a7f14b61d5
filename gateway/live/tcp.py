"""The one place that queries the kernel: what a connection's peer has acknowledged, and how many files may be open."""

from __future__ import annotations

import resource
import socket
import struct

from gateway.core.pulse import Sample

UNSENT_BYTES = 131_072
"""Without this limit, the kernel would keep up to 4 MB for every client that does not read."""

_INFO_BYTES = 148
_TCP_INFO = struct.Struct("=8B24I4Q3I")
"""`struct tcp_info` of linux/tcp.h up to `tcpi_notsent_bytes`, the same since Linux 4.6."""

_RETRANSMITS, _PROBES, _UNACKED, _LAST_ACK_RECV, _BYTES_ACKED, _NOTSENT = 2, 3, 12, 20, 34, 38


def sample(connection: socket.socket, buffered: int) -> Sample:
    """The state of a connection that has `buffered` bytes waiting in this process. Where the kernel reports less (not
    Linux), the peer counts as alive and as taking whatever leaves this process."""
    if not hasattr(socket, "TCP_INFO"):
        return Sample(unacknowledged=False, waiting=buffered > 0, taken=buffered, ack_age_seconds=0.0)
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    if len(info) < _INFO_BYTES:
        return Sample(unacknowledged=False, waiting=buffered > 0, taken=buffered, ack_age_seconds=0.0)
    of = _TCP_INFO.unpack(info)
    unacked = of[_UNACKED] > 0
    return Sample(
        unacknowledged=unacked or of[_PROBES] > 0,
        waiting=unacked or of[_NOTSENT] > 0 or buffered > 0,
        taken=of[_BYTES_ACKED],
        ack_age_seconds=of[_LAST_ACK_RECV] / 1_000,
    )


def raise_open_files(wanted: int) -> int:
    """Raise this process's limit on open files to `wanted`, or as far as allowed; returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= wanted:
        return wanted if soft == unlimited else soft
    goal = wanted if hard == unlimited else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
    return goal


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A bound socket to listen on, with others of this user if `shared`; of what is written to its connections, at most
    UNSENT_BYTES wait in the kernel. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        listening.bind(address)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def reserve(host: str, port: int) -> socket.socket:
    """A socket that reserves a port for those that `listen` on it `shared`, and accepts nothing itself. Raises OSError if
    something else listens there, including another such group."""
    listen(host, port).close()
    return listen(host, port, shared=True)
