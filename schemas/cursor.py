"""A cursor: a client's position in one channel, as opaque text.

base64url without padding of: version (1 byte) · CRC-32 of the rest (4) · channel (length byte + UTF-8) ·
epoch (length byte + ASCII) · partition count (2) · pairs of partition (2) and next offset (8); big endian.
Not a capability: rights are checked again when it is used. The next offset is that of the next record wanted.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from dataclasses import dataclass

from schemas.errors import BadCursor

VERSION = 1
MAX_LENGTH = 16_384
_PAIR = struct.Struct(">HQ")


@dataclass(frozen=True, slots=True)
class Cursor:
    """`next_offsets` per partition; `partitions` is how many the topic had when the cursor was issued."""

    channel: str
    epoch: str
    partitions: int
    next_offsets: dict[int, int]

    def encode(self) -> str:
        """The opaque text."""
        channel, epoch = self.channel.encode(), self.epoch.encode()
        body = bytes([len(channel)]) + channel + bytes([len(epoch)]) + epoch
        body += struct.pack(">H", self.partitions)
        body += b"".join(_PAIR.pack(p, o) for p, o in sorted(self.next_offsets.items()))
        packed = struct.pack(">BI", VERSION, zlib.crc32(body)) + body
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def decode(text: str, channel: str) -> Cursor:
    """Read a cursor of `channel`. Raises BadCursor with the reason."""
    if len(text) > MAX_LENGTH:
        raise BadCursor("longer than any cursor")
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadCursor("not base64url") from error
    if len(packed) < 5 or packed[0] != VERSION:
        raise BadCursor("not a cursor of a known version")
    body = packed[5:]
    if zlib.crc32(body) != struct.unpack_from(">I", packed, 1)[0]:
        raise BadCursor("damaged (checksum)")
    cursor = _parse(body)
    if cursor.channel != channel:
        raise BadCursor(f"belongs to channel {cursor.channel!r}")
    return cursor


def _parse(body: bytes) -> Cursor:
    try:
        end = 1 + body[0]
        name = body[1:end].decode()
        epoch_end = end + 1 + body[end]
        epoch = body[end + 1 : epoch_end].decode("ascii")
        (partitions,) = struct.unpack_from(">H", body, epoch_end)
        pairs = dict(_PAIR.iter_unpack(body[epoch_end + 2 :]))
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise BadCursor("damaged (shape)") from error
    return Cursor(name, epoch, partitions, pairs)
