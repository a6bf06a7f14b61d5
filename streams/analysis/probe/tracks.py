"""The tracks and chapters of a container: audio and subtitles with their languages, and where chapters begin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream

from schemas.found import AudioTrack, Chapter, SubtitleTrack
from streams.analysis.probe import streams
from streams.analysis.probe.tags import title_of
from streams.analysis.probe.text import MAX_NUMBER, language

MAX_TRACKS = 32
"""Maximum tracks of each kind: they fit into a record with everything else, and more are of no use."""
MAX_CHAPTERS = 100
"""Maximum chapters: more than books and films have, and few enough for a record."""
_SDH = Disposition.hearing_impaired | Disposition.captions
_COMMENTARY = re.compile(r"\bcommentar(?:y|ies)\b|\b(?:audio)?kommentar\b", re.IGNORECASE)
_FORCED = re.compile(r"\bforced\b", re.IGNORECASE)
_FOR_THE_DEAF = re.compile(r"\bSDH\b|\bCC\b|(?i:\bhearing.impaired\b)")
"""Words in titles that mean the same as a flag, for containers or authors without that flag."""


def played_first(container: InputContainer) -> AudioStream | None:
    """The audio track that a player selects: the first that is marked as default, else the first."""
    sounds = container.streams.audio
    return next((s for s in sounds if Disposition.default in s.disposition), sounds[0] if sounds else None)


def audio_tracks(container: InputContainer, unknown: streams.Codecs) -> tuple[AudioTrack, ...]:
    """In the container's order, at most MAX_TRACKS."""
    return tuple(
        AudioTrack(
            codec=streams.codec_name(sound, unknown),
            language=language(sound.metadata.get("language")),
            channels=streams.channels(sound),
            title=title_of(sound.metadata),
            default=Disposition.default in sound.disposition,
            commentary=Disposition.comment in sound.disposition or _title_matches(_COMMENTARY, sound),
        )
        for sound in container.streams.audio[:MAX_TRACKS]
    )


def subtitle_tracks(container: InputContainer, unknown: streams.Codecs) -> tuple[SubtitleTrack, ...]:
    """In the container's order, at most MAX_TRACKS."""
    return tuple(
        SubtitleTrack(
            codec=streams.codec_name(subtitle, unknown),
            language=language(subtitle.metadata.get("language")),
            title=title_of(subtitle.metadata),
            default=Disposition.default in subtitle.disposition,
            forced=Disposition.forced in subtitle.disposition or _title_matches(_FORCED, subtitle),
            sdh=bool(subtitle.disposition & _SDH) or _title_matches(_FOR_THE_DEAF, subtitle),
        )
        for subtitle in container.streams.subtitles[:MAX_TRACKS]
    )


def chapters(container: InputContainer) -> tuple[Chapter, ...]:
    """The chapters, sorted by their beginnings, at most MAX_CHAPTERS."""
    starts = [(_start_ms(chapter), title_of(_metadata(chapter))) for chapter in container.chapters()]
    found = sorted(((start, title) for start, title in starts if start is not None), key=lambda pair: pair[0])
    return tuple(Chapter(start, title) for start, title in found[:MAX_CHAPTERS])


def not_decoded(sound: AudioStream | None) -> tuple[str, ...]:
    """A warning if the codec of the audio is not known."""
    known = sound is None or sound.codec_context is not None
    return () if known else ("its sound is in a codec that is not known here",)


def has_more(container: InputContainer) -> tuple[str, ...]:
    """Warnings about what is not listed."""
    counted = (
        (len(container.streams.audio), MAX_TRACKS, "tracks of sound"),
        (len(container.streams.subtitles), MAX_TRACKS, "subtitles"),
        (len(container.chapters()), MAX_CHAPTERS, "chapters"),
    )
    return tuple(
        f"only the first {most} of its {count} {what} are listed" for count, most, what in counted if count > most
    )


def _title_matches(words: re.Pattern[str], stream: Stream) -> bool:
    return words.search(title_of(stream.metadata) or "") is not None


def _start_ms(chapter: Any) -> int | None:
    base = chapter["time_base"]
    milliseconds = int(chapter["start"] * base * 1000) if base else 0
    return max(0, milliseconds) if milliseconds <= MAX_NUMBER else None


def _metadata(chapter: Any) -> Mapping[str, str]:
    return chapter["metadata"] or {}
