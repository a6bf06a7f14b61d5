"""The messages between the analysis worker and its probing children over a socket pair.

Every message is a frame: its length in four bytes, big endian, then JSON. A request is sent together with the
file descriptor of the file to probe; an empty frame from a child means that it is ready.
"""

from __future__ import annotations

import struct
from typing import Literal

import msgspec
from msgspec import Struct

from schemas.found import Found, MediaType

LENGTH = struct.Struct(">I")
MAX_FRAME = 1_048_576
"""A longer frame is invalid: the child that sends it is killed."""


class Request(Struct, frozen=True):
    """Probe the file whose descriptor is sent along. `path`: only the displayable name below its root, for what is read
    from names. `size`: the descriptor is a socket over which the file is read (`remote`), and this is the file's
    size."""

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
    """What a probe found. `failed`: the parser found the file damaged, or the probe exceeded its limits; `reason`: one
    short sentence for people; `fault`: an unexpected error of the reader, for the log."""

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
