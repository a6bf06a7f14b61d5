"""Music and other sound: codec, rates, duration and tags through FFmpeg, whatever the container; the attached cover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from av.container import InputContainer

from schemas.found import Found, Tags
from streams.analysis.probe import streams
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import clean, leading_number, number, year

_DATES = ("date", "year", "originaldate", "date_released", "tdrc", "tyer")
"""Where a date stands first; FFmpeg calls most of them `date`."""


def read(file: BinaryIO, path: str) -> Read:
    """Raises Damaged, FFmpegError."""
    with streams.opened(file, path) as container:
        if not container.streams.audio:
            raise Damaged("there is no sound in it")
        sound = container.streams.audio[0]
        tags = tags_in(container)
        found = Found(
            year=None if tags is None else year(tags.date),
            category="music",
            duration_ms=streams.duration_ms(container),
            container=streams.container_name(container, path),
            audio_codec=streams.codec_name(sound),
            bit_rate=streams.bit_rate(sound) or number(container.bit_rate),
            sample_rate=streams.sample_rate(sound),
            channels=streams.channels(sound),
            languages=streams.languages(container),
            tags=tags,
        )
        return Read(found, streams.attached_picture(container))


def tags_in(container: InputContainer) -> Tags | None:
    """What the container and its first sound say of themselves; None when that is nothing."""
    said = _small(container.streams.audio[0].metadata) | _small(container.metadata)
    tags = Tags(
        title=clean(said.get("title")),
        artist=clean(said.get("artist")),
        album=clean(said.get("album")),
        album_artist=clean(said.get("album_artist") or said.get("albumartist") or said.get("album artist")),
        composer=clean(said.get("composer")),
        track=leading_number(said.get("track") or said.get("tracknumber") or said.get("part_number")),
        disc=leading_number(said.get("disc") or said.get("discnumber")),
        genre=clean(said.get("genre")),
        date=next((date for name in _DATES if (date := clean(said.get(name))) is not None), None),
    )
    return None if tags == Tags() else tags


def _small(metadata: Mapping[str, str]) -> dict[str, str]:
    """Names are written large by some (Matroska, Vorbis), and in any way by others."""
    return {name.casefold(): value for name, value in metadata.items() if value}
