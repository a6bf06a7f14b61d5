"""Music and other audio: codec, rates, duration and tags through FFmpeg, whatever the container; the attached cover."""

from __future__ import annotations

from av.container import InputContainer

from schemas.found import Found
from streams.analysis.probe import streams, tags, tracks
from streams.analysis.probe.read import Read
from streams.analysis.probe.text import number, year


def read(container: InputContainer, path: str, unknown: streams.Codecs, beside: list[dict[str, str]]) -> Read:
    """Read a container with audio; `beside`: tags that FFmpeg does not pass on. Raises FFmpegError."""
    sound = tracks.played_first(container) or container.streams.audio[0]
    fields = tags.Fields([container.metadata, sound.metadata, *beside])
    sound_tags = tags.of_sound(fields)
    picture, warnings = streams.attached_picture(container)
    found = Found(
        year=None if sound_tags is None else year(sound_tags.date),
        category="audiobook" if tags.is_audiobook(fields) else "music",
        duration_ms=streams.duration_ms(container),
        container=streams.container_name(container, path),
        audio_codec=streams.codec_name(sound, unknown),
        bit_rate=streams.bit_rate(sound) or number(container.bit_rate),
        sample_rate=streams.sample_rate(sound),
        channels=streams.channels(sound),
        languages=streams.languages(container),
        tags=sound_tags,
        warnings=tracks.not_decoded(sound) + warnings + tracks.has_more(container),
        audio_tracks=tracks.audio_tracks(container, unknown),
        chapters=tracks.chapters(container),
    )
    return Read(found, picture)
