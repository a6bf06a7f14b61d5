"""Deterministic ids: every id is a function of a position in the change log.

No id is random and none needs a database, so a replay gives the same ids (log.md 2 of the design).
"""

from __future__ import annotations

import hashlib
import uuid
from typing import NewType

MediaId = NewType("MediaId", int)
ScanId = NewType("ScanId", int)
EventId = NewType("EventId", str)

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:catalogizer:event")
_NAMESPACE_BYTES = NAMESPACE.bytes
_sha1 = hashlib.sha1
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""Hexadecimal digit to the same with its two upper bits set to 10 (RFC 9562, 4.1)."""

MAX_SAFE = 2**53
"""Numbers that browsers read stay below this (ECMA-262, Number.MAX_SAFE_INTEGER + 1)."""

LANES_PER_ID = 1024
"""Range of the partition number in a media id: L must not exceed this."""


def event_id(topic: str, partition: int, offset: int, index: int) -> EventId:
    """RFC 9562 UUID version 5 of (source position, index among its outputs).

    `topic` is the logical name without an installation's prefix, so that a mirrored log keeps its ids.
    Equal to `uuid.uuid5(NAMESPACE, f"{topic}:{partition}:{offset}:{index}")`, and four times faster.
    """
    name = f"{topic}:{partition}:{offset}:{index}".encode()
    h = _sha1(_NAMESPACE_BYTES + name, usedforsecurity=False).hexdigest()
    return EventId(f"{h[:8]}-{h[8:12]}-5{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:32]}")


def media_id(id_base: int, partition: int, offset: int) -> MediaId:
    """`id_base + (offset + 1) x 1024 + partition` of the raw record whose observation settled; below 2^53."""
    return MediaId(id_base + (offset + 1) * LANES_PER_ID + partition)


def root_id(root: str) -> int:
    """A number for a storage root, for clients that want one: the first 48 bits of BLAKE2b of its name."""
    return int.from_bytes(hashlib.blake2b(root.encode(), digest_size=6).digest())


def scan_id(id_base: int, partition: int, offset: int) -> ScanId:
    """Like `media_id`, of the scan's `scan_started` record."""
    return ScanId(id_base + (offset + 1) * LANES_PER_ID + partition)


def request_id(partition: int, offset: int, id_base: int = 0) -> int:
    """Like `media_id`, of the record that requested an analysis; the cursors of requests are compared with media
    ids."""
    return id_base + (offset + 1) * LANES_PER_ID + partition
