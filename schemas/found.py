"""What a media file is by its name, and what analysis can find in it. All fields are optional: absent means not found."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

MediaType = Literal["video", "audio", "image", "book", "archive", "subtitle", "other"]

CATEGORIES = (
    "movie", "tv_show", "trailer", "extra", "sample", "home_video", "music", "audiobook", "photo", "book", "comic",
)  # fmt: skip
"""What an item may be, beside its media type; one for which nothing speaks has none."""

ANALYSED: tuple[MediaType, ...] = ("video", "audio", "image", "book")
"""Media types whose files are opened: those of the newest rules of the fold."""


class Tags(Struct, frozen=True, omit_defaults=True):
    """Tags inside the file (ID3, Vorbis comments, MP4 atoms, EPUB metadata)."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    track: int | None = None
    disc: int | None = None
    genre: str | None = None
    date: str | None = None
    album_artist: str | None = None
    composer: str | None = None


class Found(Struct, frozen=True, omit_defaults=True):
    """`cover` is the content hash (BLAKE2b-128, hex) of a thumbnail in `catalog.covers.v1`. Durations in
    milliseconds, sizes in pixels, rates in Hz or bit/s. `category`: see CATEGORIES; `subtitle` of a
    subtitle file; `warnings`: what could not be read or made although the file is whole, in words"""

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

    @property
    def identified(self) -> bool:
        """More than the bare name is known: title and year, a season, or tags."""
        return (
            (self.title is not None and self.year is not None)
            or self.season is not None
            or (self.tags is not None and self.tags != Tags())
        )
