"""Parsing the kernel's fanotify events. The bytes are as a kernel wrote them."""

from __future__ import annotations

import struct

from producer.backends.fanotify import kernel
from producer.backends.fanotify.kernel import RawEvent, parse

FSID = bytes.fromhex("f84d8fbeb80e1f54")
ONE, OTHER = bytes.fromhex("88f09c008d52527b"), bytes.fromhex("6f0f9b007e63eddc")


def record(kind: int, handle: bytes, name: bytes) -> bytes:
    padded = name + b"\0" * (4 - len(name) % 4)
    body = FSID + struct.pack("=Ii", len(handle), 1) + handle + padded
    return struct.pack("=BxH", kind, 4 + len(body)) + body


def event(mask: int, *records: bytes, version: int = 3) -> bytes:
    body = b"".join(records)
    return struct.pack("=IBxHQii", 24 + len(body), version, 24, mask, -1, 1) + body


def place(handle: bytes, name: bytes) -> tuple[bytes, bytes]:
    return FSID + struct.pack("=Ii", len(handle), 1) + handle, name


def test_an_event_names_directory_and_name_and_a_rename_both_ends() -> None:
    piece = event(kernel.CREATE | kernel.CLOSE_WRITE, record(2, ONE, b"a.mkv")) + event(
        kernel.RENAME, record(10, ONE, b"a.mkv"), record(12, OTHER, b"b")
    )
    assert list(parse(piece)) == [
        RawEvent(kernel.CREATE | kernel.CLOSE_WRITE, place(ONE, b"a.mkv")),
        RawEvent(kernel.RENAME, place(ONE, b"a.mkv"), place(OTHER, b"b")),
    ]


def test_an_overflow_names_nothing_and_what_cannot_be_read_is_one() -> None:
    assert list(parse(event(kernel.OVERFLOW))) == [RawEvent(kernel.OVERFLOW)]
    assert list(parse(event(kernel.CREATE, record(2, ONE, b"a"), version=4))) == [RawEvent(kernel.OVERFLOW)]
