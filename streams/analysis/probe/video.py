"""Videos: duration, codecs, resolution, high dynamic range, languages, a cover. What the name says the fold reads itself."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import BinaryIO

from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from schemas.found import Found
from streams.analysis.probe import streams, thumbnail
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import number
from streams.analysis.wire import Picture

HDR_TRANSFERS = (16, 18)
"""SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG), ITU-T H.273 table 3."""
COVER_AT = (10, 4, 2, 1_000_000)
"""The cover is a frame at one tenth of the film: after the black at its beginning, before any ending is shown; where that is
black or cannot be decoded, one at a quarter, at the half, at the beginning."""
BLACK = 24
"""The brightest spot of a frame in which nothing is seen; 16 is black in most films."""
MAX_PACKETS = 60
"""Packets decoded at most in search of one whole frame."""
QUALITIES = ((7680, 4320, "4320p"), (3840, 2160, "2160p"), (2560, 1440, "1440p"), (1920, 1080, "1080p"),
             (1280, 720, "720p"), (1024, 576, "576p"), (720, 480, "480p"))  # fmt: skip


def read(file: BinaryIO, path: str) -> Read:
    """Raises Damaged, FFmpegError."""
    with streams.opened(file, path) as container:
        film = streams.film(container)
        if film is None:
            raise Damaged("there is no picture in it")
        sound = container.streams.audio[0] if container.streams.audio else None
        still = _attached(container) or _still(container, film)
        width, height = streams.size(film)
        if still.turned:
            width, height = height, width
        found = Found(
            quality=_quality(width, height),
            duration_ms=streams.duration_ms(container),
            container=streams.container_name(container, path),
            video_codec=streams.codec_name(film),
            audio_codec=None if sound is None else streams.codec_name(sound),
            width=width,
            height=height,
            hdr=film.codec_context is not None and film.codec_context.color_trc in HDR_TRANSFERS,
            bit_rate=number(container.bit_rate),
            sample_rate=None if sound is None else streams.sample_rate(sound),
            channels=None if sound is None else streams.channels(sound),
            languages=streams.languages(container),
            subtitles=streams.subtitle_languages(container),
            warnings=still.warnings,
        )
        return Read(found, still.picture)


@dataclass(frozen=True, slots=True)
class Still:
    """A picture of a film, or why there is none. `turned`: it is shown on its side."""

    picture: Picture | None
    turned: bool = False
    warnings: tuple[str, ...] = ()


def _attached(container: InputContainer) -> Still | None:
    picture = streams.attached_picture(container)
    return None if picture is None else Still(picture)


def _quality(width: int | None, height: int | None) -> str | None:
    """By the nearest standard size that is not larger: films are cut at the top or side, and some are seen upright."""
    wide, high = max(width or 0, height or 0), min(width or 0, height or 0)
    for standard_wide, standard_high, name in QUALITIES:
        if wide >= 0.9 * standard_wide or high >= 0.9 * standard_high:
            return name
    return None


def _still(container: InputContainer, film: VideoStream) -> Still:
    """A frame as a cover, not a black one where there is another. That there is none decides nothing else."""
    width, height = streams.size(film)
    if film.codec_context is None:
        return Still(None, warnings=("no picture of it: its codec is not known here",))
    if (width or 0) * (height or 0) > thumbnail.MAX_PIXELS:
        return Still(None, warnings=("no picture of it: its frames are too large",))
    first: Still | None = None
    for part in COVER_AT:
        try:
            container.seek((container.duration or 0) // part)
            frame = _frame(container, film)
        except FFmpegError:
            continue
        if frame is None:
            continue
        still = Still(_upright(frame), frame.rotation % 180 != 0)
        if not _is_black(frame):
            return still
        first = first or still
    return first or Still(None, warnings=("no picture of it: no frame can be decoded",))


def _upright(frame: VideoFrame) -> Picture:
    image = frame.to_image()  # type: ignore[no-untyped-call]
    return thumbnail.of_image(image.rotate(frame.rotation, expand=True) if frame.rotation else image)


def _is_black(frame: VideoFrame) -> bool:
    small = frame.reformat(width=16, height=16, format="gray8")
    return max(bytes(small.planes[0])) < BLACK


def _frame(container: InputContainer, film: VideoStream) -> VideoFrame | None:
    for packet in itertools.islice(container.demux(film), MAX_PACKETS):
        try:
            for frame in packet.decode():
                return frame
        except FFmpegError:  # a packet that does not decode alone (after a seek); the next may
            continue
    return None
