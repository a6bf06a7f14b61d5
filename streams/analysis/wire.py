"""What the analysis worker and its probing children say to each other over a socket pair.

Every message is a frame: its length in four bytes, big endian, then JSON. A request travels together with the
file descriptor of the file to probe; an empty frame from a child says that it is ready.
"""

from __future__ import annotations

import struct
from typing import Literal

import msgspec
from msgspec import Struct

from schemas.found import Found, MediaType

LENGTH = struct.Struct(">I")
MAX_FRAME = 1_048_576
"""A longer frame is none of ours: the child that sends it is ended."""


class Request(Struct, frozen=True):
    """Probe the file whose descriptor comes along. `path` is only a name, for what names tell: displayable,
    below its root. `size`: the descriptor is a socket over which the file is read (`far`), and this is how long it is."""

    media_type: MediaType
    path: str
    size: int | None = None


class Picture(Struct, frozen=True):
    """A thumbnail: at most 480 pixels wide or high, at most 64 KiB."""

    mime: str
    width: int
    height: int
    data: bytes


class Reply(Struct, frozen=True):
    """What a probe found. `failed`: the parser says that the file is damaged, or the probe went beyond its
    limits; `reason` is one short sentence in words of people. `fault`: of the reader, which had no words for it: for the
    log."""

    status: Literal["done", "failed"]
    reason: str | None = None
    found: Found | None = None
    picture: Picture | None = None
    fault: str | None = None


def failed(reason: str, *, fault: str | None = None) -> Reply:
    """A probe that did not succeed."""
    return Reply("failed", reason, fault=fault)


def frame(body: bytes) -> bytes:
    """A body with its length before it."""
    return LENGTH.pack(len(body)) + body


encode = msgspec.json.encode
decode_request = msgspec.json.Decoder(Request).decode
decode_reply = msgspec.json.Decoder(Reply).decode
