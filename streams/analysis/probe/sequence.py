"""Sequences of pictures in HEIF, which cameras write for bursts: a film without audio, of which the first picture is
used.

Source: ISO/IEC 23008-12, 7 (a track with the handler `pict`); FFmpeg reads such a track as it reads a film's.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import BinaryIO

from av.error import FFmpegError
from av.video.frame import VideoFrame

from streams.analysis.probe import decoding, streams, thumbnail
from streams.analysis.probe.read import Damaged
from streams.analysis.probe.view import View
from streams.analysis.wire import Picture

MAX_PACKETS = 16
"""Maximum bytes read to find the first picture."""


@dataclass(frozen=True, slots=True)
class First:
    """The first picture, as displayed."""

    size: tuple[int, int]
    picture: Picture | None


def read(file: BinaryIO) -> First | None:
    """Read the first picture; None if there is no readable sequence."""
    try:
        with streams.opened(View(file)) as container:
            film = streams.film(container)
            wide, high = (None, None) if film is None else streams.size(film)
            if film is None or wide is None or high is None:
                return None
            if wide * high > thumbnail.MAX_PIXELS:
                return First((wide, high), None)
            packets = itertools.islice(container.demux(film), MAX_PACKETS)
            frame = next((frame for packet in packets for frame in packet.decode()), None)
            return First((wide, high), None) if not isinstance(frame, VideoFrame) else _first(frame)
    except (Damaged, FFmpegError, *decoding.FAULTS):
        return None


def _first(frame: VideoFrame) -> First:
    image = frame.to_image()  # type: ignore[no-untyped-call]
    upright = image.rotate(frame.rotation, expand=True) if frame.rotation else image
    return First(upright.size, thumbnail.of_image(upright))
