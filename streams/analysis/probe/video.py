"""Videos: duration, codecs, resolution, high dynamic range, languages, a cover; title and year by the name."""

from __future__ import annotations

import itertools
from typing import BinaryIO

from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from schemas.found import Found
from streams.analysis.probe import names, streams, thumbnail
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import number
from streams.analysis.wire import Picture

HDR_TRANSFERS = (16, 18)
"""SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG), ITU-T H.273 table 3."""
COVER_AT = 10
"""The cover is a frame at one tenth of the film: after the black at its beginning, before any ending is shown."""
MAX_PACKETS = 60
"""Packets decoded at most in search of one whole frame."""
QUALITIES = ((7680, 4320, "4320p"), (3840, 2160, "2160p"), (2560, 1440, "1440p"), (1920, 1080, "1080p"),
             (1280, 720, "720p"), (1024, 576, "576p"), (720, 480, "480p"))  # fmt: skip


def read(file: BinaryIO, path: str) -> Read:
    """Raises Damaged, FFmpegError."""
    name = names.film(path)
    with streams.opened(file, path) as container:
        film = streams.film(container)
        if film is None:
            raise Damaged("there is no picture in it")
        sound = container.streams.audio[0] if container.streams.audio else None
        width, height = number(film.codec_context.width), number(film.codec_context.height)
        found = Found(
            title=name.title,
            year=name.year,
            season=name.season,
            episode=name.episode,
            category=name.category,
            quality=_quality(width, height),
            duration_ms=streams.duration_ms(container),
            container=streams.container_name(container, path),
            video_codec=film.codec_context.codec.canonical_name,
            audio_codec=None if sound is None else sound.codec_context.codec.canonical_name,
            width=width,
            height=height,
            hdr=film.codec_context.color_trc in HDR_TRANSFERS,
            bit_rate=number(container.bit_rate),
            sample_rate=None if sound is None else number(sound.codec_context.sample_rate),
            channels=None if sound is None else number(sound.codec_context.channels),
            languages=streams.languages(container),
            subtitles=streams.subtitle_languages(container),
        )
        return Read(found, streams.attached_picture(container) or _still(container, film))


def _quality(width: int | None, height: int | None) -> str | None:
    """By the nearest standard size that is not larger: films are cut at the top or at the side."""
    for wide, high, name in QUALITIES:
        if (width or 0) >= 0.9 * wide or (height or 0) >= 0.9 * high:
            return name
    return None


def _still(container: InputContainer, film: VideoStream) -> Picture | None:
    """A frame as a cover. A film without one whole frame is damaged; one too large to decode has no cover."""
    if film.codec_context.width * film.codec_context.height > thumbnail.MAX_PIXELS:
        return None
    container.seek((container.duration or 0) // COVER_AT)
    picture = _first_frame(container, film)
    if picture is None:
        container.seek(0)
        picture = _first_frame(container, film)
    if picture is None:
        raise Damaged("no frame of it can be decoded")
    return picture


def _first_frame(container: InputContainer, film: VideoStream) -> Picture | None:
    for packet in itertools.islice(container.demux(film), MAX_PACKETS):
        try:
            for frame in packet.decode():
                return thumbnail.of_image(frame.to_image())  # type: ignore[no-untyped-call]
        except FFmpegError:  # a packet that does not decode alone (after a seek); the next may
            continue
    return None
