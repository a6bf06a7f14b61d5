"""By which names a Matroska file calls the codecs of its tracks (RFC 9559, 5.1.4.1.21): what there is to say of one that
nothing here knows."""

from __future__ import annotations

import os
from typing import BinaryIO

from streams.analysis.probe import boxes
from streams.analysis.probe.text import clean

MAX_NAME = 60
MAX_TRACKS = 100
_SEGMENT, _CLUSTER, _TRACKS, _TRACK, _CODEC = (
    b"\x18\x53\x80\x67",
    b"\x1f\x43\xb6\x75",
    b"\x16\x54\xae\x6b",
    b"\xae",
    b"\x86",
)


def codec_ids(file: BinaryIO) -> tuple[str | None, ...]:
    """In the order of the tracks, which is that of FFmpeg's streams; empty where it is no Matroska."""
    size = file.seek(0, os.SEEK_END)
    if boxes.read_at(file, 0, 4) != boxes.MATROSKA:
        return ()
    for segment in boxes.ebml(file, 0, size, 8):
        if segment.kind != _SEGMENT:
            continue
        for element in boxes.ebml(file, segment.body, segment.end or size, 100):
            if element.kind == _TRACKS:
                tracks = boxes.ebml(file, element.body, element.end or size, MAX_TRACKS)
                return tuple(_codec_id(file, track, size) for track in tracks if track.kind == _TRACK)
            if element.kind == _CLUSTER:
                break
    return ()


def _codec_id(file: BinaryIO, track: boxes.Part, size: int) -> str | None:
    for field in boxes.ebml(file, track.body, track.end or size, 100):
        if field.kind == _CODEC and field.end is not None:
            name = boxes.read_at(file, field.body, min(field.end - field.body, MAX_NAME))
            return clean(name.rstrip(b"\0").decode("ascii", "replace"))
    return None
