"""Videos: duration, codecs, resolution, high dynamic range, languages, tags, chapters, a cover. The fold itself reads
the name."""

from __future__ import annotations

from av.container import InputContainer
from av.video.stream import VideoStream

from schemas.found import Found
from streams.analysis.probe import streams, tags, tracks
from streams.analysis.probe.described import Described, described
from streams.analysis.probe.read import Read
from streams.analysis.probe.still import Still, still_of
from streams.analysis.probe.text import number

PQ, HLG = 16, 18
"""SMPTE ST 2084 and ARIB STD-B67: transfer functions of high dynamic range, ITU-T H.273 table 3."""
QUALITIES = ((7680, 4320, "4320p"), (3840, 2160, "2160p"), (2560, 1440, "1440p"), (1920, 1080, "1080p"),
             (1280, 720, "720p"), (1024, 576, "576p"), (720, 480, "480p"))  # fmt: skip


def read(
    container: InputContainer, film: VideoStream, path: str, unknown: streams.Codecs, beside: list[dict[str, str]]
) -> Read:
    """Read a container with a film; `beside`: tags that FFmpeg does not pass on. Raises FFmpegError."""
    about = described(container).get(film.index, Described())
    sound = tracks.played_first(container)
    fields = tags.Fields([container.metadata, film.metadata, *beside])
    cover, warnings = streams.attached_picture(container)
    still = still_of(container, film)
    width, height = streams.size(film)
    if film.codec_context is None:
        width, height = about.width, about.height
    if (about.rotation if still.rotation is None else still.rotation) % 180 != 0:
        width, height = height, width
    kind = _hdr_kind(film, about, still)
    found = Found(
        quality=_quality(width, height),
        duration_ms=streams.duration_ms(container),
        container=streams.container_name(container, path),
        video_codec=streams.codec_name(film, unknown),
        audio_codec=None if sound is None else streams.codec_name(sound, unknown),
        width=width,
        height=height,
        hdr=kind is not None,
        hdr_kind=kind,
        frame_rate=streams.frame_rate(film),
        bit_rate=number(container.bit_rate),
        sample_rate=None if sound is None else streams.sample_rate(sound),
        channels=None if sound is None else streams.channels(sound),
        languages=streams.languages(container),
        subtitles=streams.subtitle_languages(container),
        tags=tags.of_film(fields),
        warnings=(() if cover else still.warnings)
        + warnings
        + tracks.not_decoded(sound)
        + tracks.has_more(container),
        audio_tracks=tracks.audio_tracks(container, unknown),
        subtitle_tracks=tracks.subtitle_tracks(container, unknown),
        chapters=tracks.chapters(container),
    )
    return Read(found, cover or still.picture)


def _hdr_kind(film: VideoStream, about: Described, still: Still) -> str | None:
    """The kind of HDR from the container, else from a frame; the more specific kind first."""
    transfers = (None if film.codec_context is None else film.codec_context.color_trc, still.transfer)
    if about.dolby_vision or still.dolby_vision:
        return "Dolby Vision"
    if PQ in transfers:
        return "HDR10+" if still.hdr10_plus else "HDR10"
    return "HLG" if HLG in transfers else None


def _quality(width: int | None, height: int | None) -> str | None:
    """The quality by the nearest standard size that is not larger: films are cropped at the top or side, and some are
    in portrait format."""
    wide, high = max(width or 0, height or 0), min(width or 0, height or 0)
    for standard_wide, standard_high, name in QUALITIES:
        if wide >= 0.9 * standard_wide or high >= 0.9 * standard_high:
            return name
    return None
