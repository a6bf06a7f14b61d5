"""Music and other sound: codec, rates, duration through FFmpeg; tags through mutagen; the attached cover."""

from __future__ import annotations

from typing import BinaryIO

import mutagen

from schemas.found import Found, Tags
from streams.analysis.probe import streams
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import clean, leading_number, number, year


def read(file: BinaryIO, path: str) -> Read:
    """Raises Damaged, FFmpegError."""
    tags = read_tags(file)
    file.seek(0)
    with streams.opened(file, path) as container:
        if not container.streams.audio:
            raise Damaged("there is no sound in it")
        sound = container.streams.audio[0]
        found = Found(
            year=None if tags is None else year(tags.date),
            category="music",
            duration_ms=streams.duration_ms(container),
            container=streams.container_name(container, path),
            audio_codec=sound.codec_context.codec.canonical_name,
            bit_rate=number(sound.codec_context.bit_rate) or number(container.bit_rate),
            sample_rate=number(sound.codec_context.sample_rate),
            channels=number(sound.codec_context.channels),
            languages=streams.languages(container),
            tags=tags,
        )
        return Read(found, streams.attached_picture(container))


def read_tags(file: BinaryIO) -> Tags | None:
    """ID3, Vorbis comments, MP4 atoms; None when there are none. Damaged tags are no tags: whether the sound is
    damaged is FFmpeg's to say."""
    try:
        tagged = mutagen.File(file, easy=True)
    except (mutagen.MutagenError, ValueError, KeyError, IndexError, OverflowError):
        return None
    if tagged is None or tagged.tags is None:
        return None
    get = tagged.tags.get
    tags = Tags(
        title=clean(_first(get("title"))),
        artist=clean(_first(get("artist"))),
        album=clean(_first(get("album"))),
        track=leading_number(_first(get("tracknumber"))),
        disc=leading_number(_first(get("discnumber"))),
        genre=clean(_first(get("genre"))),
        date=clean(_first(get("date"))),
    )
    return None if tags == Tags() else tags


def _first(value: object) -> object:
    return (value[0] if value else None) if isinstance(value, list) else value
