"""What a media file is by its name, and what analysis can find in it. All fields are optional: absent means not found."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

MediaType = Literal["video", "audio", "image", "book", "archive", "subtitle", "other"]
MEDIA_TYPES: tuple[MediaType, ...] = get_args(MediaType)

CATEGORIES = (
    "movie", "tv_show", "trailer", "extra", "sample", "home_video", "music", "audiobook", "photo", "book", "comic",
)  # fmt: skip
"""What an item may be, in addition to its media type; an item without any evidence has no category."""

ANALYSED: tuple[MediaType, ...] = ("video", "audio", "image", "book")
"""Media types whose files are opened, by the newest rules of the fold."""


class Tags(Struct, frozen=True, omit_defaults=True):
    """Tags inside the file (ID3, Vorbis comments, MP4 atoms, Matroska tags, EPUB and PDF metadata, ComicInfo).

    `artist`: of music its artist, of a book its authors, of a comic its writer. `track` and `disc`: numbers, of
    `tracks` and `discs` in total. `series` and the `number` in it, as written (`2`, `2.5`): of books and comics;
    `show`, `season`, `episode`: of videos."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    track: int | None = None
    disc: int | None = None
    genre: str | None = None
    date: str | None = None
    album_artist: str | None = None
    composer: str | None = None
    tracks: int | None = None
    discs: int | None = None
    narrator: str | None = None
    series: str | None = None
    number: str | None = None
    show: str | None = None
    season: int | None = None
    episode: int | None = None
    language: str | None = None
    publisher: str | None = None
    description: str | None = None


class Credit(Struct, frozen=True, omit_defaults=True):
    """A contributor. `role` as one word: `author`, `translator`, `editor`, `illustrator`, `narrator`, …"""

    name: str
    role: str | None = None


class AudioTrack(Struct, frozen=True, omit_defaults=True):
    """An audio track, in the container's order."""

    codec: str | None = None
    language: str | None = None
    channels: int | None = None
    title: str | None = None
    default: bool = False
    commentary: bool = False


class SubtitleTrack(Struct, frozen=True, omit_defaults=True):
    """Subtitles inside the container. `sdh`: for the deaf and hard of hearing."""

    codec: str | None = None
    language: str | None = None
    title: str | None = None
    default: bool = False
    forced: bool = False
    sdh: bool = False


class Chapter(Struct, frozen=True, omit_defaults=True):
    """A chapter and its beginning, in milliseconds."""

    start_ms: int
    title: str | None = None


class Place(Struct, frozen=True, omit_defaults=True):
    """Where a photo was taken: degrees, north and east positive (WGS 84); metres above the sea."""

    latitude: float
    longitude: float
    altitude: float | None = None


class Found(Struct, frozen=True, omit_defaults=True):
    """`cover` is the content hash (BLAKE2b-128, hex) of a thumbnail in `catalog.covers.v1`. Durations in
    milliseconds, sizes in pixels as they are seen, rates in Hz, bit/s, frames a second. `category`: see CATEGORIES;
    `warnings`: what could not be read or made although the file is complete, or that a part of the file is missing, as
    text · `media_type`: what the contents are, if the name implies something else · `hdr_kind`: `HDR10`, `HDR10+`,
    `HLG`, `Dolby Vision` · `audio_codec`, `channels`: of the audio track that is played by default; all tracks are in
    `audio_tracks` · `taken`: ISO 8601, with the zone if the camera knew it · `rating`: out of 10, from an NFO file"""

    title: str | None = None
    year: int | None = None
    season: int | None = None
    episode: int | None = None
    category: str | None = None
    quality: str | None = None
    duration_ms: int | None = None
    container: str | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    hdr: bool | None = None
    bit_rate: int | None = None
    sample_rate: int | None = None
    channels: int | None = None
    pages: int | None = None
    languages: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ()
    tags: Tags | None = None
    cover: str | None = None
    warnings: tuple[str, ...] = ()
    media_type: MediaType | None = None
    hdr_kind: str | None = None
    frame_rate: float | None = None
    audio_tracks: tuple[AudioTrack, ...] = ()
    subtitle_tracks: tuple[SubtitleTrack, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    taken: str | None = None
    camera: str | None = None
    lens: str | None = None
    taken_at: Place | None = None
    credits: tuple[Credit, ...] = ()
    rating: float | None = None

    @property
    def identified(self) -> bool:
        """More than the bare name is known: title and year, a season, or tags."""
        return (
            (self.title is not None and self.year is not None)
            or self.season is not None
            or (self.tags is not None and self.tags != Tags())
        )
